"""The broker's HTTP side: `POST /queues/<name>` in the `local-queue-http` protocol, and `GET /health`."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

import pydantic
import pydantic_core
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.errors import AlienError, Conflict, InvalidInput, NotFound, Unauthorized, Unavailable
from alien_iac.protocol import queue_http as wire
from alien_iac.runtime.broker.file import QueueFile, Taken
from alien_iac.runtime.ending import first
from alien_iac.runtime.http import body_of
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.problems import problems
from alien_iac.runtime.stores.queue import MESSAGE_LIMIT
from alien_iac.runtime.work import Payload

BODY_LIMIT = 8 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_LOOK_AGAIN_SECONDS = 1.0
"""The longest that a waiting receive goes without looking: the file may have changed under it."""

Gone = Callable[[], Awaitable[bool]]


class Broker:
    """The queues of one folder. `ended` cuts every wait short."""

    def __init__(self, folder: Path, ended: asyncio.Event, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._ended = ended
        self._clock = clock
        self._open: dict[str, tuple[tuple[int, int], QueueFile]] = {}
        self._arrivals: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def close(self) -> None:
        for _, file in self._open.values():
            file.close()
        self._open.clear()

    def file(self, name: str) -> QueueFile:
        """The queue of that name. NotFound where the folder has none; opened anew where its file was made anew."""
        path = self._folder / f"{name}.sqlite"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound(f'there is no queue "{name}"')
        found = path.stat()
        identity = (found.st_dev, found.st_ino)
        known = self._open.get(name)
        if known and known[0] == identity:
            return known[1]
        if known:
            known[1].close()
        try:
            self._open[name] = (identity, QueueFile(path, self._clock))
        except sqlite3.Error as error:
            raise Unavailable(f'queue "{name}": its file cannot be opened') from error
        return self._open[name][1]

    async def do(self, name: str, operation: wire.Operation, gone: Gone) -> object:
        """The JSON-ready answer to one operation. `gone` says whether the caller still waits for it."""
        file = self.file(name)
        match operation:
            case wire.Send():
                await asyncio.to_thread(file.send, [_payload(operation.message)])
                self._arrived(name)
            case wire.SendBatch():
                return await self._send_batch(name, file, operation)
            case wire.Receive():
                return await self._receive(name, file, operation, gone)
            case wire.Ack():
                await asyncio.to_thread(file.ack, operation.receipt)
            case wire.AckBatch():
                return await asyncio.to_thread(_ack_batch, file, operation)
            case wire.Nack():
                await asyncio.to_thread(file.nack, operation.receipt)
                self._arrived(name)
            case wire.Renew():
                await asyncio.to_thread(file.renew, operation.receipt, operation.duration_seconds)
            case wire.Purge():
                await asyncio.to_thread(file.purge)
        return None

    async def _send_batch(self, name: str, file: QueueFile, operation: wire.SendBatch) -> object:
        good, results = [], []
        for message in operation.messages:
            try:
                good.append(_payload(message))
                results.append(wire.BatchResult(status="sent"))
            except InvalidInput as error:
                results.append(wire.BatchResult(status="rejected", code=error.code, message=error.message))
        await asyncio.to_thread(file.send, good)
        self._arrived(name)
        return [result.dump() for result in results]

    async def _receive(self, name: str, file: QueueFile, operation: wire.Receive, gone: Gone) -> object:
        end = time.monotonic() + operation.wait_seconds
        while not await gone():
            arrival = self._arrivals[name]
            taken = await asyncio.to_thread(file.receive, operation.max_messages)
            rest = end - time.monotonic()
            if taken or rest <= 0 or self._ended.is_set():
                return [_received(one) for one in taken]
            hidden = await asyncio.to_thread(file.next_visible_in)
            pause = min(rest, _LOOK_AGAIN_SECONDS, _LOOK_AGAIN_SECONDS if hidden is None else hidden + 0.005)
            await _arrival(arrival, self._ended, pause)
        return []

    def _arrived(self, name: str) -> None:
        """Wake every receive that waits on the queue."""
        self._arrivals.pop(name, asyncio.Event()).set()


def app(broker: Broker) -> Starlette:
    """The ASGI app around a broker."""

    async def queue(request: Request) -> Response:
        name: str = request.path_params["name"]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not await asyncio.to_thread(broker.file(name).admits, token):
            raise Unauthorized(f'the token is not that of the queue "{name}"')
        operation = _operation(await body_of(request, BODY_LIMIT))
        return JSONResponse(await broker.do(name, operation, request.is_disconnected))

    async def health(_: Request) -> Response:
        return JSONResponse({"health": "healthy"})

    routes = [Route("/queues/{name}", queue, methods=["POST"]), Route("/health", health)]
    return Starlette(routes=routes, exception_handlers={AlienError: _refused})


def _operation(body: bytes) -> wire.Operation:
    try:
        return wire.OPERATION.validate_json(body)
    except pydantic.ValidationError as error:
        raise InvalidInput(f"the request is no operation of a queue: {problems(error)}") from None


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, AlienError):
        raise error
    LOGGER.warning(line("refused", code=error.code, why=error.message))
    body = {"code": error.code, "message": error.message, "retryable": error.retryable, "internal": False}
    return JSONResponse(body | {"httpStatusCode": error.http_status}, status_code=error.http_status)


def _payload(message: wire.Message) -> Payload:
    is_json = isinstance(message, wire.JsonMessage)
    text = pydantic_core.to_json(message.data, inf_nan_mode="null").decode() if is_json else str(message.data)
    size = len(text.encode())
    if size > MESSAGE_LIMIT:
        raise InvalidInput(f"the message has {size} bytes; {MESSAGE_LIMIT} fit")
    return Payload(text, is_json, message.traceparent)


def _received(taken: Taken) -> dict[str, object]:
    text = taken.payload.text
    payload: wire.Message = (
        wire.JsonMessage(data=pydantic_core.from_json(text)) if taken.payload.is_json else wire.TextMessage(data=text)
    )
    payload = payload.model_copy(update={"traceparent": taken.payload.trace})
    received = wire.Received(
        payload=payload, receipt_handle=taken.receipt, attempt=taken.attempt, message_id=str(taken.id)
    )
    told = received.model_dump(mode="json", by_alias=True)  # whole: the message may be null
    if taken.payload.trace is None:
        del told["payload"]["traceparent"]
    return told


def _ack_batch(file: QueueFile, operation: wire.AckBatch) -> object:
    results = []
    for receipt in operation.receipts:
        try:
            file.ack(receipt)
            results.append(wire.BatchResult(status="acknowledged"))
        except Conflict as error:
            results.append(wire.BatchResult(status="failed", code=error.code, message=error.message))
    return [result.dump() for result in results]


async def _arrival(arrival: asyncio.Event, ended: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.ensure_future(arrival.wait())
    try:
        await first([waiting], ended, seconds)
    finally:
        waiting.cancel()
