"""Whether an update goes on, and whose turn it is: what the threads of one update share besides the state."""

import itertools
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Stopped(Exception):
    """The update goes no further; no step is begun any more."""


@dataclass
class Gate:
    """Whether an update goes on. May be closed from any thread; whoever waits for `moved` is woken then."""

    closed: threading.Event = field(default_factory=threading.Event)
    moved: threading.Condition = field(default_factory=threading.Condition)
    failed: bool = False
    """A step failed."""
    ended: bool = False
    """The program or a decision failed, and that was said."""
    cancelled: bool = False

    @property
    def open(self) -> bool:
        """Whether all is well."""
        return not (self.failed or self.ended or self.cancelled)

    def end(self) -> None:
        """The update cannot go on."""
        self.ended = True
        self._close()

    def fail(self, *, go_on: bool = False) -> None:
        """Something went wrong. `go_on`: what is independent of it is still done."""
        self.failed = True
        if not go_on:
            self._close()

    def cancel(self) -> None:
        """Somebody wants the update to end."""
        self.cancelled = True
        self._close()

    def _close(self) -> None:
        self.closed.set()
        with self.moved:
            self.moved.notify_all()


class Turns:
    """Lets one at a time in, in the order of arrival."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._waiting: deque[tuple[int, str]] = deque()
        self._tickets = itertools.count()

    @contextmanager
    def turn(self, urn: str) -> Iterator[None]:
        """Wait until all who came before are through. Raises Stopped when the update ends meanwhile."""
        with self._gate.moved:
            mine = (next(self._tickets), urn)
            self._waiting.append(mine)
            while self._waiting[0] != mine and not self._gate.closed.is_set():
                self._gate.moved.wait()
        try:
            if self._gate.closed.is_set():
                raise Stopped
            yield
        finally:
            with self._gate.moved:
                self._waiting.remove(mine)
                self._gate.moved.notify_all()

    def next_urn(self) -> str:
        """The URN of whoever comes after the one whose turn it is; empty if nobody waits."""
        with self._gate.moved:
            return self._waiting[1][1] if len(self._waiting) > 1 else ""
