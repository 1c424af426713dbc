"""How a Function's code reaches Lambda: as a zip with the request, through a bucket where it is too big for that."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi_aws.s3 import Bucket, BucketObjectv2

from alien_iac.models.arguments import Architecture, FunctionArguments
from alien_iac.resources.context import Context, R
from alien_iac.resources.surroundings import Packaged
from alien_iac_aws import bucket, naming

HANDLER = "alien_iac.runtime.aws_lambda.handler"
RUNTIME = "python3.13"
_DIRECT = 50 * 2**20
"""Bytes of a zip that Lambda takes with the request itself."""
_SHARED = "artifacts"


def architecture(arguments: FunctionArguments) -> Architecture:
    """A zip runs cheapest on arm64; an image is for x86_64 unless its author says otherwise."""
    return arguments.architecture or ("arm64" if arguments.source is not None else "x86_64")


def zipped(context: Context, artifact: Packaged) -> tuple[dict[str, Any], dict[str, pulumi.Resource]]:
    """The properties of a Function that runs from a packaged source folder, and what had to be made for them."""
    common = {
        "package_type": "Zip",
        "runtime": RUNTIME,
        "handler": HANDLER,
        "source_code_hash": base64.b64encode(bytes.fromhex(artifact.sha256)).decode(),
    }
    if not _is_big(artifact):
        return {**common, "code": pulumi.FileArchive(str(artifact.path))}, {}
    stored = _uploaded(context, artifact)
    return {**common, "s3_bucket": stored.bucket, "s3_key": stored.key}, {"artifact": stored}


def _is_big(artifact: Packaged) -> bool:
    """Whether it goes through a bucket; one that is not on this machine yet is taken for a small one."""
    return artifact.path.is_file() and artifact.path.stat().st_size > _DIRECT


def _uploaded(context: Context, artifact: Packaged) -> BucketObjectv2:
    """The zip in the deployment's bucket for artifacts, named by its content."""
    props = {
        "bucket": _bucket(context).bucket,
        "key": f"{context.declared.id}/{artifact.sha256}.zip",
        "source": pulumi.FileAsset(str(artifact.path)),
        "tags": {"resource": context.declared.id},
    }
    return context.native("artifact", BucketObjectv2, props, suffix="artifact")


def _bucket(context: Context) -> Bucket:
    config = context.deployment.config

    def make(role: str, native: Callable[..., R], props: Mapping[str, Any], /, *_: pulumi.Resource) -> R:
        return context.shared.shared(native, _SHARED if role == "bucket" else f"{_SHARED}-{role}", props)

    name = naming.shared_name(config, "bucket", _SHARED)
    # It holds nothing that a release could not bring again.
    settings = bucket.Settings(
        name=name, resource="foundation", key=config.encryption_key, versioned=True, emptied=True
    )
    bucket.build(settings, make)
    return context.shared.shared(Bucket, _SHARED, {})
