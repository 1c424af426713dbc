"""Telemetry out: to one OTLP endpoint that the vendor configured, in its order, until that takes it.

The endpoint's name is resolved for each request and the connection goes to the address that was looked at: none of
those through which a cloud hands out credentials is ever asked, whatever the name says, and no redirect is followed.
"""

import asyncio
import gzip
import ipaddress
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from alien_iac.control.store import telemetry as store
from alien_iac.control.store.engine import Database
from alien_iac.control.waiting import Waiting
from alien_iac.errors import InvalidInput

log = logging.getLogger(__name__)

TIMEOUT_S = 20.0
BATCH_BYTES = 1 << 20
FIRST_PAUSE_S, MOST_PAUSE_S = 1.0, 60.0
LOOK_S = 25.0
"""How long it sleeps where nobody wakes it: another instance may have put something there."""
_AGAIN = frozenset({408, 429, 502, 503, 504})
_METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})
"""Where clouds answer with credentials, beside the link-local addresses."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where telemetry goes: `url` without `/v1/…`. `headers` may hold the receiver's secret."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """InvalidInput for what is no http(s) URL, or one that is never asked."""
        parts = urlsplit(self.url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise InvalidInput(
                "the address to forward telemetry to is not like https://otlp.example.com",
                hint="leave /v1/logs away, and put credentials into the file of headers",
            )
        refuse_literal(parts.hostname)


def target(url: str | None, headers: Path | None) -> Target | None:
    """Where the settings say that telemetry goes, if they say so."""
    return Target(url=url, headers=read_headers(headers) if headers else {}) if url else None


def read_headers(path: Path) -> Mapping[str, str]:
    """The headers in a file, `name: value` one a line. InvalidInput, with the line's number, for any other."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, colon, value = line.partition(":")
        if line.strip() and not (colon and name.strip()):
            raise InvalidInput(f"{path}, line {number}: a header is written as `name: value`")
        found |= {name.strip().lower(): value.strip()} if line.strip() else {}
    return found


def refuse_literal(host: str) -> None:
    """InvalidInput where a host is written as an address that is never asked."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if is_forbidden(address):
        raise InvalidInput(f"telemetry is not forwarded to {host}", hint="that address is the cloud's own, or nobody's")


def is_forbidden(address: Address) -> bool:
    """Whether nothing may be sent there: addresses of one link, of metadata services, of nobody and of many."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_forbidden(mapped)
    special = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    return special or str(address) in _METADATA


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Forwarder:
    """Sends what waits in the database. `waiting` wakes it."""

    def __init__(self, target: Target, database: Database, waiting: Waiting, resolver: Resolve = resolve) -> None:
        self._target = target
        self._database = database
        self._waiting = waiting
        self._resolve = resolver

    async def run(self) -> None:
        """For as long as the server lives."""
        pause = FIRST_PAUSE_S
        limits = httpx.Limits(max_connections=2)
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, limits=limits) as http:
            while True:
                try:
                    good = await self.once(http)
                except Exception:  # an outermost loop: the next round tries again
                    log.exception("forwarding telemetry failed, and is tried again")
                    good = False
                pause = FIRST_PAUSE_S if good else min(pause * 2, MOST_PAUSE_S)
                if not good:
                    await asyncio.sleep(pause)

    async def once(self, http: httpx.AsyncClient) -> bool:
        """Send the oldest that waits, or wait for some. False where it has to be sent again."""
        async with self._waiting.listening(store.OUT) as sleeper:
            sleeper.rearm()
            rows = await self._database.read(lambda t: store.oldest_out(t, BATCH_BYTES))
            if not rows:
                await sleeper.sleep(LOOK_S)
                return True
        body = b"".join(row["body"] for row in rows)  # repeated fields of messages that follow each other add up
        status = await self._send(http, rows[0]["signal"], body)
        if status is None:
            return False
        numbers, items = [row["number"] for row in rows], sum(row["items"] for row in rows)
        lost = 0 if httpx.codes.is_success(status) else items
        if lost:
            log.warning("telemetry was not taken by its receiver, which answered %d: %d items are lost", status, lost)
        await self._database.write(lambda t: store.done_out(t, numbers, lost, "refused"))
        return True

    async def _send(self, http: httpx.AsyncClient, signal: str, body: bytes) -> int | None:
        """The answer's status; None where the same may be taken later."""
        parts = urlsplit(self._target.url)
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        try:
            address = await asyncio.to_thread(self._address, host, port)
            shown = f"[{address}]" if ":" in address else address
            url = f"{parts.scheme}://{shown}:{port}{parts.path.rstrip('/')}/v1/{signal}"
            headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", "host": parts.netloc}
            packed = await asyncio.to_thread(gzip.compress, body, 1)
            answer = await http.post(
                url, content=packed, headers={**self._target.headers, **headers}, extensions={"sni_hostname": host}
            )
        except (httpx.HTTPError, OSError) as error:
            log.warning("the receiver of telemetry does not answer (%s)", type(error).__name__)
            return None
        return None if answer.status_code in _AGAIN else answer.status_code

    def _address(self, host: str, port: int) -> str:
        """The first address of the host that may be asked. OSError where there is none."""
        for found in self._resolve(host, port):
            if not is_forbidden(ipaddress.ip_address(found.partition("%")[0])):
                return found
        raise OSError(f"{host} has no address that telemetry may be sent to")
