"""A Function under the host of Azure Functions: its triggers, in the second programming model for Python.

`function_app.py` in the package calls `function_app` when the host asks which functions there are. Handlers run on the
host's own event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import azure.functions as func
import httpx

from alien_iac.errors import InvalidInput, Unavailable
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.protocol import azure_functions, environment
from alien_iac.protocol.bindings import ServiceBusQueue
from alien_iac.runtime import drain, links, logs, settings, triggers, workload
from alien_iac.runtime.asgi import Served
from alien_iac.runtime.azure import notices, timers
from alien_iac.runtime.azure.callers import admission
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.doors import Doors, app
from alien_iac.runtime.events import Event, Instant, Message
from alien_iac.runtime.http import async_client
from alien_iac.runtime.redelivery import ATTEMPTS
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.payloads import received
from alien_iac.runtime.work import Trace
from alien_iac.runtime.workload import Workload

LIMIT_SECONDS = 1800.0
"""The host's own, where the Function has no timeout."""
EVERY_MINUTE = "0 * * * * *"


class Triggers:
    """What the host's functions do."""

    def __init__(self, mine: Workload, environ: Mapping[str, str]) -> None:
        self._mine = mine
        self._limit = mine.settings.timeout_seconds or LIMIT_SECONDS
        doors = Doors(mine.answers(cache(async_client)), mine.vitals, admission(environ), mine.clock)
        self._served = Served(app(doors.routes(self._limit), mine.asgi))
        self._starting: asyncio.Task[None] | None = None

    async def web(self, request: func.HttpRequest) -> func.HttpResponse:
        """A request of HTTP: ours, or the vendor's app's."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._served.start())
        await asyncio.shield(self._starting)
        asked = httpx.Request(request.method, request.url, headers=dict(request.headers), content=request.get_body())
        answer = await self._served.answer(asked, client="")
        response = func.HttpResponse(answer.body, status_code=answer.status)
        for name, value in answer.headers.multi_items():
            response.headers.add_header(name, value)
        return response

    async def message(self, queue: str, message: func.ServiceBusMessage) -> None:
        """One message of a queue; raising gives it back."""
        event = Message(
            queue=queue,
            number=message.message_id,
            payload=received(message.get_body(), message.content_type),
            attempt=_attempt(message),
            trace=_trace(message),
        )
        await self._deliver(event)

    async def created(self, storage: str, message: func.ServiceBusMessage) -> None:
        """A notice of a new object."""
        await self._deliver(notices.created(storage, message.get_body(), _attempt(message)))

    async def schedule(self, trigger: ScheduleTrigger, status: object, attempt: int) -> None:
        """A timer has woken: run what is due since it did before, as the host's `status` of it says."""
        last = timers.last_of(status)
        for instant in timers.due(trigger, last, self._mine.clock.now()):
            await self._deliver(Instant(trigger=trigger, at=instant, attempt=attempt, is_kept=False))

    async def drain(self) -> None:
        """Answer the commands that wait at the control plane."""
        await drain.drain(self._mine, self._ends())

    async def _deliver(self, event: Event) -> None:
        """Raises Unavailable where it is to come again. Service Bus gives it again at once, so it rests before that."""
        ends = self._ends()
        verdict = await self._mine.deliveries.deliver(replace(event, ends=ends))
        if verdict.is_final:
            return
        if not isinstance(event, Instant):
            rest = ends - self._mine.clock.now()
            await self._mine.clock.sleep(max(0.0, min(verdict.seconds, rest.total_seconds() / 2)))
        raise Unavailable("a handler failed; the log says which", hint="the event comes again")

    def _ends(self) -> datetime:
        return self._mine.clock.now() + timedelta(seconds=self._limit)


def function_app(folder: Path, environ: Mapping[str, str] = os.environ) -> func.FunctionApp:
    """The folder's Function, as the host indexes it. What is wrong with it ends the host's start, with its cause."""
    logs.configure()
    mine = workload.load(folder, settings.read(environ), SystemClock())
    theirs, made = Triggers(mine, environ), func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    _add_web(made, theirs)
    for queue in triggers.queues(mine.settings):
        _add_queue(made, theirs, queue)
    created = notices.queues(environ)
    for storage in triggers.storages(mine.settings):
        if storage not in created:
            raise InvalidInput(f'{azure_functions.CREATED_QUEUES} names no queue of the storage "{storage}"')
        _add_created(made, theirs, storage, created[storage])
    for number, trigger in enumerate(triggers.schedules(mine.settings)):
        _add_timer(made, theirs, number, trigger)
    if environ.get(environment.COMMANDS_URL):
        _add_drain(made, theirs)
    return made


def _add_web(made: func.FunctionApp, theirs: Triggers) -> None:
    @made.function_name("http")
    @made.route("/{*path}", methods=list(func.HttpMethod), auth_level=func.AuthLevel.ANONYMOUS)
    async def http(req: func.HttpRequest) -> func.HttpResponse:
        return await theirs.web(req)


def _add_queue(made: func.FunctionApp, theirs: Triggers, queue: str) -> None:
    name = parse(ServiceBusQueue, links.binding(queue), queue).queue_name

    @made.function_name(f"queue-{queue}")
    @made.service_bus_queue_trigger("message", connection=azure_functions.BUS, queue_name=name)
    async def take(message: func.ServiceBusMessage) -> None:
        await theirs.message(queue, message)


def _add_created(made: func.FunctionApp, theirs: Triggers, storage: str, name: str) -> None:
    @made.function_name(f"created-{storage}")
    @made.service_bus_queue_trigger("message", connection=azure_functions.BUS, queue_name=name)
    async def take(message: func.ServiceBusMessage) -> None:
        await theirs.created(storage, message)


def _add_timer(made: func.FunctionApp, theirs: Triggers, number: int, trigger: ScheduleTrigger) -> None:
    @made.function_name(f"schedule-{number}")
    @made.timer_trigger("timer", schedule=f"%{azure_functions.timer_name(number)}%", use_monitor=True)
    @made.retry(
        strategy="exponential_backoff",
        max_retry_count=str(ATTEMPTS - 1),
        minimum_interval="00:00:01",
        maximum_interval="00:01:00",
    )
    async def wake(timer: func.TimerRequest, context: func.Context) -> None:
        # Neither is promised by the types: the first is there in fact, and the second not on a first try.
        status, tried = getattr(timer, "schedule_status", None), getattr(context.retry_context, "retry_count", 0)
        await theirs.schedule(trigger, status, tried + 1)


def _add_drain(made: func.FunctionApp, theirs: Triggers) -> None:
    @made.function_name("drain")
    @made.timer_trigger("timer", schedule=EVERY_MINUTE, use_monitor=False)
    async def wake(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by this name
        await theirs.drain()


def _attempt(message: func.ServiceBusMessage) -> int:
    """The host counts this delivery too."""
    return max(message.delivery_count or 1, 1)


def _trace(message: func.ServiceBusMessage) -> Trace | None:
    told = message.application_properties or {}
    parent, state = told.get("traceparent"), told.get("tracestate")
    return Trace(str(parent), str(state) if state else None) if parent else None
