"""What the vendor signs: roots of trust, and the list of all files that agents may believe. Bytes in, bytes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alien_iac.errors import InvalidInput, Untrusted
from alien_iac.packaging.keys import VendorKeys
from alien_iac.protocol.manifest import Blob
from alien_iac.protocol.tuf import (
    CryptoSigner,
    DeserializationError,
    JSONSerializer,
    Key,
    Metadata,
    RepositoryError,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

ROOT_LIFE = timedelta(days=3 * 365)
TARGETS_LIFE = timedelta(days=365)

OnlineKeys = Mapping[str, Mapping[str, Any]]
"""Role (`snapshot`, `timestamp`) to the control plane's public key: TUF's form, with its id as `keyid`."""


def first_root(keys: VendorKeys, online: OnlineKeys, now: datetime) -> bytes:
    """The first root of trust: who signs what. Agents get it when they enrol."""
    return _sign(_root(1, keys, online, now), [keys.root])


def next_root(before: bytes, old: VendorKeys, new: VendorKeys, online: OnlineKeys, now: datetime) -> bytes:
    """The root that follows, signed by the old key and the new one, so that every agent can follow.

    Also how a root is made to last longer: `new` may be the old keys.
    """
    version = version_of(before) + 1
    return _sign(_root(version, new, online, now), _distinct([old.root, new.root]))


def targets(
    before: bytes | None, keys: VendorKeys, added: Iterable[Blob], now: datetime, *, removed: Iterable[str] = ()
) -> bytes:
    """The next list of signed files: those of `before`, without the paths `removed`, with `added`.

    InvalidInput where a path is to stand for other bytes than before: paths never change their meaning.
    """
    gone = set(removed)
    files = {path: file for path, file in (_listed(before) if before else {}).items() if path not in gone}
    for blob in added:
        file = TargetFile(length=blob.length, hashes={"sha256": blob.sha256}, path=blob.path)
        if blob.path in files and files[blob.path].hashes != file.hashes:
            raise InvalidInput(f"{blob.path} is signed already, with other bytes", hint="give it a new path or version")
        files[blob.path] = file
    version = version_of(before) + 1 if before else 1
    return _sign(Targets(version=version, expires=_whole(now + TARGETS_LIFE), targets=files), [keys.targets])


def verify_targets(body: bytes, root: bytes) -> None:
    """Check that a list of signed files carries the signature that a root asks for. Untrusted."""
    try:
        Metadata[Root].from_bytes(root).verify_delegate(Targets.type, _parsed(body))
    except (DeserializationError, RepositoryError) as error:
        raise Untrusted(f"these signed files are not the vendor's: {error}") from error


def _listed(body: bytes) -> dict[str, TargetFile]:
    found = _parsed(body).signed
    if not isinstance(found, Targets):
        raise Untrusted(f"this is {found.type} metadata, and targets was expected")
    return dict(found.targets)


def version_of(body: bytes) -> int:
    """The version of root or targets metadata. Untrusted for anything else."""
    return int(_parsed(body).signed.version)


def _parsed(body: bytes) -> Metadata[Any]:
    try:
        return Metadata.from_bytes(body)
    except (DeserializationError, RepositoryError) as error:
        raise Untrusted(f"this is not TUF metadata: {error}") from error


@dataclass(frozen=True)
class _Named:
    role: str
    key: Key


def _root(version: int, keys: VendorKeys, online: OnlineKeys, now: datetime) -> Root:
    named = [
        _Named(Root.type, keys.root.public_key),
        _Named(Targets.type, keys.targets.public_key),
        *(_Named(role, _public(role, online)) for role in (Snapshot.type, Timestamp.type)),
    ]
    return Root(
        version=version,
        expires=_whole(now + ROOT_LIFE),
        keys={each.key.keyid: each.key for each in named},
        roles={each.role: Role([each.key.keyid], 1) for each in named},
        consistent_snapshot=True,
    )


def _public(role: str, online: OnlineKeys) -> Key:
    told = dict(online.get(role) or {})
    try:
        return Key.from_dict(told.pop("keyid"), told)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"the control plane gave no usable public key for {role}", hint="see GET /v1/tuf/online-keys"
        ) from error


def _distinct(signers: list[CryptoSigner]) -> list[CryptoSigner]:
    return list({signer.public_key.keyid: signer for signer in signers}.values())


def _whole(instant: datetime) -> datetime:
    """TUF knows no fractions of a second."""
    return instant.replace(microsecond=0)


def _sign(signed: Root | Targets, signers: list[CryptoSigner]) -> bytes:
    metadata: Metadata[Any] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes(JSONSerializer(compact=True))
