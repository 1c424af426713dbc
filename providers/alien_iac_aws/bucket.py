"""A bucket and the settings beside it: private, its owner's alone, encrypted, over TLS only, tidied up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pulumi
from pulumi_aws.s3 import (
    Bucket,
    BucketLifecycleConfiguration,
    BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs,
    BucketLifecycleConfigurationRuleArgs,
    BucketLifecycleConfigurationRuleExpirationArgs,
    BucketLifecycleConfigurationRuleFilterArgs,
    BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs,
    BucketOwnershipControls,
    BucketOwnershipControlsRuleArgs,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs,
    BucketServerSideEncryptionConfigurationRuleArgs,
    BucketVersioning,
    BucketVersioningVersioningConfigurationArgs,
)

from alien_iac_aws.policy import Statement, deny_plain_http, document, text

R = TypeVar("R", bound=pulumi.Resource)
_ABANDONED_DAYS = 7
"""After so long the parts of an upload that was never finished are deleted."""
_NONCURRENT_DAYS = 30
"""How long a replaced or deleted version can be had back."""


class Make(Protocol):
    """Makes one of the bucket's resources, by its role."""

    def __call__(
        self, role: str, make: Callable[..., R], props: Mapping[str, Any], /, *needed: pulumi.Resource
    ) -> R: ...


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is different from bucket to bucket."""

    name: str
    resource: str
    """The tag `resource`."""
    key: str | None
    """The customer's key; None is S3's own."""
    versioned: bool
    expire_days: int | None = None
    public_read: bool = False
    emptied: bool = False
    """Whether it may be deleted with objects in it."""
    statements: tuple[Statement, ...] = ()
    """What its policy says beside that: a service of AWS that writes to it."""


def build(settings: Settings, make: Make) -> dict[str, pulumi.Resource]:
    """The bucket and its settings, by role."""
    props = {"bucket": settings.name, "force_destroy": settings.emptied, "tags": {"resource": settings.resource}}
    bucket = make("bucket", Bucket, props)
    closed = not settings.public_read
    block = make(
        "public-access-block",
        BucketPublicAccessBlock,
        {
            "bucket": bucket.bucket,
            "block_public_acls": True,
            "ignore_public_acls": True,
            "block_public_policy": closed,
            "restrict_public_buckets": closed,
        },
    )
    owner = BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced")
    status = "Enabled" if settings.versioned else "Suspended"
    versioning = BucketVersioningVersioningConfigurationArgs(status=status)
    versions = {"bucket": bucket.bucket, "versioning_configuration": versioning}
    versioned = make("versioning", BucketVersioning, versions)
    encryption = {"bucket": bucket.bucket, "rules": [_encryption(settings.key)]}
    return {
        "bucket": bucket,
        "ownership": make("ownership", BucketOwnershipControls, {"bucket": bucket.bucket, "rule": owner}),
        "public-access-block": block,
        "encryption": make("encryption", BucketServerSideEncryptionConfiguration, encryption),
        "versioning": versioned,
        "lifecycle": make(
            "lifecycle", BucketLifecycleConfiguration, {"bucket": bucket.bucket, "rules": _rules(settings)}, versioned
        ),
        "policy": make("policy", BucketPolicy, {"bucket": bucket.bucket, "policy": _policy(settings, bucket)}, block),
    }


def _encryption(key: str | None) -> BucketServerSideEncryptionConfigurationRuleArgs:
    default = BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="aws:kms" if key else "AES256", kms_master_key_id=key
    )
    return BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=default,
        bucket_key_enabled=key is not None,
        blocked_encryption_types=["SSE-C"],
    )


def _rules(settings: Settings) -> list[BucketLifecycleConfigurationRuleArgs]:
    everything = BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    abandoned = BucketLifecycleConfigurationRuleArgs(
        id="abandoned-uploads",
        status="Enabled",
        filter=everything,
        abort_incomplete_multipart_upload=BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=_ABANDONED_DAYS
        ),
    )
    versions = BucketLifecycleConfigurationRuleArgs(
        id="old-versions",
        status="Enabled",
        filter=everything,
        noncurrent_version_expiration=BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=_NONCURRENT_DAYS
        ),
        expiration=BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
    )
    if settings.expire_days is None:
        return [abandoned, versions]
    expiry = BucketLifecycleConfigurationRuleArgs(
        id="expire-after",
        status="Enabled",
        filter=everything,
        expiration=BucketLifecycleConfigurationRuleExpirationArgs(days=settings.expire_days),
    )
    return [abandoned, versions, expiry]


def _policy(settings: Settings, bucket: Bucket) -> pulumi.Output[str]:
    objects = pulumi.Output.concat(bucket.arn, "/*")
    anybody: Statement = {
        "Sid": "ReadByAnybody",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [objects],
    }
    tls = deny_plain_http("s3:*", [bucket.arn, objects])
    read = (anybody,) if settings.public_read else ()
    return text(document(tls, *settings.statements, *read))
