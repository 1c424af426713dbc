"""Every failure as one JSON shape: code, message, hint, retryable. No answer holds what was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from alien_iac import errors
from alien_iac.control.refusals import TooManyRequests
from alien_iac.errors import AlienError
from alien_iac.protocol.wire import Open

_KINDS: Mapping[int, type[AlienError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    503: errors.Unavailable,
}


class Refusal(Open):
    """A request that was not done."""

    code: str
    message: str
    retryable: bool
    hint: str | None = None
    context: Mapping[str, Any] | None = None
    internal: bool
    http_status_code: int


RESPONSES: dict[int | str, dict[str, Any]] = {
    kind: {"model": Refusal, "description": description}
    for kind, description in (("4XX", "Refused, and nothing was changed."), ("5XX", "Not done; try again."))
}
"""What the description of every route says of its failures."""


def answer(error: AlienError) -> JSONResponse:
    """An error of our tree as it is sent."""
    headers = {"www-authenticate": "Bearer"} if error.http_status == 401 else {}  # noqa: PLR2004 - the status itself
    headers |= {"retry-after": str(error.after)} if isinstance(error, TooManyRequests) else {}
    return JSONResponse(told(error, error.http_status), status_code=error.http_status, headers=headers)


def told(error: AlienError, status: int) -> dict[str, Any]:
    """An error as its JSON, with what clients of `arc.v1` look for beside our own words."""
    return {**error.as_dict(), "internal": False, "httpStatusCode": status}


def install(app: FastAPI) -> None:
    """Answer every failure of an app in our shape."""

    @app.exception_handler(AlienError)
    async def ours(_request: Request, error: AlienError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(errors.InvalidInput(describe(error.errors())))

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        kind = _KINDS.get(error.status_code, errors.InvalidInput)
        body = told(kind(str(error.detail)), error.status_code)
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def bug(_request: Request, _error: Exception) -> JSONResponse:
        said = {"code": AlienError.code, "message": "the control plane failed; its log says why", "retryable": True}
        return JSONResponse({**said, "internal": True, "httpStatusCode": 500}, status_code=500)


def describe(problems: Sequence[Mapping[str, Any]]) -> str:
    """All problems of a request, by place, without the values."""
    lines = [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems]
    return "the request is wrong: " + "; ".join(lines)
