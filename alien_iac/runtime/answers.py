"""A command's envelope in, its response out: the same for a Function that is invoked and a Container that leases."""

from __future__ import annotations

from datetime import datetime

from alien_iac.protocol import arc
from alien_iac.runtime.bodies import Bodies
from alien_iac.runtime.handlers import Handler
from alien_iac.runtime.runner import STOPPED, Runner
from alien_iac.runtime.signatures import Rejected, to_json
from alien_iac.runtime.work import Done, Failed, Work

UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
MESSAGE_LIMIT = 1000
"""Characters of an error's message: longer ones do not fit every control plane's row."""


class Stopped(Exception):
    """The workload ends before the command has: whoever delivered it delivers it again."""


async def answer(
    envelope: arc.Envelope, runner: Runner, bodies: Bodies, *, lease_ends: datetime | None = None
) -> arc.Response:
    """Run the command and say how it went.

    Unavailable where its stored parameters cannot be had, or its result not be put: it should be delivered again.
    """
    deadline = min((t for t in (envelope.deadline, lease_ends) if t), default=None)
    try:
        work = Work(
            handler=command_handler(runner, envelope.command),
            id=envelope.command_id,
            payload=await bodies.load(envelope.params),
            attempt=envelope.attempt,
            deadline=deadline,
        )
        return arc.Success(response=await bodies.store(await result(runner, work), envelope.response_handling))
    except Rejected as error:
        return arc.Failure(code=error.code, message=error.message[:MESSAGE_LIMIT])


def command_handler(runner: Runner, name: str) -> Handler:
    """The handler of a command. Rejected, with the known names, where there is none."""
    handler = runner.handlers.find("command", name)
    if handler is None:
        known = ", ".join(sorted(h.name for h in runner.handlers.of("command"))) or "none"
        raise Rejected(UNKNOWN_COMMAND, f'there is no command "{name}"; the commands here: {known}')
    return handler


async def result(runner: Runner, work: Work) -> bytes:
    """A command's result as JSON. Rejected, with the code for the caller, where there is none; Stopped."""
    match await runner.run(work):
        case Done(value):
            return to_json(value, work.handler)
        case Failed(code, message) if code != STOPPED:
            raise Rejected(code, message)
        case _:
            raise Stopped
