"""The plugin's process: it prints its port, and serves until its engine ends it or is gone."""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from alien_iac.plugin.kind import Kind
from alien_iac.plugin.servicer import Servicer

WORKERS = 64
"""Calls at once: as many as an engine makes in parallel. Most of them only wait."""
GRACE_S = 30.0
"""How long calls in work have when the end has come. They know of it, and stop waiting."""
MESSAGE_BYTES = 400 * 1024 * 1024
PARENT_POLL_S = 0.5


def serve(kinds: Mapping[str, Kind[Any]], version: str, engine: int | None) -> None:
    """Serve on a free port of the loopback, which goes to stdout as the one line there.

    `engine`: the process id of the engine that started this one; None where it was started by hand.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    servicer = Servicer(kinds, version)
    server = grpc.server(
        ThreadPoolExecutor(WORKERS),
        options=[("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    _wait(ended, engine)
    servicer.Cancel(empty_pb2.Empty(), None)
    server.stop(GRACE_S).wait()


def _wait(ended: threading.Event, engine: int | None) -> None:
    """Until a signal says so, or the engine that started this process is gone: it may have been killed."""
    while not ended.wait(PARENT_POLL_S):
        if engine is not None and os.getppid() != engine:
            return
