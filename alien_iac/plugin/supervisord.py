"""The supervisor's program: supervisord, which ends with all that it runs when somebody removes its folder by hand."""

import signal
from pathlib import Path

from supervisor import supervisord

from alien_iac.plugin import conf

LOOK_S = 2.0


def main() -> None:
    """Run in the present folder until told to end."""
    home = Path.cwd()

    def look(*_: object) -> None:
        if not home.exists():
            signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)
    supervisord.main(["-c", conf.FILE])


if __name__ == "__main__":
    main()
