"""The runtime's own lines in a workload's log: short, `key=value`, without payloads.

A handler's traceback does go there, since the log stays in the customer's environment. Nothing else of a payload does.
"""

import logging
import sys
from typing import TextIO

LOGGER = logging.getLogger("alien")


def configure(stream: TextIO | None = None) -> None:
    """Send the runtime's lines to the process's log. The vendor's own loggers are left as they are."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def line(event: str, **facts: object) -> str:
    """One line: the event's name, then the facts that are known."""
    known = (f"{key}={_value(fact)}" for key, fact in facts.items() if fact is not None)
    return " ".join((event, *known))


def _value(fact: object) -> str:
    text = str(fact)
    return repr(text) if not text or any(c.isspace() or c in "\"'=" for c in text) else text
