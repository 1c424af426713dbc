"""Linked workloads that are called over HTTP: their addresses, and for a Function a token that it lets in."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import pydantic_core

from alien_iac.errors import AlienError, Forbidden, HandlerFailed, NotFound, Unauthorized, Unavailable
from alien_iac.protocol.invocation import INVOKE_PATH, Invocation
from alien_iac.runtime.telemetry.spans import traceparent

_ERRORS: dict[int, type[AlienError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    503: Unavailable,
}


class Addresses:
    """A Container's addresses, as its binding has them."""

    def __init__(self, url: str, public_url: str | None) -> None:
        self.url = url
        self.public_url = public_url


class HttpFunction:
    """A Function. `token` says what is shown to it, and raises Unauthorized where there is nothing to show.

    `reaches_out`: whether the environment's proxies count; for this machine they do not.
    """

    def __init__(self, url: str, resource_id: str, token: Callable[[], str], *, reaches_out: bool = True) -> None:
        self.url = url.rstrip("/")
        self._id = resource_id
        self._token = token
        self._http = httpx.Client(trust_env=reaches_out)
        # A module keeps its links for as long as the process lives; a test lets them go.
        self.close = weakref.finalize(self, self._http.close)

    def invoke(self, command: str, parameters: bytes, timeout_seconds: float) -> bytes:
        body = Invocation(
            command=command, parameters=pydantic_core.from_json(parameters), id=f"call_{uuid.uuid4().hex}"
        )
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        headers |= {"traceparent": trace} if (trace := traceparent()) else {}
        content = body.model_dump_json(by_alias=True)
        try:
            answer = self._http.post(self.url + INVOKE_PATH, content=content, headers=headers, timeout=timeout_seconds)
        except httpx.HTTPError as error:
            raise Unavailable(f'function "{self._id}" does not answer ({type(error).__name__})') from error
        if answer.status_code == httpx.codes.OK:
            return answer.content
        raise self._told(answer)

    def _told(self, answer: httpx.Response) -> AlienError:
        try:
            told: Any = pydantic_core.from_json(answer.content)
            code, text = str(told["code"]), str(told["message"])
        except (ValueError, KeyError, TypeError):
            code, text = "UNAVAILABLE", f"it answered {answer.status_code}"
        message = f'function "{self._id}": {text}'
        kind = _ERRORS.get(answer.status_code)
        return kind(message) if kind else HandlerFailed(message, code=code)
