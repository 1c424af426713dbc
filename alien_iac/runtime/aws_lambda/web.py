"""HTTP through a Function URL or an API Gateway, to the vendor's ASGI app and back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from http import HTTPStatus
from typing import Any

import httpx

from alien_iac.protocol.invocation import PRIVATE
from alien_iac.runtime.asgi import Answer, Served
from alien_iac.runtime.aws_lambda.shapes import WebRequest
from alien_iac.runtime.logs import LOGGER, line


async def serve(served: Served | None, event: WebRequest, seconds: float | None) -> dict[str, Any]:
    """The answer in Lambda's form; 504 where `seconds` were too few. Nothing below `/_alien/` is reached this way."""
    request = _request(event)
    if served is None or request.url.path.startswith(PRIVATE):
        return _told(HTTPStatus.NOT_FOUND)
    try:
        async with asyncio.timeout(seconds):
            return await _answer(served, request, event.request_context.http.source_ip)
    except TimeoutError:
        LOGGER.error(line("http", method=request.method, outcome="timeout"))
        return _told(HTTPStatus.GATEWAY_TIMEOUT)


def _request(event: WebRequest) -> httpx.Request:
    query = f"?{event.raw_query_string}" if event.raw_query_string else ""
    url = f"https://{event.request_context.domain_name}{event.raw_path}{query}"
    body = event.body or ""
    content = base64.b64decode(body) if event.is_base64_encoded else body.encode()
    headers = {**event.headers, **({"cookie": "; ".join(event.cookies)} if event.cookies else {})}
    return httpx.Request(event.request_context.http.method, url, headers=headers, content=content)


async def _answer(served: Served, request: httpx.Request, client: str) -> dict[str, Any]:
    answer = await served.answer(request, client)
    body, is_base64 = _body(answer)
    headers: dict[str, str] = {}
    for name, value in answer.headers.multi_items():
        if name != "set-cookie":
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return {
        "statusCode": answer.status,
        "headers": headers,
        "cookies": answer.headers.get_list("set-cookie"),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _body(answer: Answer) -> tuple[str, bool]:
    """Text as it is, and base64 for the rest."""
    if "content-encoding" not in answer.headers:
        with contextlib.suppress(UnicodeDecodeError):  # then it is no text
            return answer.body.decode(), False
    return base64.b64encode(answer.body).decode(), True


def _told(status: HTTPStatus) -> dict[str, Any]:
    body = json.dumps({"code": status.name, "message": status.phrase})
    return {"statusCode": status.value, "headers": {"content-type": "application/json"}, "body": body}
