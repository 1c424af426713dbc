"""The agent's own server for the workloads beside it: heartbeats, telemetry, and `arc.v1`'s leases for Containers.

Every request shows the token of the workload that it is about. It listens on loopback alone.
"""

import hmac
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.agent.beats import Beats
from alien_iac.agent.gateway import Gateway, Sent
from alien_iac.agent.mailbox import INLINE_LIMIT, Mailbox
from alien_iac.errors import AlienError, Forbidden, InvalidInput, Unauthorized
from alien_iac.protocol import arc
from alien_iac.protocol.api import WorkloadHeartbeat
from alien_iac.protocol.telemetry.levels import BATCH_HEADER, LEVEL_HEADER, SIGNALS, WORKLOAD_HEADER
from alien_iac.protocol.telemetry.otlp import GATEWAY_LIMIT

LONGEST_WAIT_S = 25.0
_ID = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_RESPONSE: TypeAdapter[arc.Response] = TypeAdapter(arc.Response)

M = TypeVar("M", bound=BaseModel)
TokenFile = Callable[[str], Path | None]
Handler = Callable[[Request], Awaitable[Response]]


class Loopback:
    """The routes. `token_file` gives where a workload's token is, by its id."""

    def __init__(
        self, deployment_id: str, token_file: TokenFile, beats: Beats, mailbox: Mailbox, gateway: Gateway
    ) -> None:
        self._deployment_id = deployment_id
        self._token_file = token_file
        self._beats = beats
        self._mailbox = mailbox
        self._gateway = gateway

    def app(self) -> Starlette:
        routes = [
            Route("/v1/heartbeats", self.heartbeat, methods=["POST"]),
            Route("/v1/commands/leases", self.lease, methods=["POST"]),
            Route("/v1/commands/leases/{lease_id}/release", self.release, methods=["POST"]),
            Route("/v1/commands/leases/{lease_id}/renew", self.renew, methods=["POST"]),
            Route("/v1/commands/{command_id}/response", self.answer, methods=["PUT"]),
            Route("/v1/{signal:str}", self.telemetry, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={AlienError: _refused, HTTPException: _unknown})

    async def heartbeat(self, request: Request) -> Response:
        told = await _body(request, WorkloadHeartbeat)
        await self._admit(request, told.deployment_id, told.resource_id)
        self._beats.hear(told)
        return Response(status_code=204)

    async def lease(self, request: Request) -> Response:
        asked = await _body(request, arc.LeaseRequest)
        if asked.target is None:
            raise InvalidInput("a lease request to the agent names its target", hint="send `target`")
        workload = asked.target.resource_id
        await self._admit(request, asked.deployment_id, workload)
        leases = await self._mailbox.lease(workload, asked.count, asked.seconds, _wait(request))
        return JSONResponse(arc.Leases(leases=leases).dump())

    async def release(self, request: Request) -> Response:
        lease_id = request.path_params["lease_id"]
        await self._admit(request, self._deployment_id, self._mailbox.holder(lease_id))
        self._mailbox.release(lease_id)
        return Response(status_code=200)

    async def renew(self, request: Request) -> Response:
        asked, lease_id = await _body(request, arc.RenewLease), request.path_params["lease_id"]
        await self._admit(request, self._deployment_id, self._mailbox.holder(lease_id))
        ends = self._mailbox.renew(lease_id, asked.seconds)
        return JSONResponse(arc.Renewed(lease_id=lease_id, lease_expires_at=ends).dump())

    async def answer(self, request: Request) -> Response:
        """The URL carries its own right, as those of the control plane do."""
        content = await _content(request)
        try:
            response = _RESPONSE.validate_json(content)
        except ValidationError as error:
            raise InvalidInput(f"the body is no response: {error.error_count()} field(s) are wrong") from error
        right = request.query_params.get("response_token", "")
        self._mailbox.answer(request.path_params["command_id"], right, response)
        return Response(status_code=200)

    async def telemetry(self, request: Request) -> Response:
        """OTLP, with the workload's token and the header that names it; both stand in every workload's environment."""
        signal = next((one for one in SIGNALS if one == request.path_params["signal"]), None)
        if signal is None:
            raise HTTPException(404)
        workload = request.headers.get(WORKLOAD_HEADER, "")
        await self._admit(request, self._deployment_id, workload)
        sent = Sent(
            signal=signal,
            workload=workload,
            body=await _content(request, GATEWAY_LIMIT),
            content_type=request.headers.get("content-type", ""),
            encoding=request.headers.get("content-encoding", ""),
            batch=request.headers.get(BATCH_HEADER, "")[:100],
        )
        taken = await run_in_threadpool(self._gateway.take, sent)
        return Response(taken.body, media_type=taken.content_type, headers={LEVEL_HEADER: taken.level})

    async def _admit(self, request: Request, deployment_id: str, workload_id: str) -> None:
        """Raises Forbidden for another deployment, Unauthorized for a token that is not the workload's."""
        if deployment_id != self._deployment_id:
            raise Forbidden(f"this is the agent of {self._deployment_id}, not of {deployment_id}")
        expected = await run_in_threadpool(self._token, workload_id)
        if not expected or not hmac.compare_digest(_shown(request).encode(), expected.encode()):
            raise Unauthorized(f"the token is not that of {workload_id}", hint="it is in ALIEN_WORKLOAD_TOKEN_FILE")

    def _token(self, workload_id: str) -> str:
        path = self._token_file(workload_id) if _ID.fullmatch(workload_id) else None
        return path.read_text(encoding="utf-8").strip() if path and path.is_file() else ""


async def _content(request: Request, limit: int = 2 * INLINE_LIMIT) -> bytes:
    """The body, unless it is too long to be held."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise InvalidInput(f"the body is longer than {limit} bytes")
    return bytes(content)


async def _body(request: Request, model: type[M]) -> M:
    try:
        return model.model_validate_json(await _content(request))
    except ValidationError as error:
        raise InvalidInput(f"the body is no {model.__name__}: {error.error_count()} field(s) are wrong") from error


def _wait(request: Request) -> float:
    try:
        return min(LONGEST_WAIT_S, max(0.0, float(request.query_params.get("wait", "0"))))
    except ValueError as error:
        raise InvalidInput("`wait` is not a number of seconds") from error


def _shown(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, AlienError):
        raise error
    return JSONResponse(error.as_dict(), status_code=error.http_status)


async def _unknown(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse(
        {"code": "NOT_FOUND", "message": "there is nothing here", "retryable": False}, status_code=status
    )
