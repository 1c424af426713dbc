"""Takes a Container's commands from its agent: the `arc.v1` receiver, with long polls.

A lease is renewed while its handler runs, and given back where the process ends first. Results are submitted until the
lease has run out: whoever does not hear of them delivers the command again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alien_iac.errors import AlienError, BindingInvalid, SecretNotSet, Unavailable
from alien_iac.protocol import arc, environment
from alien_iac.runtime import links
from alien_iac.runtime.answers import Stopped, answer, due
from alien_iac.runtime.bodies import Bodies
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.ending import first, rest
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.problems import problems
from alien_iac.runtime.redelivery import Backoff
from alien_iac.runtime.runner import Runner

WAIT_SECONDS = 25
LEASE_MARGIN = timedelta(seconds=5)
"""Of a lease, kept for submitting the result."""
SUBMIT_SECONDS = 30.0
SHORTEST = timedelta(seconds=2)
"""With less time than this, no command is begun any more."""
_SHORTEST_PAUSE = 0.5
"""Seconds between two renewals of a lease, where one failed."""
_HELD_SECONDS = 1.0
"""An empty answer that came sooner was not held: the other side knows no `?wait=`, so the receiver waits itself."""
_GOOD = frozenset({httpx.codes.CONFLICT, httpx.codes.GONE})
"""A result that is there already, or that nobody waits for any more, is submitted well enough."""
_AGAIN = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


class ReceiverSettings(BaseModel):
    """The environment of the public receivers, by its own names. Partly set is wrong; not set at all is no receiver."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    url: str = Field(alias=environment.COMMANDS_URL)
    token: str = Field(default="", alias="ALIEN_COMMANDS_TOKEN", repr=False)
    token_file: Path | None = Field(default=None, alias=environment.COMMANDS_TOKEN_FILE)
    token_secret: str = Field(default="", alias=environment.COMMANDS_TOKEN_SECRET)
    """The id of a linked Secret."""
    deployment_id: str = Field(alias=environment.DEPLOYMENT_ID)
    target_id: str = Field(alias=environment.COMMANDS_TARGET_ID)
    target_type: arc.ResourceType = Field(alias=environment.COMMANDS_TARGET_TYPE)
    poll_ms: int = Field(default=5_000, gt=0, alias="ALIEN_COMMANDS_POLL_INTERVAL_MS")
    """Between two requests that brought nothing and were not held."""
    longest_poll_ms: int = Field(default=30_000, gt=0, alias="ALIEN_COMMANDS_POLL_MAX_INTERVAL_MS")
    jitter: float = Field(default=0.1, ge=0, le=1, alias="ALIEN_COMMANDS_POLL_JITTER")
    lease_seconds: int = Field(default=60, ge=6, le=3600, alias="ALIEN_COMMANDS_LEASE_SECONDS")
    max_leases: int = Field(default=1, ge=1, le=100, alias="ALIEN_COMMANDS_MAX_LEASES")
    """How many commands run at once."""
    drain_ms: int = Field(default=30_000, ge=0, alias="ALIEN_COMMANDS_DRAIN_TIMEOUT_MS")

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        if not self.token and not self.token_file and not self.token_secret:
            raise ValueError(f"{environment.COMMANDS_TOKEN_FILE} and {environment.COMMANDS_TOKEN_SECRET} are not set")
        return self

    @property
    def leases_url(self) -> str:
        """Where leases are asked for; the query of the base URL is kept."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/commands/leases"))

    def bearer(self) -> str:
        """The token, from its file as it is now."""
        return self.token_file.read_text().strip() if self.token_file else self.token


def read(environ: Mapping[str, str] = os.environ) -> ReceiverSettings | None:
    """The receiver's settings. None where the workload takes no commands; BindingInvalid, naming all that is wrong."""
    if not environ.get(environment.COMMANDS_URL):
        return None
    try:
        return ReceiverSettings.model_validate({name: value for name, value in environ.items() if value})
    except ValidationError as error:
        raise BindingInvalid(f"commands cannot be received: {problems(error)}") from None


class Receiver:
    """Leases, runs, submits. Refused or unanswered requests are tried again for as long as the process lives."""

    def __init__(self, settings: ReceiverSettings, runner: Runner, clock: Clock, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._runner = runner
        self._clock = clock
        self._http = http
        self._secret = links.secret(settings.token_secret) if settings.token_secret else None
        self._bodies = Bodies(lambda: http, settings.leases_url)
        self._renewal = arc.RenewLease(lease_seconds=settings.lease_seconds)
        self._active: dict[str, asyncio.Task[None]] = {}

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`; then what runs has the drain time to come to its end, and the rest is given back."""
        settings = self._settings
        backoff = Backoff(settings.poll_ms / 1000, settings.longest_poll_ms / 1000, settings.jitter)
        while not ended.is_set():
            free = settings.max_leases - len(self._active)
            if not free:
                await first(self._active.values(), ended)
                continue
            asked = time.monotonic()
            leases = await self._lease_or_end(free, ended)
            for lease in leases or ():
                await self._begin(lease)
            if leases or (leases is not None and time.monotonic() - asked > _HELD_SECONDS):
                backoff.reset()
            else:
                await rest(self._clock, backoff.next(), ended)
        await self._runner.stop(settings.drain_ms / 1000)
        await asyncio.gather(*self._active.values())

    async def drain(self, ends: datetime) -> int:
        """Answer what waits, until nothing does or too little time is left. How many commands were dealt with."""
        dealt = 0
        while self._clock.now() + SHORTEST < ends:
            leases = await self._lease(self._settings.max_leases, wait_seconds=0)
            if not leases:
                break
            await asyncio.gather(*(self._deal(lease, ends) for lease in leases))
            dealt += len(leases)
        return dealt

    async def _lease_or_end(self, free: int, ended: asyncio.Event) -> tuple[arc.Lease, ...] | None:
        """New leases; None where the request failed, or the end came first."""
        asking = asyncio.create_task(self._lease(free))
        await first([asking], ended)
        if not asking.done():
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            return None
        try:
            return asking.result()
        except (Unavailable, OSError, ValidationError) as error:
            LOGGER.warning(line("leases", why=getattr(error, "message", type(error).__name__)))
            return None

    async def _lease(self, free: int, wait_seconds: int = WAIT_SECONDS) -> tuple[arc.Lease, ...]:
        settings = self._settings
        body = arc.LeaseRequest(
            deployment_id=settings.deployment_id,
            target=arc.Target(resource_id=settings.target_id, resource_type=settings.target_type),
            max_leases=free,
            lease_seconds=settings.lease_seconds,
        )
        url = httpx.URL(settings.leases_url).copy_merge_params({"wait": str(wait_seconds)})
        answer = await self._post(url, body.dump())
        return arc.Leases.model_validate_json(answer.content).leases

    async def _post(self, url: httpx.URL | str, body: object) -> httpx.Response:
        answer = await self._ask(url, body)
        if not answer.is_success:
            raise Unavailable(f"answered {answer.status_code}")
        return answer

    async def _ask(self, url: httpx.URL | str, body: object) -> httpx.Response:
        """With the bearer token, read anew each time: one that was replaced counts at once."""
        answer = await self._post_with(await self._bearer(), url, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._secret:
            answer = await self._post_with(await self._bearer(fresh=True), url, body)
        return answer

    async def _post_with(self, token: str, url: httpx.URL | str, body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            return await self._http.post(url, json=body, headers=headers, timeout=WAIT_SECONDS + 15)
        except httpx.HTTPError as error:
            raise Unavailable(f"no answer ({type(error).__name__})") from error

    async def _bearer(self, *, fresh: bool = False) -> str:
        """The token. A secret that has no value yet may have one at the next try."""
        if self._secret is None:
            return await asyncio.to_thread(self._settings.bearer)
        try:
            return await self._secret.get(fresh=fresh)
        except SecretNotSet as error:
            raise Unavailable(error.message) from error

    async def _begin(self, lease: arc.Lease) -> None:
        """Run it, unless the command is running already: then the new lease goes back."""
        if lease.command_id in self._active:
            await self._release(lease)
            return
        task = asyncio.create_task(self._deal(lease))
        self._active[lease.command_id] = task
        task.add_done_callback(lambda _: self._active.pop(lease.command_id, None))

    async def _deal(self, lease: arc.Lease, ends: datetime | None = None) -> None:
        submitted: str | None = None
        held = _Held(lease, lease.lease_expires_at, ends)
        keeping = asyncio.create_task(self._keep(held, due(lease.envelope, self._runner)))
        try:
            response = await answer(lease.envelope, self._runner, self._bodies, held.known)
            submitted = await self._submit(held, response)
        except (Stopped, Unavailable) as error:
            submitted = f"given back: {getattr(error, 'message', 'the workload stops')}"
            await self._release(lease)
        finally:
            keeping.cancel()
        target = lease.envelope.target
        LOGGER.info(
            line(
                "lease",
                command=lease.command_id,
                lease=lease.lease_id,
                target=target.resource_id,
                type=target.resource_type,
                attempt=lease.attempt,
                submit=submitted,
            )
        )

    async def _keep(self, held: _Held, latest: datetime | None) -> None:
        """Renew a lease when half of its handler's time is over, again and again, where that is known there."""
        command = held.lease.envelope.command
        handler = self._runner.handlers.find("command", command)
        while (left := (held.ends - self._clock.now()).total_seconds()) > 0:
            handlers = min(left, self._settings.lease_seconds) - LEASE_MARGIN.total_seconds()
            await self._clock.sleep(max(_SHORTEST_PAUSE, handlers / 2))
            try:
                renewed = await self._ask(self._lease_url(held.lease, "renew"), self._renewal.dump())
                if not renewed.is_success and not _is_passing(renewed.status_code):
                    return
                held.ends = arc.Renewed.model_validate_json(renewed.content).lease_expires_at
            except (Unavailable, OSError, ValidationError) as error:
                LOGGER.warning(line("renewal", lease=held.lease.lease_id, why=type(error).__name__))
                continue
            if handler is not None:
                self._runner.postpone(handler, held.lease.command_id, min(held.known, latest or held.known))

    async def _submit(self, held: _Held, response: arc.Response) -> str:
        """What came of it. The URL carries its own authority, so no token goes along."""
        url = self._bodies.resolve(held.lease.envelope.response_handling.submit_response_url) or ""
        left = (held.ends - self._clock.now()).total_seconds()
        end = time.monotonic() + min(SUBMIT_SECONDS, max(left, 1.0))
        backoff = Backoff(first=0.1, longest=1.0)
        while True:
            outcome, is_final = await self._put(url, response)
            pause = backoff.next()
            if is_final or time.monotonic() + pause > end:
                return outcome
            await self._clock.sleep(pause)

    async def _put(self, url: str, response: arc.Response) -> tuple[str, bool]:
        try:
            answer = await self._http.put(url, json=response.dump(), timeout=SUBMIT_SECONDS)
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__})", False
        if answer.is_success or answer.status_code in _GOOD:
            return "done", True
        return f"answered {answer.status_code}", not _is_passing(answer.status_code)

    async def _release(self, lease: arc.Lease) -> None:
        try:
            await self._post(self._lease_url(lease, "release"), {"leaseId": lease.lease_id})
        except (AlienError, OSError) as error:
            # It runs out by itself.
            LOGGER.warning(line("release", lease=lease.lease_id, why=type(error).__name__))

    def _lease_url(self, lease: arc.Lease, verb: str) -> httpx.URL:
        url = httpx.URL(self._settings.leases_url)
        return url.copy_with(path=f"{url.path}/{lease.lease_id}/{verb}")


@dataclass
class _Held:
    """A lease whose end moves. `last`: when the process itself has to be done, where it does."""

    lease: arc.Lease
    ends: datetime
    last: datetime | None

    @property
    def known(self) -> datetime:
        """When the result has to be known."""
        of_lease = self.ends - LEASE_MARGIN
        return min(of_lease, self.last or of_lease)


def _is_passing(status: int) -> bool:
    """Whether another try may be answered otherwise."""
    return status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _AGAIN
