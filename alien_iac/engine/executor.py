"""Carries steps out: tells the world, records what is pending, asks the provider, records what came of it."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from alien_iac.engine import deletes, refresh, steps, urns, values
from alien_iac.engine.events import Events
from alien_iac.engine.ledger import Ledger
from alien_iac.engine.model import Operation, Request, Resource
from alien_iac.engine.providers import Live, Provider, ProviderFailed, config
from alien_iac.engine.registry import Registry
from alien_iac.engine.steps import Step
from alien_iac.engine.turns import Gate, Stopped
from alien_iac.errors import AlienError


class Executor:
    """The steps of one update. Several threads may run chains of steps at once, up to `parallel` steps in all."""

    def __init__(  # noqa: PLR0913, PLR0917 (its collaborators)
        self,
        request: Request,
        ledger: Ledger,
        registry: Registry,
        provider: Callable[[Resource], Provider],
        events: Events,
        gate: Gate,
    ) -> None:
        self._ledger, self._registry, self._provider = ledger, registry, provider
        self._events, self._gate = events, gate
        self._parallel, self._preview = max(1, min(request.parallel, 256)), request.dry
        self._go_on, self._refresh_only = request.continue_on_error, request.kind == "refresh"
        self._slots = threading.Semaphore(self._parallel)
        self._lock = threading.Lock()
        self.changes: Counter[str] = Counter()
        self.latest: dict[str, Step] = {}
        self.errored: set[str] = set()
        """URNs that failed or were skipped because of one that did, while others went on."""

    def admit(self) -> bool:
        """Take a slot for a chain, if there is one, so that the chain begins whatever fails from now on."""
        return self._slots.acquire(blocking=False)

    def run(self, chain: Sequence[Step], *, deleted: Collection[str] = (), admitted: bool = False) -> Resource | None:
        """Do steps one after the other. The last resource that they made, None if one failed. Raises Stopped.

        `admitted`: the chain has a slot already.
        """
        if not admitted:
            self._slots.acquire()
        try:
            return self._chain(chain, deleted, begun=admitted)
        finally:
            self._slots.release()

    def _chain(self, chain: Sequence[Step], deleted: Collection[str], *, begun: bool) -> Resource | None:
        made: Resource | None = None
        for step in chain:
            if self._gate.closed.is_set() and not begun:
                raise Stopped
            begun = False
            new = self._step(step, deleted)
            if new is None and step.new is not None:
                return None
            made = new or made
        return made

    def run_all(self, chains: Sequence[Step], *, deleted: Collection[str] = ()) -> None:
        """Do independent steps at once, and wait for all."""

        def one(step: Step) -> None:
            with suppress(Stopped):  # what was not begun is left alone
                self.run([step], deleted=deleted)

        with ThreadPoolExecutor(self._parallel) as pool:
            list(pool.map(one, chains))

    def refresh(self, resources: Sequence[Resource], read: Callable[[Resource], Step]) -> None:
        """Read resources at once, and wait for all. What cannot be read stays as it is; the update then fails."""

        def one(old: Resource) -> None:
            if self._gate.cancelled:
                return
            begun = Step(op="refresh", old=old, new=old)
            self._events.begin(begun)
            try:
                step = read(old)
            except AlienError as error:
                self._failed(begun, None, error, go_on=True)
                return
            op = refresh.result_op(step) if self._refresh_only else "refresh"
            if self._refresh_only:
                self._count(op, old.urn)
            self._events.outputs(step, op)

        with ThreadPoolExecutor(self._parallel) as pool:
            list(pool.map(one, resources))

    def blocked(self, resource: Resource) -> bool:
        """Whether a resource needs one that failed; if so, what needs it in turn is blocked, too."""
        if not deletes.dependencies(resource) & self.errored:
            return False
        self.errored.add(resource.urn)
        return True

    def register_outputs(self, urn: str, outputs: dict[str, Any]) -> bool:
        """Record a component's outputs. False if no such registration is there to be completed."""
        step = self.latest.get(urn)
        made = self._ledger.made(urn)
        if step is None or (made is None and not step.skipped):
            return False
        if made is not None:
            new = replace(made, outputs=outputs)
            before = dict(step.old.outputs) if step.old else None
            self._ledger.swap(made, new, save=before != outputs)
            self.latest[urn] = step = replace(step, new=new)
            self._events.outputs(step, step.op)
        return True

    def _step(self, step: Step, deleted: Collection[str]) -> Resource | None:
        self._events.begin(step)
        operation = None if self._preview else step.operation
        if operation:
            self._ledger.begin(operation)
        try:
            new = self._apply(step, deleted)
        except AlienError as error:
            self._failed(step, operation, error)
            return None
        done = replace(step, new=new)
        if steps.is_counted(done):
            self._count(step.op, step.resource.urn)
        if self._preview or step.resource.custom or step.op in ("delete", "discard"):
            self._events.outputs(done, step.op)
        self._record(done, operation)
        if new is not None:
            self.latest[new.urn] = done
        return new

    def _count(self, op: str, urn: str) -> None:
        if not urns.is_default_provider(urn):
            with self._lock:
                self.changes[op] += 1

    def _failed(self, step: Step, operation: Operation | None, error: AlienError, *, go_on: bool = False) -> None:
        urn = "" if urns.is_default_provider(step.resource.urn) else step.resource.urn
        if self._preview:
            self._events.diagnostic("error", f"Preview failed: {error.message}", urn)
        else:
            self._events.diagnostic("error", error.message, urn)
            self._events.failed(step, sum(self.changes.values()))
        live = error.partial if isinstance(error, ProviderFailed) else None
        if live is None or step.new is None:
            self._ledger.end(operation, None, None)
        else:
            inputs = step.old.inputs if step.op == "update" and step.old else step.new.inputs
            half = self._born(step, replace(step.new, inputs=inputs, init_errors=live.init_errors), live)
            self._record(replace(step, new=half), operation)
        self.errored.add(step.resource.urn)
        self._gate.fail(go_on=go_on or self._go_on or isinstance(error, Protected))

    def _record(self, step: Step, operation: Operation | None) -> None:
        old, new = step.old, step.new
        if step.skipped or step.op in ("replace", "refresh"):
            return
        if step.op == "same" and old is not None:
            self._ledger.end(None, old, new, save=steps.is_noteworthy(old, new or old))
        elif step.pends and old is not None:
            self._ledger.swap(old, replace(old, pending_replacement=True), save=False)
            self._ledger.end(operation, None, None)
        elif step.keeps_old and old is not None:
            self._ledger.swap(old, replace(old, delete=True), save=False)
            self._ledger.end(operation, None, new)
        else:
            made_again = step.op == "create-replacement" and old is not None
            gone = self._ledger.pending_replacement(old.urn) if made_again and old else None
            self._ledger.end(operation, gone or old, new)

    def _apply(self, step: Step, deleted: Collection[str]) -> Resource | None:
        if step.new is None:
            self._delete(step, deleted)
            return None
        if step.op in ("same", "replace"):
            old = step.old if step.op == "same" and not (step.skipped or step.untargeted) else None
            if old is not None and urns.is_provider(step.new.type):
                self._registry.same(replace(step.new, inputs=old.inputs))  # the provider said that it is the same
            return step.new
        live = self._read(step.new) if step.op in ("read", "read-replacement") else self._make(step)
        return self._born(step, step.new, live)

    def _born(self, step: Step, new: Resource, live: Live) -> Resource:
        outputs = values.sealed(live.outputs, new.inputs, new.additional_secret_outputs)
        created, modified, now = new.created, new.modified, _now()
        if self._preview:
            pass
        elif step.op in ("create", "create-replacement"):
            created = modified = now
        elif new.custom:
            modified = now
        return replace(new, id=live.id, outputs=outputs, created=created, modified=modified)

    def _make(self, step: Step) -> Live:
        new, old = step.new or step.resource, step.old if step.op == "update" else None
        if not new.custom:
            return Live("", dict(old.outputs) if old else {})
        if urns.is_provider(new.type):
            return Live(self._registry.make(new, old.id if old else "", preview=self._preview), config(new.inputs))
        provider = self._provider(new)
        if old is not None:
            return provider.update(old, new, preview=self._preview)
        return provider.create(new, preview=self._preview)

    def _read(self, new: Resource) -> Live:
        if values.has_unknown(new.id):
            return Live(new.id)
        live = self._provider(new).read(replace(new, outputs=new.inputs))
        if not live.id:
            raise ProviderFailed(f"resource '{new.id}' does not exist")
        return live

    def _delete(self, step: Step, deleted: Collection[str]) -> None:
        old = step.resource
        if step.op == "delete" and old.protect:
            raise Protected(
                f'resource "{old.urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either '
                "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the "
                f"command:\n`pulumi state unprotect '{old.urn}'`"
            )
        inert = old.external or old.retain_on_delete or old.deleted_with in deleted or not old.custom
        if step.op == "remove-pending-replace" or self._preview or inert or urns.is_provider(old.type):
            return
        self._provider(old).delete(old)


class Protected(ProviderFailed):
    """A protected resource was to be deleted. Nothing was done, so the update goes on to find others."""


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
