"""The TUF roles that live online, and what a vendor's signed metadata must hold before it is taken.

Snapshot and timestamp are signed here, by keys of this control plane; root and targets are signed by the vendor and
their keys never come here. Pure but for the signing itself.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from alien_iac.errors import Conflict, Untrusted
from alien_iac.protocol.tuf import (
    CryptoSigner,
    DeserializationError,
    JSONSerializer,
    Metadata,
    MetaFile,
    RepositoryError,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

S = TypeVar("S", Root, Targets, Snapshot, Timestamp)

TIMESTAMP_LIFE = timedelta(hours=24)
SNAPSHOT_LIFE = timedelta(days=30)
RESIGN_AFTER = timedelta(hours=1)
CONFIGS = "deployments/"
"""Target paths under which each deployment has its own signed configs: `deployments/<id>/config-<serial>.json`."""


@dataclass(frozen=True)
class OnlineKeys:
    """The two keys of the control plane."""

    snapshot: CryptoSigner
    timestamp: CryptoSigner

    @classmethod
    def generate(cls) -> "OnlineKeys":
        return cls(CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519())

    def public(self) -> dict[str, dict[str, Any]]:
        """The public keys by role, in TUF's form with the key's id as `keyid`: the vendor puts them into its root."""
        signers = {Snapshot.type: self.snapshot, Timestamp.type: self.timestamp}
        return {role: {"keyid": one.public_key.keyid, **one.public_key.to_dict()} for role, one in signers.items()}


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The newest metadata of each role, as it is served."""

    root: bytes
    targets: bytes | None = None
    snapshot: bytes | None = None
    timestamp: bytes | None = None


def read(kind: type[S], body: bytes) -> Metadata[S]:
    """Parse metadata of one role. Untrusted for anything else."""
    try:
        found: Metadata[S] = Metadata.from_bytes(body)
    except (DeserializationError, RepositoryError) as error:
        raise Untrusted(f"this is not TUF metadata: {error}") from error
    if not isinstance(found.signed, kind):
        raise Untrusted(f"this is {found.signed.type} metadata, and {kind.type} was expected")
    return found


def accept_root(body: bytes, before: bytes | None, keys: OnlineKeys, now: datetime) -> Metadata[Root]:
    """A first root, or the next one of the chain. Untrusted where no client would follow it, or we could not sign."""
    new = read(Root, body)
    _signed_by(new, new, "the new root's own keys")
    if before is not None:
        old = read(Root, before)
        _signed_by(old, new, "the root before")
        if new.signed.version != old.signed.version + 1:
            raise Untrusted(f"root {new.signed.version} does not follow root {old.signed.version}")
    _alive(new, now)
    if not new.signed.consistent_snapshot:
        raise Untrusted("the root does not ask for consistent snapshots")
    for role, signer in ((Snapshot.type, keys.snapshot), (Timestamp.type, keys.timestamp)):
        found = new.signed.roles[role]
        if signer.public_key.keyid not in found.keyids or found.threshold != 1:
            raise Untrusted(
                f"the root does not let this control plane sign {role}",
                hint="take its public keys from GET /v1/tuf/online-keys, with a threshold of 1",
            )
    return new


def accept_targets(body: bytes, root: bytes, before: bytes | None, now: datetime) -> Metadata[Targets]:
    """Targets that the root's targets keys signed, newer than those before. Untrusted or Conflict otherwise."""
    new = read(Targets, body)
    _signed_by(read(Root, root), new, "the root")
    _alive(new, now)
    if new.signed.delegations is not None:
        raise Untrusted("the targets delegate to other roles, which this control plane does not serve")
    version = read(Targets, before).signed.version if before else 0
    if new.signed.version <= version:
        raise Conflict(
            f"targets version {new.signed.version} is not above {version}, which is published",
            hint="sign again on top of the newest targets",
        )
    return new


def file_of(targets: Metadata[Targets], path: str) -> TargetFile:
    """A target by its path. Untrusted where the vendor did not sign for it."""
    found = targets.signed.targets.get(path)
    if found is None:
        raise Untrusted(f'the signed targets do not name "{path}"')
    return found


def sha256_of(target: TargetFile) -> str:
    """A target's SHA-256. Untrusted where it names none."""
    found = target.hashes.get("sha256")
    if found is None:
        raise Untrusted(f'target "{target.path}" names no sha256')
    return found


def owner_of(path: str) -> str | None:
    """The deployment whose alone this target is."""
    return path.removeprefix(CONFIGS).split("/", 1)[0] if path.startswith(CONFIGS) else None


def sign(repository: Repository, keys: OnlineKeys, now: datetime, *, anew: bool = False) -> Repository:
    """The same repository with a new snapshot, where it lacks one of its targets or `anew`, and a new timestamp.

    Versions are seconds since 1970, or the one after the last: a control plane that was restored, and so forgot some of
    its own, is past whatever agents have seen.
    """
    if repository.targets is None:
        return repository
    targets = read(Targets, repository.targets).signed.version
    snapshot = repository.snapshot
    if anew or snapshot is None or not _fits(read(Snapshot, snapshot), targets, now):
        version = _next(read(Snapshot, snapshot).signed.version if snapshot else 0, now)
        files = {"targets.json": MetaFile(version=targets)}
        snapshot = _sign(Snapshot(version=version, expires=now + SNAPSHOT_LIFE, meta=files), keys.snapshot)
    previous = read(Timestamp, repository.timestamp).signed.version if repository.timestamp else 0
    named = MetaFile(
        version=read(Snapshot, snapshot).signed.version,
        length=len(snapshot),
        hashes={"sha256": hashlib.sha256(snapshot).hexdigest()},
    )
    stamp = Timestamp(version=_next(previous, now), expires=now + TIMESTAMP_LIFE, snapshot_meta=named)
    return Repository(
        root=repository.root,
        targets=repository.targets,
        snapshot=snapshot,
        timestamp=_sign(stamp, keys.timestamp),
    )


def _next(version: int, now: datetime) -> int:
    return max(version + 1, int(now.timestamp()))


def is_due(repository: Repository, now: datetime) -> bool:
    """Whether the timestamp is to be signed anew."""
    if repository.timestamp is None:
        return repository.targets is not None
    return read(Timestamp, repository.timestamp).signed.expires - now < TIMESTAMP_LIFE - RESIGN_AFTER


def version_of(body: bytes) -> int:
    """The version of metadata that was verified before."""
    return int(json.loads(body)["signed"]["version"])


def _fits(snapshot: Metadata[Snapshot], targets: int, now: datetime) -> bool:
    fresh = snapshot.signed.expires - now > SNAPSHOT_LIFE / 2
    return fresh and snapshot.signed.meta["targets.json"].version == targets


def _sign(signed: S, signer: CryptoSigner) -> bytes:
    metadata: Metadata[S] = Metadata(signed)
    metadata.sign(signer)
    return metadata.to_bytes(JSONSerializer(compact=True))


def _signed_by(root: Metadata[Root], new: Metadata[Any], whose: str) -> None:
    try:
        root.signed.verify_delegate(new.signed.type, new.signed_bytes, new.signatures)
    except (RepositoryError, ValueError) as error:
        raise Untrusted(f"{new.signed.type} metadata is not signed as {whose} asks: {error}") from error


def _alive(metadata: Metadata[Any], now: datetime) -> None:
    if metadata.signed.is_expired(now):
        raise Untrusted(f"the {metadata.signed.type} metadata expired at {metadata.signed.expires.isoformat()}")


def summary(targets: Metadata[Targets]) -> Mapping[str, str]:
    """Path to SHA-256 of all targets."""
    return {path: sha256_of(target) for path, target in targets.signed.targets.items()}
