"""Where an exception came through, without what it said: file, line and function of each frame."""

import re
import traceback
from pathlib import PurePath
from types import TracebackType

MOST = 20
"""Frames that are told: the innermost ones, where it went wrong."""
_PYTHON = re.compile(r'^  File "([^"\n]{1,500})", line (\d{1,6}), in ([\w.<>]{1,120})$', re.MULTILINE)


def of_traceback(trace: TracebackType | None) -> list[str]:
    """The frames of a raised exception."""
    found = [
        _frame(frame.f_code.co_filename, number, frame.f_code.co_qualname) for frame, number in traceback.walk_tb(trace)
    ]
    return found[-MOST:]


def of_text(stacktrace: str) -> list[str]:
    """The frames in a traceback as Python writes it; empty for any other text."""
    return [_frame(*match.groups()) for match in _PYTHON.finditer(stacktrace)][-MOST:]


def _frame(file: str, line: str | int, function: str) -> str:
    return f"{PurePath(file).name}:{line} {function}"
