"""How the agent calls a Function with its own identity: one invoker for each kind of place that a Function is in."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import httpx
from pydantic import TypeAdapter, ValidationError

from alien_iac.agent.mailbox import Lost
from alien_iac.errors import Missing, Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.outputs import Invoke

DELIVERY_FAILED = "DELIVERY_FAILED"
_RESPONSE: TypeAdapter[arc.Response] = TypeAdapter(arc.Response)
_AGAIN = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})
"""The workload has no copy to spare, or is about to end: it did not take the command."""
_OF_CLOUDS: Mapping[str, tuple[str, str]] = {
    "lambda": ("alien_iac.agent.invoke_lambda", "aws"),
    "cloud-run": ("alien_iac.agent.invoke_cloud_run", "gcp"),
    "azure-function": ("alien_iac.agent.invoke_azure", "azure"),
}
"""Kind to the module that makes its invoker, and the extra that brings what it needs."""


class Invoker(Protocol):
    """One kind of place."""

    async def call(self, envelope: arc.Envelope, how: Invoke) -> arc.Response:
        """The workload's response. Unavailable where it did not take the command, Lost where it died over it."""
        ...


class HttpInvoker:
    """Over HTTP. `token` says what is shown to the workload; it may block, and raises Unavailable.

    `is_replaced`: whether a token that is refused now may be replaced soon, as on this machine.
    """

    def __init__(
        self, http: httpx.AsyncClient, token: Callable[[Invoke], str], *, path: str = "", is_replaced: bool = False
    ) -> None:
        self._http = http
        self._token = token
        self._path = path
        self._again = _AGAIN | {httpx.codes.UNAUTHORIZED} if is_replaced else _AGAIN

    async def call(self, envelope: arc.Envelope, how: Invoke) -> arc.Response:
        name = envelope.target.resource_id
        headers = {"authorization": f"Bearer {await asyncio.to_thread(self._token, how)}"}
        try:
            answer = await self._http.post(how.url + self._path, json=envelope.dump(), headers=headers, timeout=None)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(f"{name} does not answer ({type(error).__name__})") from error
        except httpx.TransportError as error:
            raise Lost(f"{name} ended while it had the command ({type(error).__name__})") from error
        if answer.status_code in self._again:
            raise Unavailable(f"{name} answered {answer.status_code}")
        if answer.is_server_error:
            raise Lost(f"{name} answered {answer.status_code}")
        if not answer.is_success:
            return failed(f"the workload answered {answer.status_code}")
        return response(answer.content)


class Invokers:
    """All of them, each made when it is first needed."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._made: dict[str, Invoker] = {"http": HttpInvoker(http, _token_of_file, is_replaced=True)}

    def of(self, kind: str) -> Invoker:
        """The invoker of a kind. Missing where what it needs is not installed."""
        if kind not in self._made:
            self._made[kind] = _cloud(kind, self._http)
        return self._made[kind]


def response(content: bytes) -> arc.Response:
    """What a workload answered; a failure where it is none."""
    try:
        return _RESPONSE.validate_json(content)
    except ValidationError:
        return failed("the workload's answer is no arc.v1 response")


def failed(why: str) -> arc.Response:
    """The response where the command could not be delivered, and would not be another time."""
    return arc.Failure(code=DELIVERY_FAILED, message=why)


def _cloud(kind: str, http: httpx.AsyncClient) -> Invoker:
    module, extra = _OF_CLOUDS[kind]
    try:
        made: Invoker = importlib.import_module(module).make(http)
    except ModuleNotFoundError as error:
        text = f"calling a Function there needs {error.name}, which is not installed beside the agent"
        raise Missing(text, hint=f"pip install 'alien-iac[{extra}]'") from error
    return made


def _token_of_file(how: Invoke) -> str:
    try:
        return Path(how.token_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unavailable(f"the workload's token cannot be read ({type(error).__name__})") from error
