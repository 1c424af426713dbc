"""A gRPC server for doubles of Google's services, from the messages that Google's own libraries publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from runtime.google_doubles import TOKEN
from runtime.loopback import Certificate


class Refusal(Exception):
    """An answer with an error."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Rpc:
    """One method: what it takes and gives. `answer` gets the call too, and gives several answers if it streams."""

    takes: Any
    gives: Any
    answer: Callable[[Any, grpc.ServicerContext], Any]
    streams: bool = False


@contextmanager
def serve(services: Mapping[str, Mapping[str, Rpc]], certificate: Certificate) -> Iterator[int]:
    """Services by their full names, their methods by name. Yields the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=32))
    for service, methods in services.items():
        handlers = {name: _handler(rpc) for name, rpc in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    pair = (certificate.key.read_bytes(), certificate.chain.read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait(5)


def _handler(rpc: Rpc) -> grpc.RpcMethodHandler:
    def one(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            _authorised(context)
            return rpc.answer(request, context)
        except Refusal as refusal:
            context.abort(refusal.code, str(refusal))

    def several(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        try:
            _authorised(context)
            yield from rpc.answer(request, context)
        except Refusal as refusal:
            context.abort(refusal.code, str(refusal))

    serialise = Empty.SerializeToString if rpc.gives is Empty else rpc.gives.serialize
    if rpc.streams:
        return grpc.unary_stream_rpc_method_handler(several, rpc.takes.deserialize, serialise)
    return grpc.unary_unary_rpc_method_handler(one, rpc.takes.deserialize, serialise)


def _authorised(context: grpc.ServicerContext) -> None:
    told = dict(context.invocation_metadata())
    if told.get("authorization") != f"Bearer {TOKEN}":
        raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "there is no token, or a wrong one")
