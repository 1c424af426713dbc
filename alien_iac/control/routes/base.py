"""What the routes share: lists, waiting, requests that may be sent again."""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel

from alien_iac.control.store.paging import LIMIT
from alien_iac.control.tokens import Caller

Wait = Annotated[float, Query(ge=0, description="Seconds to hold the request until there is news; at most 25 count.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
PAGE = LIMIT
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="The same key with the same request is done once."),
]


class Routes(APIRouter):
    """A router whose answers leave out what is not set, as `arc.v1` clients want it."""

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["response_model_exclude_none"] = True
        super().add_api_route(path, endpoint, **options)


def request_hash(body: BaseModel) -> str:
    """What tells one request from another."""
    text = json.dumps(body.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def scoped_key(caller: Caller, route: str, key: str | None) -> str | None:
    """An idempotency key as it is stored: each caller and route have their own."""
    return None if key is None else hashlib.sha256(f"{caller.token_id}\n{route}\n{key}".encode()).hexdigest()
