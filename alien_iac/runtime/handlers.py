"""The decorators of handlers, and the collecting of what they marked.

A decorator leaves a mark on the function and the function as it was, so a test calls it like any other. There is no
registry: whoever runs the code collects the marks from the modules that it loaded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, TypeVar, overload

from alien_iac.errors import InvalidInput

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal["command", "message", "created", "schedule", "health"]

_MARKS = "__alien_marks__"
_COMMAND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, kw_only=True)
class Handler:
    """One function and what starts it."""

    kind: Kind
    name: str
    """The command's name, the queue's or storage's id, or the crontab line ("" for every schedule)."""
    function: Callable[..., Any]

    @property
    def place(self) -> str:
        """Where it is written: module, function and line."""
        code = getattr(self.function, "__code__", None)
        line = f":{code.co_firstlineno}" if code else ""
        return f"{self.function.__module__}.{self.function.__qualname__}{line}"


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """All handlers of one workload."""

    all: tuple[Handler, ...] = ()

    def of(self, kind: Kind) -> tuple[Handler, ...]:
        return tuple(handler for handler in self.all if handler.kind == kind)

    def find(self, kind: Kind, name: str) -> Handler | None:
        return next((handler for handler in self.of(kind) if handler.name == name), None)

    def scheduled(self, cron: str) -> tuple[Handler, ...]:
        """Those that run on this crontab line: the ones for it, and the ones for every schedule."""
        return tuple(handler for handler in self.of("schedule") if handler.name in ("", cron))


def command(name: str) -> Callable[[F], F]:
    """Answer the command `name`. The function's parameters are those of the command, checked by their annotations.

    Its result is any value that has a JSON form. A command may run more than once: `current().id` stays the same.
    """
    if not _COMMAND_NAME.fullmatch(name):
        raise ValueError(f'"{name}" cannot name a command; use letters, digits, ".", "_" and "-", at most 128 of them')
    return _marker("command", name)


def on_message(queue_id: str) -> Callable[[F], F]:
    """Take the messages of a queue, one a call, as the type that the only parameter is annotated with.

    Returning acknowledges the message. Raising brings it back later, and after the queue's `max_receives` attempts it
    becomes a dead letter.
    """
    return _marker("message", queue_id)


def on_created(storage_id: str) -> Callable[[F], F]:
    """Be told the key of each object that is new in a storage, or whose content was replaced; at least once."""
    return _marker("created", storage_id)


@overload
def on_schedule(cron: str) -> Callable[[F], F]: ...
@overload
def on_schedule(cron: F) -> F: ...
def on_schedule(cron: str | F) -> Callable[[F], F] | F:
    """Run on every schedule of the Function, or with a crontab line on that one; at least once for each instant.

    The function takes nothing, or one parameter: the instant (an aware `datetime`) that it was meant to run at.
    """
    if isinstance(cron, str):
        return _marker("schedule", " ".join(cron.split()))
    return _marker("schedule", "")(cron)


def health(function: F) -> F:
    """Say whether the workload is well: returning False or raising means that it is not. Called every few seconds."""
    return _marker("health", "")(function)


def collect(modules: Iterable[ModuleType]) -> Handlers:
    """The handlers that are marked in these modules. InvalidInput, naming all, where two want the same event."""
    found = {
        (handler.kind, handler.name, id(handler.function)): handler for module in modules for handler in _marked(module)
    }
    handlers = tuple(found.values())
    events = Counter((h.kind, h.name) for h in handlers)
    twice = [h for h in handlers if h.kind != "schedule" and events[h.kind, h.name] > 1]
    if twice:
        lines = "\n".join(f'  {h.kind} "{h.name}": {h.place}' for h in twice)
        raise InvalidInput(f"more than one handler for the same event:\n{lines}", hint="keep one of each")
    return Handlers(all=handlers)


def _marked(module: ModuleType) -> Iterator[Handler]:
    for value in vars(module).values():
        if callable(value) and not isinstance(value, type):
            # Through the dictionary: a wrapper that answers every attribute must not look like a handler.
            for kind, name in getattr(value, "__dict__", {}).get(_MARKS, ()):
                yield Handler(kind=kind, name=name, function=value)


def _marker(kind: Kind, name: str) -> Callable[[F], F]:
    def mark(function: F) -> F:
        setattr(function, _MARKS, (*getattr(function, _MARKS, ()), (kind, name)))
        return function

    return mark
