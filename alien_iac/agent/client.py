"""The control plane as the agent talks to it: short tokens by its own key, and a clock that may be wrong."""

import asyncio
import gzip
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx
import jwt
from pydantic import BaseModel, ValidationError

from alien_iac.agent import answers
from alien_iac.errors import Unauthorized, Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.api import Desired, Heartbeat, Report, Token, TokenRequest
from alien_iac.protocol.telemetry.levels import BATCH_HEADER, Signal

HOLD_S = 25
"""How long the control plane holds a long-poll."""
RENEW_S = 300
"""A token is renewed when it has less than this left."""
ASSERTION_S = 120
AUDIENCE = "alien"

M = TypeVar("M", bound=BaseModel)
Clock = Callable[[], float]


@dataclass(frozen=True)
class Credentials:
    """How the agent shows who it is."""

    deployment_id: str
    key: bytes
    """The private key, PEM."""

    def __repr__(self) -> str:
        return f"Credentials({self.deployment_id!r})"

    def assertion(self, now: float) -> str:
        """A signed statement for `TokenRequest`, good from a minute before `now` (Unix seconds) to two after."""
        who = self.deployment_id
        claims = {"iss": who, "sub": who, "aud": AUDIENCE, "jti": uuid.uuid4().hex}
        return jwt.encode({**claims, "iat": int(now) - 60, "exp": int(now) + ASSERTION_S}, self.key, algorithm="EdDSA")


@dataclass(frozen=True)
class Leased:
    """Leases, and the URL that they came from: their own URLs may be relative to it."""

    url: str
    leases: tuple[arc.Lease, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What commands the agent asks for: how many at most, and how long it needs each."""

    most: int
    seconds: int
    full: Iterable[str] = ()
    """Workloads for which it takes none just now."""
    holding: Iterable[str] = ()
    """The leases that it has; what else it was given comes again."""


class Control:
    """Calls of the control plane. Each raises Unavailable where trying again may help; none tries again by itself."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.url = answers.checked_url(url)
        self._credentials = credentials
        self._clock = clock
        self._offset = 0.0
        self._token: Token | None = None
        self._renewing = asyncio.Lock()
        self.last_contact = float("-inf")
        """When a call last succeeded (monotonic seconds)."""
        self._http = httpx.AsyncClient(
            transport=transport, timeout=httpx.Timeout(15, read=HOLD_S + 15), follow_redirects=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    def now(self) -> float:
        """The control plane's time as far as it is known (Unix seconds)."""
        return self._clock() + self._offset

    async def desired(self, after: int, wait: int = HOLD_S) -> Desired:
        """What the deployment should run; held until there is a revision above `after`, or `wait` seconds."""
        answer = await self._call("GET", "/agent/desired", query={"after": after, "wait": wait})
        return _read(Desired, answer)

    async def report(self, report: Report) -> None:
        await self._call("POST", "/agent/reports", body=report.dump())

    async def heartbeat(self, heartbeat: Heartbeat) -> None:
        await self._call("POST", "/agent/heartbeats", body=heartbeat.dump())

    async def telemetry(self, signal: Signal, body: bytes, batch: str) -> None:
        """Hand over telemetry (an OTLP export in protobuf). What has the same `batch` is taken once."""
        packed = await asyncio.to_thread(gzip.compress, body, 1)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        headers |= {BATCH_HEADER: batch} if batch else {}
        await self._call("POST", f"/{signal}", content=packed, headers=headers)

    async def lease(self, wanted: Wanted, wait: int = HOLD_S) -> Leased:
        """Commands for any workload of the deployment; held until there is one, or `wait` seconds."""
        body = arc.LeaseRequest(
            deployment_id=self._credentials.deployment_id,
            max_leases=wanted.most,
            lease_seconds=wanted.seconds,
            full=tuple(wanted.full),
            holding=tuple(wanted.holding),
        )
        answer = await self._call("POST", "/commands/leases", body=body.dump(), query={"wait": wait})
        return Leased(f"{self.url}/v1/commands/leases", _read(arc.Leases, answer).leases)

    async def renew(self, lease_id: str, seconds: int) -> datetime:
        """Hold a lease for so long from now; when it ends then. Raises NotFound where it has ended."""
        body = arc.RenewLease(lease_seconds=seconds)
        answer = await self._call("POST", f"/commands/leases/{lease_id}/renew", body=body.dump())
        return _read(arc.Renewed, answer).lease_expires_at

    async def give_back(self, lease_id: str) -> None:
        """Release a lease, so that its command is delivered again at once."""
        await self._call("POST", f"/commands/leases/{lease_id}/release", body={"leaseId": lease_id})

    async def respond(self, url: str, response: arc.Success | arc.Failure) -> None:
        """Submit a command's result. The URL carries its own right, so no token goes with it."""
        await self._send("PUT", url, json=response.dump())

    async def exchange(self, request: arc.PresignedRequest, content: bytes | None = None) -> bytes:
        """Send a signed request for the bytes of a large parameter or result."""
        headers = dict(request.backend.headers)
        return (await self._send(request.backend.method, request.backend.url, content=content, headers=headers)).content

    async def bearer(self) -> str:
        """A token with some time left. Raises Unauthorized where the agent's key is not (or no longer) known."""
        async with self._renewing:
            if self._token is None or self._token.expires_at.timestamp() - self.now() < RENEW_S:
                self._token = await self._renew()
            return self._token.token

    async def _renew(self) -> Token:
        before = self._offset
        try:
            return await self._ask_token()
        except Unauthorized:
            if abs(self._offset - before) < 1:
                raise
            return await self._ask_token()  # the refusal told the time, and the clock here was wrong

    async def _ask_token(self) -> Token:
        body = TokenRequest(assertion=self._credentials.assertion(self.now()))
        return _read(Token, await self._send("POST", f"{self.url}/v1/token", json=body.dump()))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> httpx.Response:
        url = f"{self.url}/v1{path}"
        headers: Mapping[str, str] = more.pop("headers", {})
        rest: dict[str, Any] = {"json": body, "params": query, **more}
        token = await self.bearer()
        try:
            return await self._send(method, url, **rest, headers={**headers, **_bearing(token)})
        except Unauthorized:
            if self._token and self._token.token == token:
                self._token = None
            return await self._send(method, url, **rest, headers={**headers, **_bearing(await self.bearer())})

    async def _send(self, method: str, url: str, **rest: Any) -> httpx.Response:
        self._refuse_foreign(url)
        try:
            answer = await self._http.request(method, url, **rest)
        except httpx.TransportError as error:
            raise answers.silent(self.url, error) from error
        self._learn_time(answer)
        answers.check(answer)
        self.last_contact = time.monotonic()
        return answer

    def _refuse_foreign(self, url: str) -> None:
        """The agent talks to one host, whatever URL it was handed."""
        if answers.origin(url) != answers.origin(self.url):
            raise Unavailable(f"the control plane named another server: {urljoin(url, '/')}", hint="ask the vendor")

    def _learn_time(self, answer: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return
        self._offset = told - self._clock() if abs(told - self._clock()) > 1 else 0.0


def _bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _read(model: type[M], answer: httpx.Response) -> M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise Unavailable(
            f"the control plane's answer is not a {model.__name__}: {error.error_count()} wrong"
        ) from error
