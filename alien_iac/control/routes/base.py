"""What the routes share: lists, waiting, requests that may be sent again."""

import hashlib
import inspect
import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from alien_iac.control.store.paging import LIMIT
from alien_iac.control.tokens import Caller
from alien_iac.errors import InvalidInput

Wait = Annotated[float, Query(ge=0, description="Seconds to hold the request until there is news; at most 25 count.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
PAGE = LIMIT
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="The same key with the same request is done once."),
]


class _TextRequest(Request):
    """A request whose body has no text that a database or a file's name could not have."""

    async def json(self) -> Any:
        found = await super().json()
        left: list[Any] = [found]
        while left:
            match left.pop():
                case str() as text:
                    _check_text(text)
                case dict() as fields:
                    left += [*fields, *fields.values()]
                case list() as items:
                    left += items
        return found


def _check_text(text: str) -> None:
    """InvalidInput for a NUL, and for half of a character."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput("the body has half of a character, a lone surrogate") from error
    if "\0" in text:
        raise InvalidInput("the body has a NUL character")


class _TextRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise InvalidInput("the URL has a NUL character")
            return await handle(_TextRequest(request.scope, request.receive))

        return checked


class Routes(APIRouter):
    """A router whose answers leave out what is not set, as `arc.v1` clients want it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=_TextRoute, **options)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["response_model_exclude_none"] = True
        returned = inspect.get_annotations(endpoint, eval_str=True).get("return")
        if isinstance(returned, type) and issubclass(returned, Response):
            options["response_class"] = returned  # so that no JSON is promised where there is none
        super().add_api_route(path, endpoint, **options)


def request_hash(body: BaseModel) -> str:
    """What tells one request from another."""
    text = json.dumps(body.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def scoped_key(caller: Caller, route: str, key: str | None) -> str | None:
    """An idempotency key as it is stored: each caller and route have their own."""
    return None if key is None else hashlib.sha256(f"{caller.token_id}\n{route}\n{key}".encode()).hexdigest()
