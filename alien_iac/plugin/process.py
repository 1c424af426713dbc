"""`alien:local:Process`: a command that the deployment's supervisor keeps running, with its port, code and log."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field

from alien_iac.errors import Unavailable
from alien_iac.plugin import definition, environ, failures, files, keeper, lock, logs, ports, ready, unpack
from alien_iac.plugin.definition import Definition
from alien_iac.plugin.kind import Call, Failure, Kind, Live, NotReady, within
from alien_iac.plugin.queue import ensure_token
from alien_iac.plugin.ready import Health, State
from alien_iac.plugin.supervisor import Supervisor
from alien_iac.protocol import local
from alien_iac.protocol.wire import Wire

LOG_LINES = 15
READY_S = 30.0
SPARE_S = 15
"""How much longer than its own time a stop may take until the supervisor has seen it."""


class ProcessInputs(Wire):
    """A process. `name` is the workload's id."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)
    command: tuple[str, ...] = Field(min_length=1)
    """`{code}` in it is the folder of the unpacked code, `{port:<id>}` a workload's port."""
    code: str | None = None
    """A folder, or a zip that is unpacked. The process starts in it, and imports from it and its `.python`."""
    code_hash: str | None = None
    """The zip's SHA-256 in hex."""
    env: dict[str, str] = {}
    """`{port:<id>}` and `{file:<path>}` in a value are filled in when the process starts."""
    needs_port: bool = False
    """Whether it listens; the number comes in PORT."""
    listen: int | None = Field(default=None, ge=1, le=65_535)
    """That number, instead of one that is picked."""
    health: Health = Health()
    ready_seconds: int = Field(default=int(READY_S), ge=1, le=3_600)
    stop_seconds: int = Field(default=10, ge=0, le=3_600)
    """From SIGTERM to SIGKILL."""
    token_file: str | None = None
    """Made with a random token where there is none."""
    volumes: dict[str, str] = {}
    """Mount path to folder."""
    single: bool = False
    """Never two copies, not even while it is replaced."""
    release: str = ""
    log_max_bytes: int = Field(default=5 * 1024 * 1024, ge=1_024)


class ProcessKind(Kind[ProcessInputs]):
    """Its id is the workload's. Its files are in the workload's folder; all of them go with it."""

    token = local.PROCESS
    about = "A process that is kept running, restarted when it ends, until it is deleted."
    model = ProcessInputs
    replaces = frozenset({"name"})
    computed = {"port": "integer", "url": "string", "pid": "integer", "status": "string"}

    def upgraded(self, plain: Mapping[str, Any]) -> Mapping[str, Any]:
        """`needsPort` was `port` once, as the output is: a boolean under that name is the input of then."""
        if not isinstance(plain.get("port"), bool):
            return plain
        rest = {key: value for key, value in plain.items() if key != "port"}
        return {"needsPort": plain["port"], **rest}

    def check(self, inputs: ProcessInputs, call: Call) -> Iterator[Failure]:
        listens = inputs.needs_port or inputs.listen is not None
        if inputs.health.kind != "none" and not listens:
            yield Failure("health", f"{inputs.health.kind!r} needs a port: set `needsPort` or `listen`")
        if inputs.code is not None and not Path(inputs.code).is_absolute():
            yield Failure("code", f"{inputs.code!r} is not an absolute path")
        for number, part in enumerate(inputs.command):
            if "{file:" in part:
                yield Failure(f"command[{number}]", "a file's content has no place in a command line; use `env`")
            if environ.CODE_MARK in part and inputs.code is None:
                yield Failure(f"command[{number}]", f"{environ.CODE_MARK!r} needs `code`")
        if inputs.token_file is not None:
            yield from within(call, tokenFile=inputs.token_file)
        for mount, folder in inputs.volumes.items():
            yield from (Failure(f"volumes.{mount}", one.reason) for one in within(call, folder=folder))

    def delete_first(self, old: ProcessInputs) -> bool:
        return old.single or bool(old.volumes) or old.listen is not None

    def create(self, inputs: ProcessInputs, call: Call) -> Live:
        return self._run(inputs, call, before=definition.read(call.root, inputs.name))

    def update(self, old: ProcessInputs, new: ProcessInputs, call: Call) -> Live:
        del old  # what is defined counts, and it may be newer than what the engine knows
        return self._run(new, call, before=definition.read(call.root, new.name))

    def read(self, identity: str, inputs: ProcessInputs | None, call: Call) -> Live | None:
        found = definition.read(call.root, identity)
        if found is None:
            return None
        supervisor = Supervisor(call.root)
        supervisor.reconcile()
        return Live(identity, _outputs(found, call, supervisor), None if inputs else self.upgraded(found.inputs))

    def delete(self, inputs: ProcessInputs, call: Call) -> None:
        supervisor, layout = Supervisor(call.root), call.layout
        folder = layout.workload(inputs.name)
        if not supervisor.folder.exists() and not folder.exists():
            return
        with lock.held(supervisor.folder):
            definition.path(call.root, inputs.name).unlink(missing_ok=True)
        with suppress(Unavailable):  # `reconcile` stops it otherwise
            supervisor.stop(inputs.name, inputs.stop_seconds + SPARE_S)
        supervisor.reconcile()
        keeper.settle(folder, inputs.stop_seconds)
        with lock.held(supervisor.folder):
            files.remove(folder, call.root)
            ledger = ports.Ledger(layout.ports)
            ledger.release(inputs.name)
            if not definition.ids(call.root):
                layout.ports.unlink(missing_ok=True)
        supervisor.reconcile()

    def _run(self, inputs: ProcessInputs, call: Call, before: Definition | None) -> Live:
        """Let it run as the inputs say, in place of what ran before, and wait until it is ready."""
        supervisor = Supervisor(call.root)
        with lock.held(supervisor.folder):
            now = _define(inputs, call)
            definition.write(call.root, now)
        if before is not None:
            with suppress(Unavailable):  # `reconcile` stops it otherwise
                supervisor.stop(inputs.name, before.stop_seconds + SPARE_S)
        failures.path(call.layout.workload(inputs.name)).unlink(missing_ok=True)
        supervisor.reconcile()
        reason = ready.wait(
            lambda: _state(supervisor, inputs.name, call),
            ready.prober(inputs.health, now.port),
            timeout_s=call.timeout_s or inputs.ready_seconds,
            cancelled=call.cancelled.wait,
        )
        live = Live(inputs.name, _outputs(now, call, supervisor))
        if reason:
            raise NotReady(_explained(inputs.name, reason, call.root), live)
        unpack.prune(
            _code_folder(inputs.name, call), {Path(one.code).name for one in (before, now) if one and one.code}
        )
        return live


def _define(inputs: ProcessInputs, call: Call) -> Definition:
    """The process's definition, with all that it needs on the disk."""
    folder = call.layout.workload(inputs.name)
    for place in (folder / "state", folder / "log", folder / "tmp", *map(Path, inputs.volumes.values())):
        files.folder(place)
    if inputs.token_file:
        ensure_token(Path(inputs.token_file))
    ledger = ports.Ledger(call.layout.ports)
    for other in environ.mentioned(inputs.env.values()) | environ.mentioned(inputs.command):
        ledger.allocate(other)
    code = _code(inputs, call)
    return Definition(
        id=inputs.name,
        command=tuple(part.replace(environ.CODE_MARK, code or "") for part in inputs.command),
        folder=code or str(folder / "state"),
        code=code,
        env=inputs.env,
        volumes=inputs.volumes,
        port=ledger.allocate(inputs.name, inputs.listen) if inputs.needs_port or inputs.listen else None,
        stop_seconds=inputs.stop_seconds,
        log_max_bytes=inputs.log_max_bytes,
        inputs=inputs.model_dump(mode="json", by_alias=True, exclude_unset=True),
    )


def _code(inputs: ProcessInputs, call: Call) -> str | None:
    if inputs.code is None or Path(inputs.code).is_dir():
        return inputs.code
    return str(unpack.unpack(Path(inputs.code), _code_folder(inputs.name, call), inputs.code_hash))


def _code_folder(workload_id: str, call: Call) -> Path:
    return call.layout.workload(workload_id) / "code"


def _state(supervisor: Supervisor, workload_id: str, call: Call) -> State | None:
    """The process's state. A supervisor that was killed meanwhile is started again."""
    folder, found = call.layout.workload(workload_id), None
    with suppress(Unavailable):  # it has just been killed
        found = supervisor.state(workload_id)
    if found is None:
        supervisor.reconcile()
        return None
    failed = failures.read(folder)
    if found.status == "starting" or (found.status == "running" and not keeper.running(folder)):
        return State("failing" if failed.count else "starting", failed.count, failed.status)
    return State(found.status, failed.count, failed.status)


def _outputs(found: Definition, call: Call, supervisor: Supervisor) -> dict[str, Any]:
    state = _state(supervisor, found.id, call)
    where = {"port": found.port, "url": f"http://{ports.HOST}:{found.port}"} if found.port else {}
    pid = keeper.running(call.layout.workload(found.id))
    return {**where, "pid": pid, "status": state.status if state else "starting"}


def _explained(workload_id: str, reason: str, root: Path) -> str:
    # What it printed may hold anything, and this text goes into the state and to the vendor: so the place alone, and
    # what its keeper said.
    lines = logs.tail(root, workload_id, LOG_LINES)
    ours = [line for line in dict.fromkeys(lines) if line.startswith(keeper.SAYS) and "next start" not in line]
    place = logs.place(root, workload_id)
    told = [*ours, f"what it said is in {place}" if lines else "its log is empty"]
    return "\n  ".join([f"process {workload_id!r} was started, but {reason}", *told])
