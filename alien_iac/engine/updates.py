"""The verbs that run an update: up, preview, refresh, destroy; and cancel."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace

from alien_iac.engine import config, history, locks
from alien_iac.engine.arguments import Call
from alien_iac.engine.backend import StackName
from alien_iac.engine.journal import CheckpointJournal, NoJournal
from alien_iac.engine.model import Kind, Request, Result
from alien_iac.engine.session import Session
from alien_iac.engine.stacks import forget
from alien_iac.errors import Conflict, InvalidInput, UpdateFailed

Runner = Callable[[Request, Callable[[str], None], threading.Event], Result]
"""Runs one update: the request, where lines of progress go, and the event that asks it to end early."""

_KINDS: Mapping[str, Kind] = {"up": "update", "preview": "preview", "refresh": "refresh", "destroy": "destroy"}


@dataclass(frozen=True)
class _Prepared:
    request: Request
    journal: CheckpointJournal
    values: config.Values


def run(session: Session, call: Call, runner: Runner) -> None:
    """Run an update. Raises UpdateFailed where it failed; its text is empty where the output says all."""
    name = session.stack(call)
    if session.project.name != name.project:
        raise InvalidInput(f"provided project name {name.project!r} doesn't match Pulumi.yaml")
    if _is_dry(call):
        prepared = _prepare(session, call, name)
        _refuse_failed(_interruptible(prepared, session, runner))
        return
    with locks.held(session.backend, name):
        prepared = _prepare(session, call, name)
        with _recorded(session, call, name, prepared) as done:
            result = _interruptible(prepared, session, runner)
            done(result)
        _refuse_failed(result)
        if call.verb == "destroy" and not call.texts("target"):
            _after_destroy(session, call, name, result)


def _refuse_failed(result: Result) -> None:
    if not result.succeeded:
        codes = {7: result.error.startswith("no changes were expected"), 8: result.cancelled}
        raise UpdateFailed(result.error, pulumi_code=next((code for code, holds in codes.items() if holds), 1))


def _after_destroy(session: Session, call: Call, name: StackName, result: Result) -> None:
    if not call.on("remove"):
        session.out(
            "The resources in the stack have been deleted, but the history and configuration associated with the stack "
            "are still maintained.\nIf you want to remove the stack completely, run "
            f"`pulumi stack rm {session.shown(name)}`."
        )
    elif result.snapshot.resources:
        raise Conflict("refusing to remove stack because it still contains resources")
    else:
        forget(session, name, keep_config=False)
        session.out("The resources in the stack have been deleted, and the history and configuration removed.")


def cancel(session: Session, call: Call) -> None:
    """Take the stack's locks away. Whatever is running goes on; this is for locks that a crash left."""
    name = session.stack(call)
    locks.break_all(session.backend, name)
    session.out(f"The currently running update for '{name.stack}' has been canceled!")


def _prepare(session: Session, call: Call, name: StackName) -> _Prepared:
    project = session.project
    cipher, values = session.sealing(name, session.config(name, call))
    full = config.with_defaults(values, project)
    runs_program = call.verb in {"up", "preview"} or _switch(call, session.env, "run-program")
    if runs_program and not call.on("skip-config-validation"):
        config.check_declared(full, project, name.stack, cipher)
    latest = session.latest(name)
    snapshot = session.snapshot(latest)
    if call.on("clear-pending-creates"):
        kept = tuple(pending for pending in snapshot.pending_operations if pending.type != "creating")
        snapshot = replace(snapshot, pending_operations=kept)
    journal = CheckpointJournal(session.backend, name, cipher, latest)
    request = Request(
        kind=_KINDS[call.verb],
        organization="organization",
        project=name.project,
        stack=name.stack,
        work_dir=project.folder,
        main=project.main,
        snapshot=snapshot,
        journal=NoJournal() if _is_dry(call) else journal,
        config={key: config.text_of(config.opened(value, cipher)) for key, value in full.values.items()},
        secret_keys=frozenset(key for key, value in full.values.items() if config.has_secret(value)),
        env=session.env,
        client=call.text("client"),
        event_log=call.text("event-log"),
        plugins=project.plugins,
        stack_outputs=session.referenced,
    )
    always = (project.settings.get("options") or {}).get("refresh") == "always"
    request = replace(request, refresh=always and call.verb != "refresh")
    return _Prepared(_with_flags(request, session.env, call), journal, full.values)


def _with_flags(request: Request, env: Mapping[str, str], call: Call) -> Request:
    if call.texts("target") and call.texts("exclude"):
        raise InvalidInput("only one of --target and --exclude may be given")
    replaced = call.texts("target-replace")
    return replace(
        request,
        parallel=_number(call.text("parallel") or env.get("PULUMI_PARALLEL") or str(request.parallel)),
        targets=call.texts("target") + replaced,
        target_dependents=call.on("target-dependents"),
        excludes=call.texts("exclude"),
        exclude_dependents=call.on("exclude-dependents"),
        replace=call.texts("replace") + replaced,
        refresh=call.text("refresh") == "true" if "refresh" in call.flags else request.refresh,
        run_program=_switch(call, env, "run-program"),
        dry_run=call.on("preview-only"),
        expect_no_changes=call.on("expect-no-changes"),
        continue_on_error=_switch(call, env, "continue-on-error"),
        show_secrets=call.on("show-secrets"),
    )


@contextlib.contextmanager
def _recorded(session: Session, call: Call, name: StackName, prepared: _Prepared) -> Iterator[Callable[[Result], None]]:
    """Puts the update into the history at its end, as failed where no result was given."""
    flags = {**call.flags, "non-interactive": True}
    facts = history.environment(session.env, flags, call.text("exec-kind"))
    begun = history.entry(_KINDS[call.verb], call.text("message"), facts, prepared.values)
    results: list[Result] = []
    try:
        yield results.append
    finally:
        succeeded, changes = (results[0].succeeded, results[0].changes) if results else (False, {})
        history.add(session.backend, name, history.finished(begun, succeeded=succeeded, changes=changes))
        if session.env.get("PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS", "").lower() not in {"1", "true"}:
            session.backend.back_up(name)


def _interruptible(prepared: _Prepared, session: Session, runner: Runner) -> Result:
    """Run in a thread, so that ^C here asks the update to end in order, and a second one ends it at once."""
    cancelled = threading.Event()
    future: Future[Result] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(runner, prepared.request, session.out, cancelled))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            future.set_exception(error)

    try:
        threading.Thread(target=work, name=f"update {prepared.request.stack}", daemon=True).start()
        return future.result()
    except KeyboardInterrupt:
        if future.done():
            raise
        cancelled.set()
    try:
        session.err("^C received; cancelling. Press it again to end at once, which may leave pending operations.")
        return future.result()
    except KeyboardInterrupt:
        prepared.journal.close()
        raise


def _is_dry(call: Call) -> bool:
    return call.verb == "preview" or call.on("preview-only")


def _switch(call: Call, env: Mapping[str, str], flag: str) -> bool:
    if flag in call.flags:
        return call.on(flag)
    return env.get(f"PULUMI_{flag.upper().replace('-', '_')}", "").lower() in {"1", "true"}


def _number(text: str) -> int:
    if not text.isdigit():
        raise InvalidInput(f"invalid argument {text!r} for --parallel: a whole number")
    return int(text) or 1
