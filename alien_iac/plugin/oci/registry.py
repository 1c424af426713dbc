"""A registry over HTTP, by the OCI distribution specification: the few requests that a pull and a push are made of.

The client on the package index parses what it fetches, and an image by digest needs the very bytes; it also waits
minutes before it says that a name does not resolve.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin

import httpx

from alien_iac.errors import AlienError, NotFound, Unauthorized, Unavailable, UpdateFailed
from alien_iac.plugin.oci.model import DIGEST, MANIFESTS, Manifest, verified

_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT = httpx.Timeout(60, connect=15)
_PIECE = 1 << 20

Login = Callable[[str], tuple[str, str] | None]
"""The login to a registry by its host."""


class Registry:
    """One repository in a registry. Close it when it is done with."""

    def __init__(self, repository: str, login: Login) -> None:
        host, _, name = repository.partition("/")
        self._host = _HUB_HOST if host == _HUB else host
        self._name = f"library/{name}" if host == _HUB and "/" not in name else name
        scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
        self._base = f"{scheme}://{self._host}/v2/{self._name}/"
        self._login, self._head = login, ""
        self._client = httpx.Client(timeout=_TIMEOUT, transport=httpx.HTTPTransport(retries=2))

    def close(self) -> None:
        self._client.close()

    def manifest(self, reference: str) -> Manifest | None:
        answer = self._ask("GET", f"manifests/{reference}", headers={"Accept": ", ".join(MANIFESTS)})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        self._refuse(answer, "read")
        found = Manifest(answer.headers.get("Content-Type", "").partition(";")[0], answer.content)
        if DIGEST.fullmatch(reference) and found.digest != reference:
            raise UpdateFailed(f"{self._host}/{self._name} answers {found.digest} for {reference}")
        return found

    def has_blob(self, digest: str) -> bool:
        answer = self._ask("HEAD", f"blobs/{digest}")
        if answer.status_code != httpx.codes.NOT_FOUND:
            self._refuse(answer, "read")
        return answer.is_success

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        self.has_blob(digest)  # it settles how this repository is read
        url, head = urljoin(self._base, f"blobs/{digest}"), self._headers({})
        try:
            # The login is for the registry; the store that it may send us to gets none, as httpx drops it on the way.
            with self._client.stream("GET", url, headers=head, follow_redirects=True) as answer:
                if not answer.is_success:
                    answer.read()
                self._refuse(answer, "read")
                yield answer.iter_raw(_PIECE)
        except httpx.TransportError as error:
            raise self._silent(error) from error

    def add_blob(self, digest: str, size: int, content: Iterator[bytes]) -> None:
        begun = self._ask("POST", "blobs/uploads/")
        self._refuse(begun, "written to")
        place = httpx.URL(urljoin(self._base, begun.headers["Location"])).copy_merge_params({"digest": digest})
        head = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        known = self._headers(head) if place.host == httpx.URL(self._base).host else head
        answer = self._send("PUT", str(place), known, verified(content, digest))
        self._refuse(answer, "written to")

    def add_manifest(self, manifest: Manifest, tag: str) -> None:
        head = {"Content-Type": manifest.media_type}
        self._refuse(self._ask("PUT", f"manifests/{tag}", headers=head, content=manifest.content), "written to")

    def remove(self, digest: str, tag: str) -> None:
        """Some registries refuse to delete an image that has a tag, some to delete a tag, and some to delete at all."""
        self._ask("DELETE", f"manifests/{tag}")
        answer = self._ask("DELETE", f"manifests/{digest}")
        if answer.status_code not in {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}:
            self._refuse(answer, "deleted from")

    def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> httpx.Response:
        """One request; where the registry wants to know who asks, the same again with the answer to that."""
        url = urljoin(self._base, path)
        answer = self._send(method, url, self._headers(headers or {}), content)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._head = self._authorisation(answer.headers.get("WWW-Authenticate", ""))
            answer = self._send(method, url, self._headers(headers or {}), content)
        return answer

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**more, "Authorization": self._head} if self._head else dict(more)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | Iterator[bytes]
    ) -> httpx.Response:
        try:
            return self._client.request(method, url, headers=headers, content=content or None)
        except httpx.TransportError as error:
            raise self._silent(error) from error

    def _silent(self, error: httpx.TransportError) -> AlienError:
        return Unavailable(f"the registry {self._host} does not answer: {error}", hint="is its name right?")

    def _authorisation(self, challenge: str) -> str:
        """The head that answers the registry's challenge: the login itself, or a token that it buys."""
        login = self._login(self._host)
        scheme, _, rest = challenge.partition(" ")
        basic = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}" if login else ""
        if scheme.lower() != "bearer":
            return basic
        asked = dict(_CHALLENGE.findall(rest))
        realm = asked.pop("realm", "")
        scope = asked.get("scope") or f"repository:{self._name}:pull,push"
        answer = self._send(
            "GET",
            str(httpx.URL(realm).copy_merge_params({**asked, "scope": scope})),
            {"Authorization": basic} if basic else {},
            b"",
        )
        if not answer.is_success:
            raise Unauthorized(f"{httpx.URL(realm).host} gives no token for {self._host}/{self._name}", hint=_HINT)
        told = answer.json()
        return f"Bearer {told.get('token') or told.get('access_token')}"

    def _refuse(self, answer: httpx.Response, what: str) -> None:
        if answer.is_success:
            return
        place, code = f"{self._host}/{self._name}", answer.status_code
        if code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise Unauthorized(f"{place} may not be {what} by this identity ({code})", hint=_HINT)
        if code == httpx.codes.NOT_FOUND:
            raise NotFound(f"{place} could not be {what}: it is not there", hint="does the repository exist?")
        raise UpdateFailed(f"{place} could not be {what}: {code} {answer.text[:200]}")


_HINT = "may this identity use the repository? `alien review --permissions` lists what it needs"
