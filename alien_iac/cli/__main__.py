"""`python -m alien_iac.cli` is `alien`."""

from alien_iac.cli import main

if __name__ == "__main__":
    main()
