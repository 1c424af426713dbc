"""Who may call a Function on Cloud Run: accounts with a token that Google has signed for this Function."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import google.auth.exceptions
import google.auth.jwt
import httpx
import pydantic
from starlette.requests import Request

from alien_iac.errors import BindingInvalid, Forbidden, Unauthorized, Unavailable
from alien_iac.protocol import cloud_run
from alien_iac.runtime.doors import Admission, bearer
from alien_iac.runtime.problems import problems

CERTS_URL = "https://www.googleapis.com/oauth2/v1/certs"
ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
KEPT_SECONDS = 3600.0
"""How long Google's keys are kept: it shows new ones a day or more before it signs with them."""
PATIENCE_SECONDS = 10.0
SKEW_SECONDS = 10
_ACCOUNTS: pydantic.TypeAdapter[frozenset[str]] = pydantic.TypeAdapter(frozenset[str])

FetchKeys = Callable[[], Mapping[str, str]]
"""Google's certificates by the ids of their keys, as PEM. May block; raises Unavailable."""


class Asked:
    """Cloud Run has asked each caller already: only those that may call this Function come so far."""

    guards_health = True

    async def admit(self, request: Request) -> None:
        """Let in whoever has come."""


class GoogleCallers:
    """Whoever shows a token for `audience` of an account in `accounts`."""

    guards_health = True

    def __init__(self, accounts: frozenset[str], audience: str, fetch: FetchKeys) -> None:
        self._accounts = accounts
        self._audience = audience
        self._fetch = fetch
        self._keys: Mapping[str, str] = {}
        self._fetched = float("-inf")
        self._fetching = asyncio.Lock()

    async def admit(self, request: Request) -> None:
        """Unauthorized without a good token, Forbidden for one of somebody else, Unavailable without Google's keys."""
        token = bearer(request)
        if not token:
            raise Unauthorized("the request shows no token")
        claims = await self._claims(token)
        if claims.get("iss") not in ISSUERS or claims.get("email_verified") is not True:
            raise Unauthorized("the token is not one of a Google account")
        if claims.get("email") not in self._accounts:
            raise Forbidden("the token's account may not call this Function")

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            key = google.auth.jwt.decode_header(token).get("kid")
            keys = await self._keys_with(str(key))
            claims: Mapping[str, Any] = google.auth.jwt.decode(
                token, certs=keys, audience=self._audience, clock_skew_in_seconds=SKEW_SECONDS
            )
        except (ValueError, google.auth.exceptions.GoogleAuthError) as error:
            # Its text quotes the token's claims.
            raise Unauthorized(f"the token is not good for this Function ({type(error).__name__})") from None
        return claims

    async def _keys_with(self, key: str) -> Mapping[str, str]:
        """Google's keys, fetched anew where they are old; or, not more often than that, where this one is missing."""
        async with self._fetching:
            age = time.monotonic() - self._fetched
            if age > KEPT_SECONDS or (key not in self._keys and age > PATIENCE_SECONDS):
                self._keys = await asyncio.to_thread(self._fetch)
                self._fetched = time.monotonic()
        return self._keys


def google_keys() -> Mapping[str, str]:
    """Google's certificates of now. Unavailable where they cannot be had."""
    try:
        answer = httpx.get(CERTS_URL, timeout=PATIENCE_SECONDS).raise_for_status()
        return pydantic.TypeAdapter(dict[str, str]).validate_json(answer.content)
    except (httpx.HTTPError, pydantic.ValidationError) as error:
        raise Unavailable(f"Google's keys cannot be had ({type(error).__name__})") from error


def admission(environ: Mapping[str, str], fetch: FetchKeys = google_keys) -> Admission:
    """Who is let in, by the environment. BindingInvalid where that is not said."""
    if environ.get(cloud_run.ASKED):
        return Asked()
    audience = environ.get(cloud_run.AUDIENCE)
    if not audience:
        raise BindingInvalid(f"{cloud_run.AUDIENCE} is not set: nobody could be let in")
    try:
        accounts = _ACCOUNTS.validate_json(environ.get(cloud_run.CALLERS, "[]"))
    except pydantic.ValidationError as error:
        raise BindingInvalid(f"{cloud_run.CALLERS} is not a list of accounts: {problems(error)}") from None
    return GoogleCallers(accounts, audience, fetch)
