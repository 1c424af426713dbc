"""The HTTP side of a Function, on every platform: commands, calls, health, and the vendor's own `app`.

What a platform adds: who is let in, and paths of its own.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.errors import AlienError, NotFound, Unauthorized
from alien_iac.protocol.invocation import COMMANDS_PATH, HEALTH_PATH, INVOKE_PATH, PRIVATE
from alien_iac.runtime.answers import Answers
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.http import body_of
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.vitals import Vitals
from alien_iac.runtime.work import Trace
from alien_iac.runtime.workload import Asgi

BODY_LIMIT = 16 << 20


class Admission(Protocol):
    """Who may call what is not for the public."""

    guards_health: bool
    """Whether the workload's health is only for them too."""

    async def admit(self, request: Request) -> None:
        """Raises Unauthorized, Forbidden or NotFound for anybody else."""
        ...


class WorkloadToken:
    """Whoever shows the workload's own token, which lies in a file on this machine."""

    guards_health = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def admit(self, request: Request) -> None:
        token = self._settings.workload_token()
        if not token or not hmac.compare_digest(bearer(request).encode(), token.encode()):
            raise Unauthorized("the token is not this workload's")


class Doors:
    """The requests that every platform has."""

    def __init__(self, answers: Answers, vitals: Vitals, admission: Admission, clock: Clock) -> None:
        self._answers = answers
        self._vitals = vitals
        self._admission = admission
        self._clock = clock

    def routes(self, limit_seconds: float | None = None) -> list[Route]:
        """All of them. `limit_seconds`: after so long the platform cuts a request off; None where it does not."""

        def ends() -> datetime | None:
            return self._clock.now() + timedelta(seconds=limit_seconds) if limit_seconds else None

        async def command(request: Request) -> Response:
            await self._admission.admit(request)
            response = await self._answers.command(await body_of(request, BODY_LIMIT), ends())
            return JSONResponse(response.dump())

        async def invoke(request: Request) -> Response:
            await self._admission.admit(request)
            called = await self._answers.call(await body_of(request, BODY_LIMIT), ends(), trace_of(request))
            return Response(called.body, called.status, media_type="application/json")

        async def health(request: Request) -> Response:
            if self._admission.guards_health:
                await self._admission.admit(request)
            found = await self._vitals.examine()
            return JSONResponse(found.dump(), status_code=200 if found.health == "healthy" else 503)

        return [
            Route(COMMANDS_PATH, command, methods=["POST"]),
            Route(INVOKE_PATH, invoke, methods=["POST"]),
            Route(HEALTH_PATH, health),
        ]


def app(routes: Iterable[Route], vendors: Asgi | None) -> Asgi:
    """Ours under `/_alien/`; everything else, with the lifespan, is the vendor's ASGI app's, where there is one."""
    ours = Starlette(routes=list(routes), exception_handlers={AlienError: _refused, 404: _unknown})

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        is_ours = scope["type"] == "http" and scope["path"].startswith(PRIVATE)
        await (ours if is_ours or vendors is None else vendors)(scope, receive, send)

    return dispatch


def bearer(request: Request) -> str:
    """The token that a request shows; empty where it shows none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def trace_of(request: Request) -> Trace | None:
    """The trace that a request belongs to."""
    parent = request.headers.get("traceparent")
    return Trace(parent, request.headers.get("tracestate")) if parent else None


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, AlienError):
        raise error
    return JSONResponse(error.as_dict(), status_code=error.http_status)


async def _unknown(_: Request, _error: Exception) -> Response:
    return JSONResponse(NotFound("there is nothing here").as_dict(), status_code=404)
