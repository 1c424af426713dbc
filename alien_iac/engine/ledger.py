"""The snapshot while an update runs: what is done, what was begun, what is still as before. Saves it step by step.

Resources are frozen, so one is known by its identity: the very object that came from the state or was put in here.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from alien_iac.engine import urns
from alien_iac.engine.model import Journal, Operation, Resource, Snapshot


class Ledger:
    """All methods may be called from any thread. Nothing is written when `journal` is None, as in a preview."""

    def __init__(self, base: Snapshot, journal: Journal | None) -> None:
        self._journal = journal
        self._lock = threading.RLock()
        self._base = list(base.resources)
        self._made: list[Resource] = []
        self._begun: list[Operation] = []
        self._creating = tuple(o for o in base.pending_operations if o.type == "creating")
        self._renamed: dict[str, str] = {}
        self._unsaved = False

    def base(self) -> list[Resource]:
        """What the state had before and this update has not replaced, in order."""
        with self._lock:
            return list(self._base)

    def everything(self) -> Iterator[Resource]:
        """All resources: those that this update made first, then the rest of the state."""
        with self._lock:
            return iter([*self._made, *self._base])

    def made(self, urn: str) -> Resource | None:
        """The resource that this update registered under a URN."""
        with self._lock:
            return next((r for r in reversed(self._made) if r.urn == urn), None)

    def pending_replacement(self, urn: str) -> Resource | None:
        """What was deleted to be made again, and was not made again yet."""
        with self._lock:
            return next((r for r in self._base if r.urn == urn and r.pending_replacement), None)

    def find(self, ref: str) -> Resource | None:
        """A provider resource by its reference, under its old or its new URN."""
        urn, identity = urns.referred(ref)
        now = self._renamed.get(urn, urn)
        return next((r for r in self.everything() if r.urn in (urn, now) and r.id == identity), None)

    def begin(self, operation: Operation) -> None:
        """Record that an operation begins, before it does."""
        with self._lock:
            self._begun.append(operation)
            self.save()

    def end(
        self, operation: Operation | None, old: Resource | None, new: Resource | None, *, save: bool = True
    ) -> None:
        """Record an operation's end: `old` is gone from the state, `new` is in it. Either may be None."""
        with self._lock:
            self._begun = [o for o in self._begun if o is not operation]
            if old is not None:
                self._base = [r for r in self._base if r is not old]
                self._made = [r for r in self._made if r is not old]
            if new is not None:
                self._renamed |= dict.fromkeys(new.aliases, new.urn)
                self._made.append(new)
            self._unsaved = True
            if save:
                self.save()

    def swap(self, old: Resource, new: Resource, *, save: bool = True) -> None:
        """Put another state of a resource in the place of one that is there."""
        with self._lock:
            self._base = [new if r is old else r for r in self._base]
            self._made = [new if r is old else r for r in self._made]
            self._unsaved = True
            if save:
                self.save()

    def rebuild(self, change: Callable[[list[Resource]], list[Resource]]) -> None:
        """Change all of the old state at once, as a refresh does."""
        with self._lock:
            self._base = change(self._base)
            self._unsaved = True

    def save(self) -> None:
        """Make the snapshot durable."""
        with self._lock:
            if self._journal is not None:
                self._journal.save(self.snapshot())
            self._unsaved = False

    def flush(self) -> None:
        """Save what was not yet worth a write of its own."""
        with self._lock:
            if self._unsaved:
                self.save()

    def snapshot(self) -> Snapshot:
        """The state as it would be written now."""
        with self._lock:
            found = tuple(renamed(r, self._renamed) for r in (*self._made, *self._base))
            return Snapshot(found, (*self._begun, *self._creating))


def renamed(resource: Resource, names: dict[str, str]) -> Resource:
    """The resource with every reference to an aliased URN under its new name."""
    if not names:
        return resource

    def now(urn: str) -> str:
        return names.get(urn, urn)

    provider = resource.provider
    if provider:
        urn, identity = urns.referred(provider)
        provider = urns.reference(now(urn), identity)
    return replace(
        resource,
        aliases=(),
        parent=now(resource.parent),
        provider=provider,
        dependencies=tuple(dict.fromkeys(now(d) for d in resource.dependencies)),
        property_dependencies={k: tuple(now(d) for d in v) for k, v in resource.property_dependencies.items()},
        deleted_with=now(resource.deleted_with),
    )
