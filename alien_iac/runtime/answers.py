"""Commands and calls in, responses out: the same for a Function on any platform and a Container that leases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pydantic_core

from alien_iac.errors import Forbidden, Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.invocation import Invocation
from alien_iac.runtime.bodies import Bodies
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.handlers import Handler
from alien_iac.runtime.problems import parsed
from alien_iac.runtime.runner import STOPPED, Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.signatures import Rejected, to_json
from alien_iac.runtime.work import Done, Failed, Trace, Work

UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
RESULT_TOO_LARGE = "RESULT_TOO_LARGE"
MESSAGE_LIMIT = 1000
"""Characters of an error's message: longer ones do not fit every control plane's row."""
_STATUS = {UNKNOWN_COMMAND: 404}
"""Where a call of a linked workload is answered neither 200 nor 422."""


class Stopped(Exception):
    """The workload ends before the command has: whoever delivered it delivers it again."""


@dataclass(frozen=True)
class Called:
    """The answer to a call of a linked workload, in the words of HTTP. `body` is JSON."""

    status: int
    body: bytes


class Answers:
    """A Function's answers to who calls it, once they have been let in.

    `result_limit`: bytes of a result that the platform carries; None where it sets no limit that matters.
    """

    def __init__(
        self, deliveries: Deliveries, bodies: Bodies, settings: Settings, *, result_limit: int | None = None
    ) -> None:
        self._deliveries = deliveries
        self._bodies = bodies
        self._settings = settings
        self._limit = result_limit

    async def command(self, body: bytes, ends: datetime | None = None) -> arc.Response:
        """A command from the agent; a handler's failure is a response too.

        InvalidInput for what is no envelope, Forbidden for one that is for somebody else, Unavailable where it is to be
        delivered again.
        """
        envelope = parsed(arc.Envelope, body)
        mine = self._settings
        if (envelope.deployment_id, envelope.target.resource_id) != (mine.deployment_id, mine.resource_id):
            raise Forbidden(f'this is "{mine.resource_id}" of "{mine.deployment_id}"; the command is for another one')
        try:
            deadline = self._deliveries.deadline(ends)
            return await answer(envelope, self._deliveries.runner, self._bodies, deadline, limit=self._limit)
        except Stopped:
            raise Unavailable("the workload stops; deliver the command again") from None

    async def call(self, body: bytes, ends: datetime | None = None, trace: Trace | None = None) -> Called:
        """A call from a linked workload. InvalidInput for what is none, Unavailable where the workload stops."""
        asked = parsed(Invocation, body)
        try:
            work = Work(
                handler=command_handler(self._deliveries.runner, asked.command),
                id=asked.id,
                payload=pydantic_core.to_json(asked.parameters),
                deadline=self._deliveries.deadline(ends),
                trace=trace,
            )
            return Called(200, await result(self._deliveries.runner, work, self._limit))
        except Rejected as error:
            told = pydantic_core.to_json({"code": error.code, "message": error.message})
            return Called(_STATUS.get(error.code, 422), told)
        except Stopped:
            raise Unavailable("the workload stops") from None


async def answer(
    envelope: arc.Envelope,
    runner: Runner,
    bodies: Bodies,
    ends: datetime | None = None,
    *,
    limit: int | None = None,
) -> arc.Response:
    """Run the command and say how it went; `ends` is when that has to be known, beside the command's own deadline.

    `limit`: bytes of a result, where there is one.

    Unavailable where its stored parameters cannot be had, or its result not be put: it should be delivered again.
    """
    told = envelope.trace_context
    try:
        work = Work(
            handler=command_handler(runner, envelope.command),
            id=envelope.command_id,
            payload=await bodies.load(envelope.params),
            attempt=envelope.attempt,
            deadline=min((t for t in (due(envelope, runner), ends) if t), default=None),
            trace=Trace(told.traceparent, told.tracestate) if told else None,
        )
        return arc.Success(response=await bodies.store(await result(runner, work, limit), envelope.response_handling))
    except Rejected as error:
        return arc.Failure(code=error.code, message=error.message[:MESSAGE_LIMIT])


def due(envelope: arc.Envelope, runner: Runner) -> datetime | None:
    """The command's deadline by the clock here, which need not be that of the control plane."""
    left = envelope.remaining_seconds
    return envelope.deadline if left is None else runner.now() + timedelta(seconds=left)


def command_handler(runner: Runner, name: str) -> Handler:
    """The handler of a command. Rejected, with the known names, where there is none."""
    handler = runner.handlers.find("command", name)
    if handler is None:
        known = ", ".join(sorted(h.name for h in runner.handlers.of("command"))) or "none"
        raise Rejected(UNKNOWN_COMMAND, f'there is no command "{name}"; the commands here: {known}')
    return handler


async def result(runner: Runner, work: Work, limit: int | None = None) -> bytes:
    """A command's result as JSON. Rejected, with the code for the caller, where there is none; Stopped."""
    match await runner.run(work):
        case Done(value):
            return _within(limit, to_json(value, work.handler))
        case Failed(code, message) if code != STOPPED:
            raise Rejected(code, message)
        case _:
            raise Stopped


def _within(limit: int | None, made: bytes) -> bytes:
    if limit is not None and len(made) > limit:
        text = f"the result has {len(made)} bytes; {limit} fit: put it into a storage, and answer with its key"
        raise Rejected(RESULT_TOO_LARGE, text)
    return made
