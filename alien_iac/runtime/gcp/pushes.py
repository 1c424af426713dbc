"""What Pub/Sub and Cloud Scheduler send to a Function, as events; and what they are answered.

2xx acknowledges. After anything else it comes again, as the subscription's or the job's own policy says, which also
ends it as a dead letter.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.protocol import cloud_run
from alien_iac.protocol.wire import Open
from alien_iac.runtime import drain, triggers
from alien_iac.runtime.doors import BODY_LIMIT, Admission
from alien_iac.runtime.events import Created, Event, Instant, Message
from alien_iac.runtime.http import body_of
from alien_iac.runtime.problems import parsed
from alien_iac.runtime.stores.payloads import CONTENT_TYPE, received
from alien_iac.runtime.work import Trace
from alien_iac.runtime.workload import Workload

FINALIZED = "OBJECT_FINALIZE"
_INSTANT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)
Translation = Callable[[Request, datetime], Awaitable[Event]]


class PubsubMessage(Open):
    """A message as Pub/Sub pushes it; `data` in base64."""

    message_id: str
    data: str = ""
    attributes: dict[str, str] = {}


class Push(Open):
    """What Pub/Sub posts."""

    message: PubsubMessage
    delivery_attempt: int = Field(default=1, ge=1)
    """Counted where the subscription has dead letters."""


class Pushes:
    """The requests that start handlers."""

    def __init__(self, mine: Workload, admission: Admission) -> None:
        self._mine = mine
        self._admission = admission

    def routes(self, limit_seconds: float) -> list[Route]:
        """All of them. `limit_seconds`: after so long Cloud Run cuts a request off."""

        def taking(translate: Translation) -> Callable[[Request], Awaitable[Response]]:
            async def take(request: Request) -> Response:
                await self._admission.admit(request)
                event = await translate(request, self._mine.clock.now() + timedelta(seconds=limit_seconds))
                return await self._deliver(event)

            return take

        async def drained(request: Request) -> Response:
            await self._admission.admit(request)
            await drain.drain(self._mine, self._mine.clock.now() + timedelta(seconds=limit_seconds))
            return Response(status_code=HTTPStatus.NO_CONTENT)

        return [
            Route(cloud_run.queue_path("{id}"), taking(self._message), methods=["POST"]),
            Route(cloud_run.created_path("{id}"), taking(self._created), methods=["POST"]),
            Route(cloud_run.SCHEDULES_PATH, taking(self._instant), methods=["POST"]),
            Route(cloud_run.DRAIN_PATH, drained, methods=["POST"]),
        ]

    async def _deliver(self, event: Event) -> Response:
        verdict = await self._mine.deliveries.deliver(event)
        if verdict.is_final:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        told = {"code": "AGAIN", "message": "a handler failed; the log says which"}
        return JSONResponse(told, status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _message(self, request: Request, ends: datetime) -> Message:
        push = await _push(request)
        queue = _known(request, triggers.queues(self._mine.settings), "queue")
        attributes = push.message.attributes
        return Message(
            queue=queue,
            number=push.message.message_id,
            payload=received(_data(push.message), attributes.get(CONTENT_TYPE)),
            attempt=push.delivery_attempt,
            ends=ends,
            trace=_trace(attributes),
        )

    async def _created(self, request: Request, ends: datetime) -> Created:
        push = await _push(request)
        storage = _known(request, triggers.storages(self._mine.settings), "storage")
        told = push.message.attributes
        if told.get("eventType") != FINALIZED or not told.get("objectId"):
            raise InvalidInput(f"the message is no notice of a new object: {FINALIZED} with an objectId")
        return Created(
            storage=storage,
            key=told["objectId"],
            version=told.get("objectGeneration", push.message.message_id),
            attempt=push.delivery_attempt,
            ends=ends,
        )

    async def _instant(self, request: Request, ends: datetime) -> Instant:
        asked = parsed(ScheduleTrigger, await body_of(request, BODY_LIMIT))
        trigger = triggers.schedule(self._mine.settings, asked.cron, asked.timezone)
        try:
            at = _INSTANT.validate_python(request.headers.get(cloud_run.SCHEDULE_TIME))
        except ValidationError:
            raise InvalidInput(f"the header {cloud_run.SCHEDULE_TIME} says no instant") from None
        return Instant(trigger=trigger, at=at, ends=ends)


async def _push(request: Request) -> Push:
    return parsed(Push, await body_of(request, BODY_LIMIT))


def _known(request: Request, ids: tuple[str, ...], kind: str) -> str:
    found: str = request.path_params["id"]
    if found not in ids:
        raise NotFound(f'no {kind} "{found}" starts this Function')
    return found


def _data(message: PubsubMessage) -> bytes:
    try:
        return base64.b64decode(message.data, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("the message's data is not base64") from None


def _trace(attributes: dict[str, str]) -> Trace | None:
    """As a sender has set it; Pub/Sub's own libraries put `googclient_` before it."""
    for prefix in ("", "googclient_"):
        if parent := attributes.get(f"{prefix}traceparent"):
            return Trace(parent, attributes.get(f"{prefix}tracestate"))
    return None
