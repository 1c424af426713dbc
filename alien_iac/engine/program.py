"""Runs the stack program: through the language server that the Automation API opened, or in a child Python."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import grpc
import yaml
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from alien_iac.engine import plugins, wire
from alien_iac.engine.model import Request
from alien_iac.errors import Unavailable

STOP_S = 10.0
"""How long a program has to end by itself once the update is over."""


@contextmanager
def served(request: Request, log: Callable[[str], None]) -> Iterator[str]:
    """The address of a language server for the program; a child is started if the request names none."""
    if request.client:
        yield request.client.removeprefix("tcp://")
        return
    command = [str(_python(request)), "-m", "alien_iac.host", str(request.main)]
    process = subprocess.Popen(
        command,
        env={**plugins.environment(request.env), "PYTHONPATH": _path(request)},
        cwd=request.main,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    with process:
        assert process.stdout  # noqa: S101 (it is a pipe; told to mypy)
        assert process.stderr  # noqa: S101 (it is a pipe; told to mypy)
        port = process.stdout.readline().strip()
        if not port.isdigit():
            process.kill()
            raise Unavailable(f"could not start {' '.join(command)}: {process.stderr.read().strip() or port}")
        readers = [_reader(stream, log) for stream in (process.stdout, process.stderr)]
        try:
            yield f"127.0.0.1:{port}"
        finally:
            _end(process)
            for reader in readers:
                reader.join()


@contextmanager
def running(request: Request, address: str, monitor: str) -> Iterator["grpc.Future[language_pb2.RunResponse]"]:
    """Let the language server run the program against the monitor. What is given is its answer to come."""
    run = language_pb2.RunRequest(
        project=request.project,
        stack=request.stack,
        organization=request.organization,
        pwd=str(request.main),
        args=[monitor],
        monitor_address=monitor,
        config=dict(request.config),
        configSecretKeys=sorted(request.secret_keys),
        dryRun=request.dry,
        parallel=max(1, min(request.parallel, 64)),
        info=language_pb2.ProgramInfo(
            root_directory=str(request.work_dir), program_directory=str(request.main), entry_point="."
        ),
    )
    with grpc.insecure_channel(address, wire.OPTIONS) as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel).Run.future(run)


def _python(request: Request) -> Path:
    """The interpreter of the virtual environment that `Pulumi.yaml` names, or else the one that runs this."""
    file = request.work_dir / "Pulumi.yaml"
    runtime = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("runtime") if file.is_file() else None
    options = (runtime.get("options") or {}) if isinstance(runtime, dict) else {}
    folder = options.get("virtualenv")
    return request.work_dir / folder / "bin" / "python" if folder else Path(sys.executable)


def _path(request: Request) -> str:
    """Where the child finds this package, before what the environment says."""
    own = str(Path(__file__).parents[2])
    return ":".join(filter(None, (own, plugins.environment(request.env).get("PYTHONPATH"))))


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _reader(stream: IO[str], log: Callable[[str], None]) -> threading.Thread:
    def read() -> None:
        for line in stream:
            log(line.rstrip("\n"))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
