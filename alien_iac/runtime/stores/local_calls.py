"""Linked workloads on `local`: loopback addresses, and for a Function its token."""

from __future__ import annotations

import uuid
import weakref
from pathlib import Path
from typing import Any

import httpx
import pydantic_core

from alien_iac.errors import AlienError, Forbidden, HandlerFailed, NotFound, Unauthorized, Unavailable
from alien_iac.protocol.bindings import LocalContainer, LocalWorker
from alien_iac.protocol.invocation import INVOKE_PATH, Invocation
from alien_iac.runtime.stores.parsing import parse

_ERRORS: dict[int, type[AlienError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    503: Unavailable,
}


class LoopbackContainer:
    """A Container's addresses, as the binding has them."""

    def __init__(self, binding: LocalContainer) -> None:
        self.url = binding.internal_url
        self.public_url = binding.public_url


class LoopbackFunction:
    """A Function on this machine."""

    def __init__(self, binding: LocalWorker, resource_id: str) -> None:
        self.url = binding.worker_url.rstrip("/")
        self._token_file = binding.token_file
        self._id = resource_id
        self._http = httpx.Client(trust_env=False)
        # A module keeps its links for as long as the process lives; a test lets them go.
        self.close = weakref.finalize(self, self._http.close)

    def invoke(self, command: str, parameters: bytes, timeout_seconds: float) -> bytes:
        body = Invocation(
            command=command, parameters=pydantic_core.from_json(parameters), id=f"call_{uuid.uuid4().hex}"
        )
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        content = body.model_dump_json(by_alias=True)
        try:
            answer = self._http.post(self.url + INVOKE_PATH, content=content, headers=headers, timeout=timeout_seconds)
        except httpx.HTTPError as error:
            raise Unavailable(f'function "{self._id}" does not answer ({type(error).__name__})') from error
        if answer.status_code == httpx.codes.OK:
            return answer.content
        raise self._told(answer)

    def _token(self) -> str:
        try:
            return Path(self._token_file).read_text().strip() if self._token_file else ""
        except OSError as error:
            raise Unauthorized(f'function "{self._id}": its token cannot be read ({type(error).__name__})') from error

    def _told(self, answer: httpx.Response) -> AlienError:
        try:
            told: Any = pydantic_core.from_json(answer.content)
            code, text = str(told["code"]), str(told["message"])
        except (ValueError, KeyError, TypeError):
            code, text = "UNAVAILABLE", f"it answered {answer.status_code}"
        message = f'function "{self._id}": {text}'
        kind = _ERRORS.get(answer.status_code)
        return kind(message) if kind else HandlerFailed(message, code=code)


def connect_container(raw: dict[str, Any], resource_id: str) -> LoopbackContainer:
    """The Container that a binding names."""
    return LoopbackContainer(parse(LocalContainer, raw, resource_id))


def connect_function(raw: dict[str, Any], resource_id: str) -> LoopbackFunction:
    """The Function that a binding names."""
    return LoopbackFunction(parse(LocalWorker, raw, resource_id), resource_id)
