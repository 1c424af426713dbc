"""The program `alien`, and `python -m alien_iac`: the command line, or the line that installs it."""

import sys


def main() -> None:
    """Run the command line. A workload's image has the library without it; there one line says what is missing."""
    try:
        from alien_iac import cli  # noqa: PLC0415 - it may not be installed
    except ModuleNotFoundError as error:
        sys.stderr.write(f"error: the command line needs {error.name}\n  pip install 'alien-iac[deploy]'\n")
        sys.exit(6)
    cli.main()


if __name__ == "__main__":
    main()
