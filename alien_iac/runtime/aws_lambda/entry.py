"""What Lambda calls with each event: translated here, decided elsewhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pydantic_core

from alien_iac.errors import InvalidInput, Unavailable
from alien_iac.protocol import aws_lambda
from alien_iac.protocol.bindings import S3Storage, SqsQueue
from alien_iac.runtime import drain, events, links, logs, settings, triggers, workload
from alien_iac.runtime.answers import Answers
from alien_iac.runtime.asgi import Served
from alien_iac.runtime.aws_lambda import shapes, web
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.http import async_client
from alien_iac.runtime.redelivery import Verdict
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.payloads import CONTENT_TYPE, received
from alien_iac.runtime.telemetry.process import FLUSH_SECONDS, Telemetry, begin
from alien_iac.runtime.work import Trace
from alien_iac.runtime.workload import Workload

ROOT = "LAMBDA_TASK_ROOT"
"""Where Lambda has laid the code."""
TRACE_PARENT, TRACE_STATE = "traceparent", "tracestate"


class Context(Protocol):
    """Of what Lambda tells with an event, what is read."""

    def get_remaining_time_in_millis(self) -> int: ...


class Handler:
    """One Function, on one event loop that stands still between events."""

    def __init__(self, mine: Workload, telemetry: Telemetry | None = None) -> None:
        self._mine = mine
        self._telemetry = telemetry
        self._loop = asyncio.Runner()
        self._answers: Answers = mine.answers(cache(async_client), aws_lambda.RESULT_LIMIT)
        self._served = Served(mine.asgi) if mine.asgi else None
        self._queues = {_queue_of(each): each for each in triggers.queues(mine.settings)}
        self._buckets = {_bucket_of(each): each for each in triggers.storages(mine.settings)}
        if self._served:
            self._loop.run(self._served.start())

    def __call__(self, event: Any, context: Context) -> Any:
        """Lambda's answer to an event. InvalidInput for one that starts nothing, Unavailable to have it again."""
        left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        try:
            return self._loop.run(self._answer(event, self._mine.clock.now() + left))
        finally:
            if self._telemetry:  # the process may be frozen as soon as it has answered
                seconds = context.get_remaining_time_in_millis() / 2000
                self._telemetry.flush(min(seconds, FLUSH_SECONDS))

    def close(self) -> None:
        """End the app and the loop. Lambda itself does not ask for it."""
        if self._served:
            self._loop.run(self._served.stop())
        self._loop.close()
        if self._telemetry:
            self._telemetry.end()

    async def _answer(self, event: Any, ends: datetime) -> Any:
        translations: dict[shapes.Kind, Callable[[Any, datetime], Awaitable[Any]]] = {
            "web": self._web,
            "messages": self._messages,
            "created": self._created,
            "schedule": self._schedule,
            "command": self._command,
            "invoke": self._call,
            "health": self._health,
            "drain": self._drain,
        }
        return await translations[shapes.kind_of(event)](event, ends)

    async def _web(self, event: Any, ends: datetime) -> dict[str, Any]:
        deadline = self._mine.deliveries.deadline(ends) or ends
        seconds = (deadline - self._mine.clock.now()).total_seconds()
        return await web.serve(self._served, shapes.read(shapes.WebRequest, event), seconds)

    async def _messages(self, event: Any, ends: datetime) -> dict[str, object]:
        """The messages that are to come again; SQS drops the others. It counts, and ends them as dead letters."""
        made = [self._message(record, ends) for record in shapes.read(shapes.Batch, event).records]
        verdicts = await asyncio.gather(*(self._mine.deliveries.deliver(message) for message in made))
        failed = [message.number for message, verdict in zip(made, verdicts, strict=True) if not verdict.is_final]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def _message(self, record: shapes.Record, ends: datetime) -> events.Message:
        queue = self._queues.get(record.queue)
        if queue is None:
            raise InvalidInput(f'the queue "{record.queue[1]}" does not start this Function')
        return events.Message(
            queue=queue,
            number=record.message_id,
            payload=received(record.body.encode(), record.attribute(CONTENT_TYPE)),
            attempt=record.attributes.receives,
            ends=ends,
            trace=_trace(record.attribute(TRACE_PARENT), record.attribute(TRACE_STATE)),
        )

    async def _created(self, event: Any, ends: datetime) -> None:
        detail = shapes.read(shapes.ObjectCreated, event).detail
        storage = self._buckets.get(detail.bucket.name)
        if storage is None:
            raise InvalidInput(f'the bucket "{detail.bucket.name}" does not start this Function')
        found = detail.object
        created = events.Created(storage=storage, key=found.key, version=found.version, ends=ends)
        _done(await self._mine.deliveries.deliver(created))

    async def _schedule(self, event: Any, ends: datetime) -> None:
        told = shapes.read(aws_lambda.Schedule, event[aws_lambda.KEY])
        trigger = triggers.schedule(self._mine.settings, told.cron, told.timezone)
        instant = events.Instant(trigger=trigger, at=told.scheduled_time, ends=ends)
        _done(await self._mine.deliveries.deliver(instant))

    async def _command(self, event: Any, ends: datetime) -> dict[str, object]:
        return (await self._answers.command(pydantic_core.to_json(event), ends)).dump()

    async def _call(self, event: Any, ends: datetime) -> dict[str, object]:
        call = shapes.read(aws_lambda.Call, event[aws_lambda.KEY])
        body = pydantic_core.to_json(call.dump())
        called = await self._answers.call(body, ends, _trace(call.traceparent, call.tracestate))
        return aws_lambda.Answer(status=called.status, body=pydantic_core.from_json(called.body)).dump()

    async def _health(self, _event: Any, _ends: datetime) -> dict[str, object]:
        return (await self._mine.vitals.examine()).dump()

    async def _drain(self, _event: Any, ends: datetime) -> None:
        await drain.drain(self._mine, ends)


def start(environ: Mapping[str, str] = os.environ) -> Handler:
    """The Function whose code Lambda has laid down. What is wrong with it ends the process's start, with its cause."""
    logs.configure()
    folder = Path(environ.get(ROOT) or Path.cwd())
    mine = workload.load(folder, settings.read(environ), SystemClock())
    return Handler(mine, begin(environ, in_background=False))


def _queue_of(resource_id: str) -> tuple[str, str]:
    """The account and the name of a queue that the Function is linked to."""
    *_, account, name = parse(SqsQueue, links.binding(resource_id), resource_id).queue_url.split("/")
    return account, name


def _bucket_of(resource_id: str) -> str:
    return parse(S3Storage, links.binding(resource_id), resource_id).bucket_name


def _trace(parent: str | None, state: str | None) -> Trace | None:
    return Trace(parent, state) if parent else None


def _done(verdict: Verdict) -> None:
    """Raises Unavailable where the event is to come again: Lambda tries twice more, and then keeps it as a failure."""
    if not verdict.is_final:
        raise Unavailable("a handler failed; the log says which", hint="Lambda delivers the event again")
