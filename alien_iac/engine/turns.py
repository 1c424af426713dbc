"""Whether an update goes on, and whose turn it is: what the threads of one update share besides the state."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

TICKET: ContextVar[int | None] = ContextVar("ticket", default=None)
"""The ticket of the call that is being answered, if it got one when it arrived."""


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
    """Lets one at a time in, in the order of arrival, which may be noted before it is known what for."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._waiting: dict[int, str] = {}
        self._tickets = itertools.count()

    def arrive(self) -> int:
        """A ticket for a turn that will be taken, or left, soon."""
        with self._gate.moved:
            ticket = next(self._tickets)
            self._waiting[ticket] = ""
            return ticket

    def leave(self, ticket: int) -> None:
        """Give a ticket back, whether its turn was taken or not."""
        with self._gate.moved:
            self._waiting.pop(ticket, None)
            self._gate.moved.notify_all()

    @contextmanager
    def turn(self, urn: str) -> Iterator[None]:
        """Wait until all who came before are through. Raises Stopped when the update ends meanwhile."""
        ticket = TICKET.get()
        if ticket is None:
            ticket = self.arrive()
        try:
            with self._gate.moved:
                self._waiting[ticket] = urn
                while next(iter(self._waiting)) != ticket and not self._gate.closed.is_set():
                    self._gate.moved.wait()
            if self._gate.closed.is_set():
                raise Stopped
            yield
        finally:
            self.leave(ticket)

    def next_urn(self) -> str:
        """The URN of whoever comes after the one whose turn it is; empty if nobody waits."""
        with self._gate.moved:
            return next(itertools.islice(self._waiting.values(), 1, None), "")
