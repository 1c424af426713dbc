"""Storage on AWS is an S3 bucket."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi_aws.s3 import BucketNotification

from alien_iac.models.arguments import DAY, StorageArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context, Exposure, R
from alien_iac_aws import bucket, naming


def build(context: Context) -> Built:
    """The bucket, its settings, and its events where a Function waits for them. Outputs: `name`, `arn`."""
    arguments, config, resource = context.declared.arguments, context.deployment.config, context.declared.id
    if not isinstance(arguments, StorageArguments):
        raise TypeError(context.declared.kind)
    settings = bucket.Settings(
        name=naming.name(config, "bucket", resource),
        resource=resource,
        key=config.encryption_key,
        versioned=arguments.versioned,
        expire_days=days(arguments.expire_after) if arguments.expire_after else None,
        public_read=arguments.public_read,
        emptied=not context.keeps,
    )
    made: dict[str, Any] = bucket.build(settings, _maker(context))
    if context.consumers:
        told = {"bucket": made["bucket"].bucket, "eventbridge": True}
        made["notification"] = context.native("notification", BucketNotification, told, suffix="notification")
    anybody = Exposure(resource=resource, from_="internet", how="https, to read objects")
    return Built(
        outputs={"name": settings.name, "arn": made["bucket"].arn},
        native=made,
        needed=(made["bucket"], made["policy"]),
        kept=(Kept(id=resource, type="storage", place=settings.name),),
        exposure=(anybody,) if arguments.public_read else (),
    )


def days(duration: str) -> int:
    """Whole days, upwards: S3 counts no less."""
    return -(-parse_seconds(duration) // DAY)


def _maker(context: Context) -> bucket.Make:
    """The settings are kept with the bucket: without them it would be less safe than it was."""

    def make(role: str, native: Callable[..., R], props: Mapping[str, Any], /, *needed: pulumi.Resource) -> R:
        suffix = "" if role == "bucket" else role
        return context.waiting_for(needed).native(role, native, props, suffix=suffix, kept=True)

    return make
