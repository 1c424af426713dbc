"""Releases: their blobs, their publication, and the TUF repository that agents read them from."""

import re
from typing import Annotated

from fastapi import Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field

from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.publishing import Publisher, decode
from alien_iac.control.routes.base import PAGE, Cursor, Limit, Routes
from alien_iac.control.routes.bodies import file_response
from alien_iac.control.security import Admin, DeploymentReader, Reader
from alien_iac.control.store import audit
from alien_iac.control.store import releases as store
from alien_iac.control.store.engine import Transaction
from alien_iac.errors import NotFound
from alien_iac.protocol.api import OnlineKeys, Page, PublishRelease, Release
from alien_iac.protocol.wire import Open

router = Routes(tags=["releases"])

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_METADATA = re.compile(r"(?:(?P<version>[1-9]\d{0,17})\.)?(?P<role>root|targets|snapshot|timestamp)\.json")
_TARGET = re.compile(r"(?P<folder>(?:.*/)?)(?P<sha256>[0-9a-f]{64})\.(?P<name>[^/]+)")


class SignedMetadata(Open):
    """TUF metadata that the vendor signed, in base64."""

    metadata: str = Field(max_length=16 << 20)


class SignedTargets(SignedMetadata):
    """Targets; with them the next root, where the keys were replaced: neither would hold without the other."""

    root_metadata: str | None = Field(default=None, max_length=16 << 20)


class MetadataVersion(Open):
    """The version of the metadata that is served now."""

    version: int


def _publisher(control: Control) -> Publisher:
    return Publisher(control.blobs, control.keys)


@router.put("/blobs/{sha256}", status_code=204)
async def put_blob(sha256: Sha256, request: Request, caller: Admin, control: Parts) -> Response:
    """Take a file by the SHA-256 of its content."""
    del caller
    if control.blobs.size(sha256) is None:
        await control.blobs.put(sha256, request.stream(), sha256)
    return Response(status_code=204)


@router.head("/blobs/{sha256}", status_code=204)
async def has_blob(sha256: Sha256, caller: Admin, control: Parts) -> Response:
    """Whether a file is here already."""
    del caller
    if control.blobs.size(sha256) is None:
        raise NotFound(f"there is no blob {sha256}")
    return Response(status_code=204)


@router.post("/releases")
async def publish(body: PublishRelease, caller: Admin, control: Parts) -> Release:
    """Publish a signed release."""

    def work(transaction: Transaction) -> Release:
        made = _publisher(control).release(transaction, body)
        if made.created_at == transaction.now:
            audit.append(transaction, caller.actor, "release.publish", made.version, sequence=made.sequence)
        return made

    return await control.database.write(work)


@router.get("/releases")
async def ls(caller: Reader, control: Parts, cursor: Cursor = None, limit: Limit = PAGE) -> Page[Release]:
    """Releases, newest first."""
    del caller
    found, following = await control.database.read(lambda transaction: store.rows(transaction, cursor, limit))
    return Page[Release](items=tuple(found), next=following)


@router.get("/releases/{version}")
async def show(version: str, caller: Reader, control: Parts) -> Release:
    """One release."""
    del caller
    return await control.database.read(lambda transaction: store.get(transaction, version))


@router.get("/tuf/online-keys")
async def online_keys(caller: Reader, control: Parts) -> OnlineKeys:
    """The public keys that the vendor's root must let sign snapshot and timestamp."""
    del caller
    return OnlineKeys(keys=control.keys.public())


@router.put("/tuf/root")
async def put_root(body: SignedMetadata, caller: Admin, control: Parts) -> MetadataVersion:
    """Take the first root of trust, or the next one of its chain."""
    root = decode(body.metadata, "metadata")

    def work(transaction: Transaction) -> int:
        version = _publisher(control).root(transaction, root)
        audit.append(transaction, caller.actor, "tuf.root", f"root {version}")
        return version

    return MetadataVersion(version=await control.database.write(work))


@router.put("/tuf/targets")
async def put_targets(body: SignedTargets, caller: Admin, control: Parts) -> MetadataVersion:
    """Take newer targets without a release: configs of deployments, or the same files under new keys."""
    targets = decode(body.metadata, "metadata")
    root = decode(body.root_metadata, "rootMetadata") if body.root_metadata else None

    def work(transaction: Transaction) -> int:
        version = _publisher(control).targets(transaction, targets, root).signed.version
        audit.append(transaction, caller.actor, "tuf.targets", f"targets {version}")
        return version

    return MetadataVersion(version=await control.database.write(work))


@router.get("/tuf/metadata/{name}")
async def metadata(name: str, caller: DeploymentReader, control: Parts) -> Response:
    """Metadata by its TUF name: `timestamp.json`, `7.snapshot.json`; without a number the newest."""
    del caller
    found = _METADATA.fullmatch(name)
    if found is None:
        raise NotFound(f'there is no metadata "{name}"')
    version = int(found["version"]) if found["version"] else None
    body = await control.database.read(lambda transaction: store.metadata(transaction, found["role"], version))
    return Response(body, media_type="application/json")


@router.get("/tuf/targets/{path:path}")
async def target(path: str, caller: DeploymentReader, control: Parts) -> FileResponse:
    """A signed file by its TUF path with the hash before its name. A deployment's config is for that one only."""
    found = _TARGET.fullmatch(path)
    if found is None:
        raise NotFound(f'there is no signed target "{path}"', hint="its name begins with its SHA-256 and a dot")
    plain = found["folder"] + found["name"]
    row = await control.database.read(lambda transaction: store.target(transaction, plain, found["sha256"]))
    if row["deployment_id"] is not None and caller.deployment_id not in {None, row["deployment_id"]}:
        raise NotFound(f'there is no signed target "{path}"')
    return file_response(control.blobs, row["sha256"])
