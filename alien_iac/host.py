"""Serves the stack program of a folder to an engine: `python -m alien_iac.host FOLDER`, a process of its own.

It prints the port of its LanguageRuntime server on the first line of stdout, and ends on SIGTERM or when its stdin
closes, so that it never outlives whoever started it. It stands alone so that a program can be run by a process that has
neither credentials nor anything else of the engine.
"""

# gRPC names the methods and their arguments:
# ruff: noqa: N802, ARG002

import asyncio
import gc
import logging
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from concurrent import futures
from pathlib import Path
from types import FrameType
from typing import Any, cast

import grpc
from google.protobuf import empty_pb2
from pulumi import RunError, log
from pulumi.runtime import Settings, configure, reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2

from alien_iac.errors import NotFound

OPTIONS = (("grpc.max_receive_message_length", 400 * 1024 * 1024), ("grpc.so_reuseport", 0))


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The LanguageRuntime service for one program. One run at a time; modules that it imported stay for the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = threading.Lock()

    def About(
        self,
        request: language_pb2.AboutRequest,
        context: grpc.ServicerContext,
    ) -> language_pb2.AboutResponse:
        """Which Python this is."""
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def GetRequiredPackages(
        self,
        request: language_pb2.GetRequiredPackagesRequest,
        context: grpc.ServicerContext,
    ) -> language_pb2.GetRequiredPackagesResponse:
        """The SDKs say with each resource which plugin they need."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetPluginInfo(
        self,
        request: empty_pb2.Empty,
        context: grpc.ServicerContext,
    ) -> plugin_pb2.PluginInfo:
        """It has no version of its own."""
        return plugin_pb2.PluginInfo()

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run the program against a monitor, and say how it ended."""
        with self._running:
            return _run(request, self._folder)


class Told:
    """The engine's service, as the program is given it: messages for debugging stay here.

    The SDK sends seven of them for each resource, one call and one wait each; no engine of ours shows them.
    """

    def __init__(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address, options=OPTIONS))

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:
        """Hand a message on, unless it is for debugging."""
        if request.severity == engine_pb2.DEBUG:
            return empty_pb2.Empty()
        return cast("empty_pb2.Empty", self._engine.Log(request))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def _run(request: language_pb2.RunRequest, folder: Path) -> language_pb2.RunResponse:
    """Run the program as Pulumi's own host does. A raising program is reported with its traceback."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # tasks that a failed program leaves are of no interest
    reset_options()
    configure(
        Settings(
            project=request.project,
            stack=request.stack,
            organization=request.organization or "organization",
            monitor=request.monitor_address,
            engine=Told(request.args[0]) if request.args else None,
            parallel=request.parallel,
            dry_run=request.dryRun,
            root_directory=request.info.root_directory or str(folder),
        )
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    program = cast("Callable[[], Awaitable[None] | None]", lambda: _execute(folder))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with futures.ThreadPoolExecutor(max(request.parallel, 1) * 4) as pool:
            loop.set_default_executor(pool)
            loop.run_until_complete(run_in_stack(program))
    except RunError as error:
        log.error(str(error))
        return language_pb2.RunResponse(bail=True)
    except BaseException:  # noqa: BLE001 (whatever a program raises, also SystemExit, is its failure)
        log.error(f"Program failed with an unhandled exception:\n{_own_traceback(folder)}")
        return language_pb2.RunResponse(bail=True)
    finally:
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return language_pb2.RunResponse()


def _execute(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    sys.argv = [str(folder)]
    os.chdir(folder)
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def _own_traceback(folder: Path) -> str:
    """The traceback from the first frame of the program on."""
    kind, error, frames = sys.exc_info()
    while frames is not None and not frames.tb_frame.f_code.co_filename.startswith(str(folder)):
        frames = frames.tb_next
    return "".join(traceback.format_exception(kind, error, frames)).rstrip()


def _until_closed(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def main(folder: Path) -> None:
    """Serve the program of a folder until asked to end. Raises NotFound."""
    if not (folder / "__main__.py").is_file():
        raise NotFound(f"unable to find main python program `__main__.py` in `{folder}`")
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signal's)
        over.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(folder), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 (the one line that whoever started this waits for)
    threading.Thread(target=_until_closed, args=(over,), daemon=True).start()
    gc.set_threshold(100_000, 20, 100)  # a cloud's SDK is a million objects that stay: looking often takes a third
    over.wait()
    server.stop(0).wait()
    os._exit(0)  # a program that hangs must not keep the process


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).resolve())
    except NotFound as error:
        sys.exit(f"error: {error}")
