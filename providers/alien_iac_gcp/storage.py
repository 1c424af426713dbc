"""Storage on Google Cloud is a bucket of Cloud Storage: private, without access lists, with undelete."""

import math
from typing import Any

from pulumi_gcp.storage import (
    Bucket,
    BucketEncryptionArgs,
    BucketIAMMember,
    BucketLifecycleRuleActionArgs,
    BucketLifecycleRuleArgs,
    BucketLifecycleRuleConditionArgs,
    BucketSoftDeletePolicyArgs,
    BucketVersioningArgs,
)

from alien_iac.models.arguments import DAY, StorageArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_gcp import naming
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.place import place
from alien_iac_gcp.shared import with_apis

_UNDELETE_S = 7 * DAY
_OLD_VERSIONS_DAYS, _BROKEN_UPLOADS_DAYS = 30, 7
READ_ONE = "roles/storage.legacyObjectReader"
"""Reading an object whose key one knows; the newer viewer role also lists them all."""


def build(context: Context) -> Built:
    """The bucket. Outputs: `name`, `url` (gs://…)."""
    arguments, resource = context.declared.arguments, context.declared.id
    if not isinstance(arguments, StorageArguments):
        raise TypeError(context.declared.kind)
    context, key = keyed(with_apis(context, "storage"), "storage")
    name = naming.name(context.deployment.config, "bucket", resource)
    bucket = context.native("bucket", Bucket, _props(context, arguments, name, key), kept=True)
    native: dict[str, Any] = {"bucket": bucket}
    exposure: tuple[Exposure, ...] = ()
    if arguments.public_read:
        props = {"bucket": bucket.name, "role": READ_ONE, "member": "allUsers"}
        native["public"] = context.native("public", BucketIAMMember, props, suffix="public", kept=True)
        exposure = (Exposure(resource=resource, from_="internet", how="anybody reads an object whose key they know"),)
    return Built(
        outputs={"name": name, "url": bucket.url},
        native=native,
        needed=(bucket,),
        kept=(Kept(id=resource, type="storage", place=name),),
        exposure=exposure,
    )


def expiry_days(arguments: StorageArguments) -> int | None:
    """Whole days after which an object is deleted: Cloud Storage knows nothing shorter."""
    return math.ceil(parse_seconds(arguments.expire_after) / DAY) if arguments.expire_after else None


def _props(context: Context, arguments: StorageArguments, name: str, key: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "location": place(context.deployment.settings).region.upper(),
        "storage_class": "STANDARD",
        "uniform_bucket_level_access": True,
        "public_access_prevention": "inherited" if arguments.public_read else "enforced",
        "versioning": BucketVersioningArgs(enabled=arguments.versioned),
        "soft_delete_policy": BucketSoftDeletePolicyArgs(retention_duration_seconds=_UNDELETE_S),
        "lifecycle_rules": _rules(arguments),
        "encryption": BucketEncryptionArgs(default_kms_key_name=key) if key else None,
        "force_destroy": not context.keeps,
        "labels": {"resource": context.declared.id},
    }


def _rules(arguments: StorageArguments) -> list[BucketLifecycleRuleArgs]:
    broken = BucketLifecycleRuleConditionArgs(age=_BROKEN_UPLOADS_DAYS)
    rules = [_rule("AbortIncompleteMultipartUpload", broken)]
    if arguments.versioned:
        old = BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=_OLD_VERSIONS_DAYS, with_state="ARCHIVED")
        rules.append(_rule("Delete", old))
    days = expiry_days(arguments)
    if days is not None:
        rules.append(_rule("Delete", BucketLifecycleRuleConditionArgs(age=days, with_state="LIVE")))
    return rules


def _rule(action: str, condition: BucketLifecycleRuleConditionArgs) -> BucketLifecycleRuleArgs:
    return BucketLifecycleRuleArgs(action=BucketLifecycleRuleActionArgs(type=action), condition=condition)
