"""Signed URLs: what a command's receiver may do without a token, for one lease and for a limited time."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from alien_iac.errors import Unauthorized
from alien_iac.protocol import arc

LIFE = timedelta(hours=2)
"""How long a URL for answering, or for fetching a body, is good."""
UPLOAD_LIFE = timedelta(hours=1)
BODIES = "/blobs/cmd_"
"""Begins the paths of large bodies; every command's id goes on from here."""

Operation = Literal["get", "put"]


@dataclass(frozen=True)
class Answering:
    """Which delivery a response is for."""

    command_id: str
    lease_id: str
    attempt: int

    def __str__(self) -> str:
        return f"response:{self.command_id}:{self.lease_id}:{self.attempt}"


class Signer:
    """Signs and checks URLs with one key. `key` has at least 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < hashlib.sha256().digest_size:
            raise ValueError("the signing key is too short")
        self._key = key

    def answer_url(self, delivery: Answering, now: datetime) -> str:
        """Where the result goes, relative to the lease's URL."""
        expires = int((now + LIFE).timestamp())
        query = {
            "response_token": self._mac(f"{delivery}:{expires}"),
            "expires": expires,
            "lease": delivery.lease_id,
            "attempt": delivery.attempt,
        }
        return f"{delivery.command_id}/response?{urlencode(query)}"

    def check_answer(self, delivery: Answering, token: str, expires: int, now: datetime) -> None:
        """Unauthorized unless the token is ours for this delivery and not over."""
        self._check(f"{delivery}:{expires}", token, expires, now)

    def body_request(self, base: str, name: str, operation: Operation, expires: datetime) -> arc.PresignedRequest:
        """A request that gets or puts one body."""
        path = f"/v1{BODIES}{name.removeprefix('cmd_')}"
        until = int(expires.timestamp())
        query = urlencode({"expires": until, "signature": self._mac(f"body:{operation}:{name}:{until}")})
        backend = arc.HttpBackend(url=f"{base}{path}?{query}", method=operation.upper())
        return arc.PresignedRequest(backend=backend, expiration=expires, operation=operation, path=path)

    def check_body(self, name: str, operation: Operation, signature: str, expires: int, now: datetime) -> None:
        """Unauthorized unless the signature is ours for this body and operation and not over."""
        self._check(f"body:{operation}:{name}:{expires}", signature, expires, now)

    def _mac(self, words: str) -> str:
        return hmac.new(self._key, words.encode(), hashlib.sha256).hexdigest()

    def _check(self, words: str, given: str, expires: int, now: datetime) -> None:
        if not hmac.compare_digest(self._mac(words).encode(), given.encode()):
            raise Unauthorized("the URL's signature is not right")
        if expires < now.timestamp():
            raise Unauthorized("the URL is over", hint="ask for a new one")
