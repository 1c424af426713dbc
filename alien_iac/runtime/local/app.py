"""The HTTP side of a Function on `local`: commands, calls by linked workloads, health, and the vendor's own `app`."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pydantic_core
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.errors import AlienError, Forbidden, NotFound, Unauthorized, Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.invocation import COMMANDS_PATH, HEALTH_PATH, INVOKE_PATH, Invocation
from alien_iac.runtime import answers
from alien_iac.runtime.bodies import Bodies
from alien_iac.runtime.http import body_of
from alien_iac.runtime.problems import parsed
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.signatures import Rejected
from alien_iac.runtime.vitals import Vitals
from alien_iac.runtime.work import Work

BODY_LIMIT = 16 << 20
_OURS = "/_alien/"
_STATUS = {answers.UNKNOWN_COMMAND: 404}
"""Where a call of a linked workload is answered neither 200 nor 422."""

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Routes:
    """The handlers of the HTTP requests."""

    def __init__(self, runner: Runner, vitals: Vitals, settings: Settings, http: httpx.AsyncClient) -> None:
        self._runner = runner
        self._vitals = vitals
        self._settings = settings
        self._bodies = Bodies(http)

    async def command(self, request: Request) -> Response:
        """A command from the agent. How the handler fared is in the response, which is 200 for a failure too."""
        self._admit(request)
        envelope = parsed(arc.Envelope, await body_of(request, BODY_LIMIT))
        mine = self._settings
        if (envelope.deployment_id, envelope.target.resource_id) != (mine.deployment_id, mine.resource_id):
            raise Forbidden(f'this is "{mine.resource_id}" of "{mine.deployment_id}"; the command is for another one')
        try:
            answer = await answers.answer(envelope, self._runner, self._bodies)
        except answers.Stopped:
            raise Unavailable("the workload stops; deliver the command again") from None
        return JSONResponse(answer.dump())

    async def invoke(self, request: Request) -> Response:
        """A call from a linked workload."""
        self._admit(request)
        asked = parsed(Invocation, await body_of(request, BODY_LIMIT))
        try:
            work = Work(
                handler=answers.command_handler(self._runner, asked.command),
                id=asked.id,
                payload=pydantic_core.to_json(asked.parameters),
            )
            return Response(await answers.result(self._runner, work), media_type="application/json")
        except Rejected as error:
            status = _STATUS.get(error.code, 422)
            return JSONResponse({"code": error.code, "message": error.message}, status_code=status)
        except answers.Stopped:
            raise Unavailable("the workload stops") from None

    async def health(self, _: Request) -> Response:
        health = await self._vitals.examine()
        return JSONResponse(health.dump(), status_code=200 if health.health == "healthy" else 503)

    def _admit(self, request: Request) -> None:
        token = self._settings.workload_token()
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or not hmac.compare_digest(shown.encode(), token.encode()):
            raise Unauthorized("the token is not this workload's")


def app(routes: Routes, vendors: Asgi | None) -> Asgi:
    """Ours under `/_alien/`; everything else, with the lifespan, is the vendor's ASGI app's, where there is one."""
    ours = Starlette(
        routes=[
            Route(COMMANDS_PATH, routes.command, methods=["POST"]),
            Route(INVOKE_PATH, routes.invoke, methods=["POST"]),
            Route(HEALTH_PATH, routes.health),
        ],
        exception_handlers={AlienError: _refused, 404: _unknown},
    )

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        is_ours = scope["type"] == "http" and scope["path"].startswith(_OURS)
        await (ours if is_ours or vendors is None else vendors)(scope, receive, send)

    return dispatch


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, AlienError):
        raise error
    return JSONResponse(error.as_dict(), status_code=error.http_status)


async def _unknown(_: Request, _error: Exception) -> Response:
    return JSONResponse(NotFound("there is nothing here").as_dict(), status_code=404)
