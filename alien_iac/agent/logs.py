"""The agent's own log: short lines on stderr. Libraries that write URLs, which may carry rights, are kept quiet."""

import logging
import re

_RIGHT = re.compile(r"(response_token|signature|token|code)=[^&\s\"']+", re.IGNORECASE)
_BEARER = re.compile(r"Bearer\s+\S+")


class Redacting(logging.Filter):
    """Takes rights out of whatever is logged, from whichever library it comes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record's text is made clean first."""
        text = record.getMessage()
        clean = _BEARER.sub("Bearer …", _RIGHT.sub(r"\1=…", text))
        if clean != text:
            record.msg, record.args = clean, ()
        return True


def to_stderr(level: str) -> None:
    """Log to stderr, from `level` on. An unknown level is INFO."""
    handler = logging.StreamHandler()
    handler.addFilter(Redacting())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    known = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.basicConfig(level=known, handlers=[handler])
    for name in ("httpx", "httpcore", "tuf", "uvicorn", "filelock"):
        logging.getLogger(name).setLevel(max(known, logging.WARNING))
