"""`python -m alien_iac.agent --dir DIR`: run the agent of a folder until it is told to end."""

import argparse
import logging
import os
import sys
from pathlib import Path

from alien_iac.agent import run
from alien_iac.agent.logs import to_stderr
from alien_iac.errors import AlienError


def main() -> int:
    """Returns the exit code of the error that ended it, or 0."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.agent", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the agent's folder, made by enrolment")
    to_stderr(os.environ.get("ALIEN_LOG", "INFO"))
    try:
        run.run(parser.parse_args().dir, run.settings(os.environ))
    except AlienError as error:
        logging.getLogger("alien_iac.agent").error("%s", error)  # noqa: TRY400 - it says all that there is to say
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
