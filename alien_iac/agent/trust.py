"""What the vendor signed, and nothing else: The Update Framework's client over the control plane's `/v1/tuf`.

Trusted metadata lies in the agent's folder, starts at the root of the enrolment, and never goes back in its versions.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from alien_iac.agent.place import Place
from alien_iac.agent.release import Release
from alien_iac.errors import Unavailable, Untrusted
from alien_iac.protocol.manifest import Blob, Manifest, SignedConfig
from alien_iac.protocol.tuf import FetcherInterface, Metadata, TargetFile, Updater, exceptions

ROLES = ("root", "timestamp", "snapshot", "targets")
_PATIENCE = 60.0
"""Seconds that an answer may take whatever its pace, and that the line may be silent."""
_PACE = 1024
"""Bytes a second that must have come after that: a line that drips must not keep an agent from its other work."""
_STAYS = "nothing was applied; the current release stays"

M = TypeVar("M", bound=BaseModel)


class _Fetcher(FetcherInterface):
    """Downloads with the agent's token."""

    def __init__(self, bearer: str, transport: httpx.BaseTransport | None, clock: Callable[[], float]) -> None:
        headers = {"authorization": f"Bearer {bearer}"}
        self._http = httpx.Client(transport=transport, headers=headers, timeout=_PATIENCE)
        self._clock = clock

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            with self._http.stream("GET", url) as answer:
                if not answer.is_success:
                    raise exceptions.DownloadHTTPError(f"{url}: {answer.status_code}", answer.status_code)
                yield from self._paced(url, answer.iter_bytes())
        except httpx.HTTPError as error:  # what comes while the bytes are read is beyond where TUF looks for it
            raise exceptions.DownloadError(f"{url} does not answer ({type(error).__name__})") from error

    def _paced(self, url: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        began, received = self._clock(), 0
        for chunk in chunks:
            received += len(chunk)
            passed = self._clock() - began
            if passed > _PATIENCE and received < passed * _PACE:
                raise exceptions.DownloadError(f"{url} came too slowly: {received} bytes in {passed:.0f} s")
            yield chunk

    def close(self) -> None:
        self._http.close()


class Repository:
    """One look at what is signed now. Use it for one update; blocking, so call it in a thread."""

    def __init__(
        self,
        place: Place,
        url: str,
        bearer: str,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blobs = place.releases / "blobs"
        self._blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._fetcher = _Fetcher(bearer, transport, clock)
        with _refusing("the metadata"):
            self._updater = Updater(
                str(place.tuf),
                f"{url}/v1/tuf/metadata/",
                str(self._blobs),
                f"{url}/v1/tuf/targets/",
                fetcher=self._fetcher,
                bootstrap=(place.tuf / "first-root.json").read_bytes(),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fetcher.close()

    def refresh(self) -> None:
        """Bring the trusted metadata up to date. Raises Untrusted (`expired` in its context where that is why)."""
        with _refusing("the metadata"):
            self._updater.refresh()

    def release(self, manifest: str, config: str | None) -> Release:
        """The release of two target paths, verified. Raises Untrusted, or Unavailable where bytes are missing."""
        target = self._target(manifest)
        found = _parsed(Manifest, self._fetch(target), manifest)
        signed = _parsed(SignedConfig, self._fetch(self._target(config)), config) if config else None
        return Release(path=manifest, digest=target.hashes["sha256"], manifest=found, config=signed)

    def blob(self, blob: Blob) -> Path:
        """The verified bytes that a manifest names, in a file that is named after their hash."""
        target = self._target(blob.path)
        if target.hashes["sha256"] != blob.sha256 or target.length != blob.length:
            raise Untrusted(f"{blob.path}: the manifest and the signed list of targets differ", hint=_STAYS)
        return self._file(target)

    def _target(self, path: str) -> TargetFile:
        with _refusing(path):
            target = self._updater.get_targetinfo(path)
        if target is None or "sha256" not in target.hashes:
            raise Untrusted(f"{path} is not among what the vendor signed", hint=_STAYS)
        return target

    def _fetch(self, target: TargetFile) -> bytes:
        return self._file(target).read_bytes()

    def _file(self, target: TargetFile) -> Path:
        path = self._blobs / target.hashes["sha256"]
        with _refusing(target.path):
            if not self._updater.find_cached_target(target, str(path)):
                self._updater.download_target(target, str(path))
        return path


def cached(place: Place, blob: Blob) -> Path:
    """The bytes of a blob as an earlier look left them, hashed again. Raises Untrusted where they are others."""
    path = place.releases / "blobs" / blob.sha256
    if path.is_file():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == blob.sha256:
                return path
    raise Untrusted(f"{blob.path}: the copy in {path.parent} is gone or was changed", hint="release it again")


def stale(place: Place, now: datetime | None = None) -> str | None:
    """Which role's trusted metadata has expired (or is missing); None where all is fresh."""
    for role in ROLES:
        try:
            metadata: Metadata[Any] = Metadata.from_bytes(_newest(place, role).read_bytes())
        except (OSError, exceptions.RepositoryError):
            return role
        if metadata.signed.is_expired(now or datetime.now(UTC)):
            return role
    return None


def _newest(place: Place, role: str) -> Path:
    """The trusted metadata of a role. TUF takes the link to the newest root away for a moment at each look."""
    if role != "root":
        return place.tuf / f"{role}.json"
    roots = (place.tuf / "root_history").glob("*.root.json")
    return max(roots, key=lambda path: int(path.name.partition(".")[0]), default=place.tuf / "root.json")


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Turns TUF's errors into ours."""
    try:
        yield
    except exceptions.ExpiredMetadataError as error:
        raise Untrusted(f"{what} has expired: {error}", hint=_STAYS, expired=True) from error
    except (exceptions.RepositoryError, exceptions.DownloadLengthMismatchError) as error:
        why = f"{what} failed the check of its signature, version or hash: {error}"
        raise Untrusted(why, hint=_STAYS) from error
    except exceptions.DownloadError as error:
        raise Unavailable(f"{what}: {error}", hint="the agent tries again") from error


def _parsed(model: type[M], content: bytes, path: str) -> M:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        wrong: Mapping[str, object] = {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
        raise Untrusted(
            f"{path} is signed, but is no {model.__name__}: {dict(wrong)}", hint="ask the vendor"
        ) from error
