"""Releases, the TUF metadata that vouches for them, and which files they name."""

import hashlib
from collections.abc import Iterable

from sqlalchemy import RowMapping, delete, func, insert, select

from alien_iac.control import trust
from alien_iac.control.store import paging
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import METADATA_FILES, RELEASES, TARGET_FILES
from alien_iac.control.trust import Repository
from alien_iac.errors import Conflict, NotFound
from alien_iac.protocol.api import Release
from alien_iac.protocol.manifest import Manifest

_ROLES = ("root", "targets", "snapshot", "timestamp")


def first_root(transaction: Transaction) -> bytes:
    """The root that a new agent starts from. Conflict while there is none."""
    query = select(METADATA_FILES.c.body).where(METADATA_FILES.c.role == "root").order_by(METADATA_FILES.c.version)
    found = transaction.scalar(query.limit(1))
    if found is None:
        raise Conflict(
            "this control plane has no root of trust yet", hint="`alien key init` gives it the vendor's first root"
        )
    return bytes(found)


def repository(transaction: Transaction) -> Repository | None:
    """The newest metadata of each role; None before the first root."""
    newest = {role: _newest(transaction, role) for role in _ROLES}
    root = newest.pop("root")
    return None if root is None else Repository(root=root, **newest)


def _newest(transaction: Transaction, role: str) -> bytes | None:
    query = select(METADATA_FILES.c.body).where(METADATA_FILES.c.role == role)
    found = transaction.scalar(query.order_by(METADATA_FILES.c.version.desc()).limit(1))
    return None if found is None else bytes(found)


def metadata(transaction: Transaction, role: str, version: int | None) -> bytes:
    """Metadata by role and version, or the newest. NotFound where there is none."""
    query = select(METADATA_FILES.c.body).where(METADATA_FILES.c.role == role)
    query = query.where(METADATA_FILES.c.version == version) if version else query
    found = transaction.scalar(query.order_by(METADATA_FILES.c.version.desc()).limit(1))
    if found is None:
        raise NotFound(f"there is no {role} metadata {version or ''}".rstrip())
    return bytes(found)


def write_metadata(transaction: Transaction, new: Repository) -> None:
    """Store what is new of a repository."""
    for role in _ROLES:
        body = getattr(new, role)
        if body is not None:
            _write_one(transaction, role, body)
    newest = select(func.max(METADATA_FILES.c.version)).where(METADATA_FILES.c.role == "timestamp").scalar_subquery()
    stamps = METADATA_FILES.c.role == "timestamp"  # only the newest of them is ever asked for
    transaction.run(delete(METADATA_FILES).where(stamps, METADATA_FILES.c.version < newest))


def _write_one(transaction: Transaction, role: str, body: bytes) -> None:
    version = trust.version_of(body)
    known = (METADATA_FILES.c.role == role, METADATA_FILES.c.version == version)
    if transaction.one(select(METADATA_FILES.c.version).where(*known)) is None:
        transaction.run(
            insert(METADATA_FILES).values(role=role, version=version, body=body, created_at=transaction.now)
        )


def write_targets(transaction: Transaction, files: Iterable[tuple[str, str, int]], version: int) -> None:
    """Note the files (path, SHA-256, length) that targets metadata names."""
    known = {(row["path"], row["sha256"]) for row in transaction.all(select(TARGET_FILES))}
    rows = [
        {"path": path, "sha256": sha256, "length": length, "deployment_id": trust.owner_of(path), "version": version}
        for path, sha256, length in files
        if (path, sha256) not in known
    ]
    transaction.insert(insert(TARGET_FILES), rows)


def target(transaction: Transaction, path: str, sha256: str | None = None) -> RowMapping:
    """A file by its path (and hash): whose it is, where its bytes are. NotFound where nothing signed names it."""
    query = select(TARGET_FILES).where(TARGET_FILES.c.path == path)
    query = query.where(TARGET_FILES.c.sha256 == sha256) if sha256 else query
    found = transaction.one(query.order_by(TARGET_FILES.c.version.desc()).limit(1))
    if found is None:
        raise NotFound(f'there is no signed target "{path}"')
    return found


def add(transaction: Transaction, manifest: Manifest, path: str, request_hash: str) -> None:
    """Store a release. Conflict where its version or sequence is taken, or not above the last."""
    same = transaction.one(select(RELEASES).where(RELEASES.c.version == manifest.version))
    if same is not None:
        raise Conflict(f'release "{manifest.version}" is published already', hint="give this one a new version")
    last = transaction.one(select(RELEASES).order_by(RELEASES.c.sequence.desc()).limit(1))
    if last is not None and manifest.sequence <= last["sequence"]:
        raise Conflict(
            f"sequence {manifest.sequence} is not above {last['sequence']}, which release {last['version']} has",
            hint="build the release again",
        )
    if last is not None and manifest.program != last["program"]:
        raise Conflict(f'program "{manifest.program}" is not "{last["program"]}", which this control plane releases')
    transaction.run(
        insert(RELEASES).values(
            version=manifest.version,
            sequence=manifest.sequence,
            program=manifest.program,
            platforms=list(manifest.platforms),
            manifest=path,
            minimum_sequence=manifest.minimum_sequence,
            request_hash=request_hash,
            created_at=transaction.now,
        )
    )


def published(transaction: Transaction, path: str, request_hash: str) -> Release | None:
    """The release that this very request published before."""
    row = transaction.one(select(RELEASES).where(RELEASES.c.manifest == path, RELEASES.c.request_hash == request_hash))
    return _release(row, _minimum(transaction)) if row else None


def get(transaction: Transaction, version: str) -> Release:
    """A release. NotFound for an unknown version."""
    row = transaction.one(select(RELEASES).where(RELEASES.c.version == version))
    if row is None:
        raise NotFound(f'there is no release "{version}"', hint="`alien release` publishes one")
    return _release(row, _minimum(transaction))


def rows(transaction: Transaction, cursor: str | None, limit: int) -> tuple[list[Release], str | None]:
    """Releases, newest first."""
    found, following = paging.page(transaction, select(RELEASES), (RELEASES.c.sequence,), cursor, limit)
    minimum = _minimum(transaction)
    return [_release(row, minimum) for row in found], following


def program(transaction: Transaction) -> str:
    """The program that this control plane releases; empty before its first release."""
    return str(transaction.scalar(select(RELEASES.c.program).limit(1)) or "")


def _minimum(transaction: Transaction) -> int:
    return int(transaction.scalar(select(func.max(RELEASES.c.minimum_sequence))) or 0)


def _release(row: RowMapping, minimum: int) -> Release:
    return Release(
        version=row["version"],
        sequence=row["sequence"],
        program=row["program"],
        platforms=tuple(row["platforms"]),
        manifest=row["manifest"],
        created_at=row["created_at"],
        recalled=row["sequence"] < minimum,
    )


def hash_of(*parts: str | None) -> str:
    """What tells one publication from another."""
    return hashlib.sha256("\n".join(part or "" for part in parts).encode()).hexdigest()
