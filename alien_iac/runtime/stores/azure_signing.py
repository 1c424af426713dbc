"""Signed URLs of an Azure container, with a key that Azure delegates to the workload's identity.

`obstore` signs the encoded form of a key, and Azure checks the plain one: its URLs for keys
with a space or beyond ASCII are refused. So the few lines that sign are here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import httpx
from azure.core.credentials import TokenCredential

from alien_iac.errors import AlienError, Forbidden, InvalidInput, Unauthorized, Unavailable
from alien_iac.runtime.stores.azure_errors import refused, translated
from alien_iac.runtime.stores.storage import Method

VERSION = "2022-11-02"
"""The version of Azure's interface that asks for the key and says what is signed."""
SCOPE = "https://storage.azure.com/.default"
LONGEST = timedelta(days=7)
KEY_LASTS = timedelta(hours=2)
EARLIER = timedelta(minutes=5)
"""A signed URL is good from a little before now, for clocks that are behind."""
_PERMISSIONS: Mapping[Method, str] = {"GET": "r", "PUT": "cw", "DELETE": "d"}
_ERRORS: Mapping[int, type[AlienError]] = {401: Unauthorized, 403: Forbidden}
_FIELD = re.compile(r"<(Signed\w+|Value)>([^<]*)</\1>")


@dataclass(frozen=True)
class DelegatedKey:
    """A key as Azure gave it: its fields by their names, and when it ends."""

    fields: Mapping[str, str]
    ends: datetime


class Signer:
    """Signs for one container. It asks for a key when it needs one, and keeps it."""

    def __init__(
        self,
        account: str,
        container: str,
        credential: TokenCredential,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._container = container
        self._credential = credential
        self._now = now
        self._lock = threading.Lock()
        self._key: DelegatedKey | None = None

    def url(self, method: Method, key: str, lasts: timedelta) -> str:
        """A URL for one object. Forbidden where the identity may not have a key."""
        if lasts > LONGEST - EARLIER:
            raise InvalidInput(f"on Azure a signed URL is good for less than {LONGEST.days} days, not {lasts}")
        now = self._now()
        ends = now + lasts
        delegated = self._delegated(ends)
        query = signed_query(
            delegated.fields,
            f"/blob/{self._account}/{self._container}/{key}",
            _PERMISSIONS[method],
            now - EARLIER,
            ends,
        )
        return f"{self._base}/{self._container}/{quote(key)}?{query}"

    @property
    def _base(self) -> str:
        return f"https://{self._account}.blob.core.windows.net"

    def _delegated(self, until: datetime) -> DelegatedKey:
        with self._lock:
            if self._key is None or self._key.ends < until:
                self._key = self._ask(max(until, self._now() + KEY_LASTS))
            return self._key

    def _ask(self, ends: datetime) -> DelegatedKey:
        about = f'the key to sign URLs of "{self._container}" with'
        with translated(about):
            token = self._credential.get_token(SCOPE).token
        body = f"<KeyInfo><Start>{_time(self._now() - EARLIER)}</Start><Expiry>{_time(ends)}</Expiry></KeyInfo>"
        headers = {"Authorization": f"Bearer {token}", "x-ms-version": VERSION, "Content-Type": "application/xml"}
        place = f"{self._base}/?restype=service&comp=userdelegationkey"
        try:
            answer = httpx.post(place, headers=headers, content=body, timeout=20)
        except httpx.HTTPError as error:
            raise Unavailable(f"{about}: Azure does not answer ({type(error).__name__})") from error
        if answer.status_code in _ERRORS:
            raise refused(about, _ERRORS[answer.status_code])
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"{about}: Azure answered {answer.status_code}")
        return DelegatedKey(dict(_FIELD.findall(answer.text)), ends)


def signed_query(key: Mapping[str, str], resource: str, permissions: str, starts: datetime, ends: datetime) -> str:
    """The query of a signed URL: what may be done with the resource and until when, and the signature of that."""
    said = {
        "sp": permissions,
        "st": _time(starts),
        "se": _time(ends),
        "skoid": key["SignedOid"],
        "sktid": key["SignedTid"],
        "skt": key["SignedStart"],
        "ske": key["SignedExpiry"],
        "sks": key["SignedService"],
        "skv": key["SignedVersion"],
        "spr": "https",
        "sv": VERSION,
        "sr": "b",
    }
    whose = [said[name] for name in ("skoid", "sktid", "skt", "ske", "sks", "skv")]
    # What is left empty: three other identities, the caller's address; a snapshot, a scope of encryption, five headers.
    parts = [said["sp"], said["st"], said["se"], resource, *whose, *[""] * 4, said["spr"], VERSION, "b", *[""] * 7]
    digest = hmac.new(base64.b64decode(key["Value"]), "\n".join(parts).encode(), hashlib.sha256).digest()
    return urlencode({**said, "sig": base64.b64encode(digest).decode()})


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
