"""The control plane as the command line sees it: answers are models, failures are errors of our tree."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click
import httpx
from pydantic import BaseModel

from alien_iac import errors
from alien_iac.client import Commands, Signer
from alien_iac.client.transport import checked

HOLD_S = 20
"""How long a waiting GET is held by the control plane; it allows 25 s."""

_PAUSES_S = (0.2, 1.0)
"""Before a read is tried again."""

M = TypeVar("M", bound=BaseModel)
F = TypeVar("F", bound=Callable[..., Any])
_LIKE = "it is like https://control.example.com"


class Remote:
    """Calls of one control plane. Reads are tried again while it does not answer; writes are not."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._transport = transport
        self._http = httpx.Client(
            base_url=f"{self.url}/v1",
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10, read=HOLD_S + 10),
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def commands(self, signer: Signer | None = None) -> Commands:
        """The client for commands of this control plane."""
        return Commands(self.url, self._token, signer=signer, transport_=self._transport)

    def get(self, model: type[M], path: str, **query: object) -> M:
        return model.model_validate(self.call("GET", path, query=query))

    def post(self, model: type[M], path: str, body: BaseModel | None = None, **query: object) -> M:
        data = body.model_dump(mode="json", by_alias=True, exclude_none=True) if body is not None else None
        return model.model_validate(self.call("POST", path, body=data, query=query))

    def pages(self, model: type[M], path: str, **query: object) -> Iterator[M]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.call("GET", path, query={**query, "cursor": cursor})
            yield from (model.model_validate(item) for item in page["items"])
            cursor = page.get("next")
            if not cursor:
                return

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where there is none."""
        try:
            return self._ask("GET", path).content
        except errors.NotFound:
            return None

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        query: Mapping[str, object] = MappingProxyType({}),
    ) -> Any:
        """One call, and the JSON of its answer. Raises the error of our tree that code and status stand for."""
        asked = {key: str(value) for key, value in query.items() if value is not None}
        answer = self._ask(method, path, json=body, content=content, params=asked)
        return answer.json() if answer.content else {}

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        for pause in _PAUSES_S if method == "GET" else ():
            try:
                return checked(self._http.request(method, path, **request))
            except httpx.TransportError:
                time.sleep(pause)
        try:
            return checked(self._http.request(method, path, **request))
        except httpx.TransportError as error:
            raise errors.Unavailable(
                f"the control plane at {self.url} does not answer ({type(error).__name__})",
                hint="check the address (--control-plane), and that `alien serve` runs there",
            ) from error


def control_options(command: F) -> F:
    """The options `url` and `token_file`, which `connect` takes."""
    return _options(command, required=True)


def optional_control_options(command: F) -> F:
    """As `control_options`, for a verb that can do without; `connect` asks for the URL where it is needed."""
    return _options(command, required=False)


def _options(command: F, *, required: bool) -> F:
    token = click.option(
        "--token-file",
        envvar="ALIEN_TOKEN_FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with the token; or set ALIEN_TOKEN.",
    )
    url = click.option(
        "--control-plane", "url", envvar="ALIEN_CONTROL_PLANE", required=required, help="URL of the control plane."
    )
    return url(token(command))


def _address(url: str | None) -> str:
    if url is None:
        raise errors.InvalidInput("which control plane?", hint="name it with --control-plane, or ALIEN_CONTROL_PLANE")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise errors.InvalidInput(f"{url!r} is no URL of a control plane: {error}", hint=_LIKE) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise errors.InvalidInput(f"{url!r} is no URL of a control plane", hint=_LIKE)
    return url


def connect(url: str | None, token_file: Path | None) -> Remote:
    """The control plane that the options name.

    Raises InvalidInput where there is no URL, or what is none, and Unauthorized where there is no token.
    """
    address = _address(url)
    token = token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get("ALIEN_TOKEN", "").strip()
    if not token:
        raise errors.Unauthorized(
            "no token for the control plane",
            hint="name a file with --token-file (or ALIEN_TOKEN_FILE), or set ALIEN_TOKEN",
        )
    return Remote(address, token)
