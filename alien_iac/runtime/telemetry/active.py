"""Where the process's telemetry is found, from any thread: with the root logger, whose handler it is."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Sink(logging.Handler, ABC):
    """What takes spans and numbers, and log records as every handler does. Without one installed nothing is kept."""

    @abstractmethod
    def span(self, ended: Mapping[str, Any]) -> None:
        """Take a span that has ended."""

    @abstractmethod
    def number(self, instrument: Mapping[str, Any], value: float, attributes: Mapping[str, object]) -> None:
        """Take a measurement."""


def sink() -> Sink | None:
    """The installed one."""
    return next((handler for handler in logging.getLogger().handlers if isinstance(handler, Sink)), None)


def is_constant(text: str, depth: int) -> bool:
    """Whether the text stands in the code of the caller `depth` frames up, so that nothing was filled in."""
    return any(type(each) is str and each == text for each in sys._getframe(depth + 1).f_code.co_consts)  # noqa: SLF001 - the only way to a caller's code
