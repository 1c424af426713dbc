"""One update from its request to its result: refresh, the program's registrations, deletions, the summary."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from pulumi.runtime.proto import engine_pb2_grpc, language_pb2, resource_pb2_grpc

from alien_iac.engine import deletes, events, leftovers, plugins, program, refresh, urns, wire
from alien_iac.engine.builtin import BuiltinProvider
from alien_iac.engine.defaults import DefaultProviders
from alien_iac.engine.display import Display
from alien_iac.engine.executor import Executor
from alien_iac.engine.goals import CLI
from alien_iac.engine.ledger import Ledger
from alien_iac.engine.model import Request, Result
from alien_iac.engine.monitor import Arrivals, Engine, Monitor
from alien_iac.engine.planner import Bail, Planner
from alien_iac.engine.registrations import Parts
from alien_iac.engine.registry import Inside, Launcher, Registry
from alien_iac.engine.turns import Gate, Turns
from alien_iac.errors import AlienError, NotFound, Unsupported

TICK_S = 0.05
"""How often it is looked whether somebody wants the update to end."""

GRACE_S = 5.0
"""How long the program's last calls have to end once the update is over; they usually have ended."""

QUIET = frozenset({"same", "read", "discard", "read-replacement"})
"""Steps that change nothing."""


def run(request: Request, out: Callable[[str], None], cancel: threading.Event, inside: Inside | None = None) -> Result:
    """Run an update. `out` gets the display's lines; `cancel` ends it in order once it is set.

    `inside` serves all packages from this process, and no plugin is started.

    What fails is said in the output and gives a Result that did not succeed; its `error` is empty where the output
    says all. Before anything is done, raises Unsupported for what only the CLI can do, and NotFound where a refresh or
    a destroy is to target what is not there.
    """
    if request.kind == "refresh" and request.run_program:
        raise Unsupported("the embedded engine does not support refresh --run-program", hint=CLI)
    if request.kind in ("refresh", "destroy"):
        _refuse_unknown(request)
    sinks = events.sinks(request.event_log)
    display = Display(out, request.kind, request.stack, dry=request.dry)
    said = events.Events([display, *(s.put for s in sinks)], request)
    ledger = Ledger(request.snapshot, None if request.dry else request.journal)
    try:
        with _served(request, ledger, said, inside) as (parts, registry):
            changes = _Update(parts, registry, cancel).run()
    finally:
        said.cancel()
        for sink in sinks:
            sink.close()
    succeeded, error = parts.gate.open, ""
    if succeeded and request.expect_no_changes and set(changes) - QUIET:
        succeeded, error = False, f"no changes were expected for {request.kind} but changes were proposed"
    snapshot = request.snapshot if request.dry else ledger.snapshot()
    cancelled = parts.gate.cancelled
    return Result(snapshot=snapshot, changes=changes, succeeded=succeeded, error=error, cancelled=cancelled)


def _refuse_unknown(request: Request) -> None:
    known = {r.urn for r in request.snapshot.resources}
    for urn in urns.Targets((*request.targets, *request.excludes)).literals():
        if urn not in known:
            raise NotFound(f"no resource named '{urn}' found")


@contextmanager
def _served(
    request: Request, ledger: Ledger, said: events.Events, inside: Inside | None
) -> Iterator[tuple[Parts, Registry]]:
    """Put the engine together, serve it on loopback, and take it down in the end."""
    gate = Gate()
    turns = Turns(gate)
    pool = futures.ThreadPoolExecutor(max_workers=1024, thread_name_prefix="engine")
    server = grpc.server(pool, interceptors=[Arrivals(turns)], options=wire.OPTIONS)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    launcher = Launcher(
        named=request.plugins,
        env=plugins.environment(request.env),
        folder=request.work_dir,
        engine=address,
        log=lambda line: said.diagnostic("info", line),
        warn=lambda line: said.diagnostic("warning", line),
    )
    registry = Registry(launcher, BuiltinProvider(request.stack_outputs, ledger.made), inside)
    planner = Planner(request, ledger, registry, said)
    executor = Executor(request, ledger, registry, planner.provider, said, gate)
    parts = Parts(
        request=request,
        address=address,
        ledger=ledger,
        planner=planner,
        executor=executor,
        events=said,
        gate=gate,
        turns=turns,
        defaults=DefaultProviders(request),
        provider=registry.get,
    )
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(parts), server)
    engine_pb2_grpc.add_EngineServicer_to_server(Engine(parts), server)
    server.start()
    registry.begin(request.snapshot.resources)
    try:
        yield parts, registry
    finally:
        server.stop(GRACE_S).wait()
        pool.shutdown(wait=False)
        registry.close()


@dataclass
class _Update:
    """The phases of one update."""

    parts: Parts
    registry: Registry
    cancel: threading.Event

    def run(self) -> dict[str, int]:
        """All phases. What was done, by operation."""
        parts, begun = self.parts, time.monotonic()
        parts.events.prelude()
        with self._watched():
            try:
                self._phases(parts.request)
            except Bail:
                parts.gate.end()
            except AlienError as error:
                parts.events.diagnostic("error", str(error))
                parts.gate.end()
            self._finish_outputs()
        self._say_how_it_ended()
        parts.ledger.flush()
        changes = dict(sorted(parts.executor.changes.items()))
        parts.events.summary(changes, time.monotonic() - begun, succeeded=parts.gate.open)
        return changes

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Hand a cancellation on to the gate and to all plugins, once."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(TICK_S):
                if self.cancel.is_set():
                    self.parts.gate.cancel()
                    self.registry.cancel()
                    return

        thread = threading.Thread(target=watch, name="watch for cancellation")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _phases(self, request: Request) -> None:
        gate = self.parts.gate
        if request.refresh or request.kind == "refresh":
            self._refuse_unknown((*request.targets, *request.excludes))
            self._refresh()
        elif request.snapshot.pending_operations and not request.dry:
            self.parts.events.diagnostic("warning", _pending(request))
        if request.kind == "refresh" or not gate.open:
            return
        self._refuse_unknown(request.replace)
        if request.kind != "destroy" or request.run_program:
            self._run_program()
        if gate.closed.is_set():
            return
        missing = self._unknown(request.targets)
        self._delete()
        self._refuse(missing)

    def _say_how_it_ended(self) -> None:
        parts = self.parts
        what = "preview" if parts.request.dry else "update"
        if parts.planner.failed:
            parts.gate.fail(go_on=True)
        if parts.gate.failed and not parts.gate.ended:
            parts.events.diagnostic("error", f"{what} failed")
        elif parts.gate.cancelled:
            parts.events.diagnostic("error", f"{what} canceled")

    def _unknown(self, patterns: Sequence[str]) -> list[str]:
        known = {r.urn for r in self.parts.request.snapshot.resources} | self.parts.planner.seen.urns
        return [urn for urn in urns.Targets(tuple(patterns)).literals() if urn not in known]

    def _refuse_unknown(self, patterns: Sequence[str]) -> None:
        self._refuse(self._unknown(patterns))

    def _refuse(self, missing: Sequence[str]) -> None:
        for urn in missing:
            more = "" if "$" in urn else " Did you forget to escape $ in your shell?"
            self.parts.events.diagnostic("error", f"Target '{urn}' could not be found in the stack.{more}")
        if missing:
            raise Bail("one or more targets could not be found in the stack")

    def _refresh(self) -> None:
        parts = self.parts
        refresher = refresh.Refresher(parts.planner.provider, parts.events)
        parts.executor.refresh(refresh.chosen(parts.request, parts.ledger.base()), refresher.read)
        parts.ledger.rebuild(refresher.apply)
        parts.ledger.flush()
        parts.planner.reload()

    def _run_program(self) -> None:
        parts = self.parts
        with (
            program.served(parts.request, lambda line: parts.events.diagnostic("info", line)) as address,
            program.running(parts.request, address, parts.address) as running,
        ):
            answer = self._awaited(running)
        if parts.gate.closed.is_set():
            return
        if answer is None or answer.bail:
            raise Bail("the stack program said why")
        if answer.error:
            raise parts.planner.bail(f"an unhandled error occurred: {answer.error}")

    def _awaited(self, running: "grpc.Future[language_pb2.RunResponse]") -> language_pb2.RunResponse | None:
        """The program's answer. Once the update stops, the program is given some time to notice."""
        done = threading.Event()
        running.add_done_callback(lambda _: done.set())
        deadline = None
        while not done.wait(TICK_S):
            if self.parts.gate.closed.is_set():
                deadline = deadline or time.monotonic() + program.STOP_S
                if time.monotonic() > deadline:
                    running.cancel()
        if running.cancelled() or running.exception() is not None:
            if not self.parts.gate.closed.is_set():
                raise self.parts.planner.bail(f"the stack program ended without an answer: {running.exception()}")
            return None
        return running.result()

    def _delete(self) -> None:
        parts = self.parts
        everything = list(parts.ledger.everything())
        wanted, kept = leftovers.find(parts.request, parts.planner.seen, parts.ledger.base(), everything)
        refused = leftovers.untargeted(parts.request, wanted)
        for urn in refused:
            message = f"Resource '{urn}' will be destroyed but was not specified in --target list.\n"
            more = "Either include resource in --target list or pass --target-dependents to proceed."
            parts.events.diagnostic("error", message + more, urn)
            parts.planner.failed = True
        if refused and not parts.request.dry:
            return
        parts.executor.run(kept)
        deleted = parts.planner.seen.deleted | {step.resource.urn for step in wanted}
        by_identity = {id(step.resource): step for step in wanted}
        for wave in deletes.waves([step.resource for step in wanted]):
            failed = parts.executor.errored
            kept_for = deletes.requirements(failed, everything) if failed else set()
            ready = [by_identity[id(r)] for r in wave if r.urn not in kept_for]
            parts.executor.run_all(ready, deleted=deleted)

    def _finish_outputs(self) -> None:
        """Record the Pulumi stack's outputs; after a failure, those that were not given this time stay."""
        parts = self.parts
        if parts.outputs is None:
            return
        old = next((r for r in parts.request.snapshot.resources if r.urn == parts.root), None)
        whole = parts.gate.open and not parts.planner.failed
        before = dict(old.outputs) if old and not whole else {}
        parts.executor.register_outputs(parts.root, {**before, **parts.outputs})


def _pending(request: Request) -> str:
    pending = request.snapshot.pending_operations
    listed = "".join(f"  * {o.resource.urn}, interrupted while {o.type}\n" for o in pending)
    return (
        f"Attempting to deploy or update resources with {len(pending)} pending operations from previous deployment.\n"
        f"{listed}These resources are in an unknown state because the Pulumi CLI was interrupted while waiting for "
        "changes to these resources to complete. You should confirm whether or not the operations listed completed "
        "successfully by checking the state of the appropriate provider. For example, if you are using AWS, you can "
        "confirm using the AWS Console.\n\nOnce you have confirmed the status of the interrupted operations, you can "
        "repair your stack using `pulumi refresh` which will refresh the state from the provider you are using and "
        "clear the pending operations if there are any.\n\nNote that `pulumi refresh` will need to be run "
        "interactively to clear pending CREATE operations."
    )
