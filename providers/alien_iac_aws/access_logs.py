"""Who asked the deployment's load balancers for what: a bucket that they alone write to, for a year."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi_aws.lb import LoadBalancerAccessLogsArgs

from alien_iac.resources.context import Context, R
from alien_iac_aws import bucket, naming
from alien_iac_aws.logs import RETENTION_DAYS
from alien_iac_aws.place import Place, place
from alien_iac_aws.policy import Statement

_NAME = "access-logs"
_WRITER = "logdelivery.elasticloadbalancing.amazonaws.com"


def target(context: Context) -> tuple[LoadBalancerAccessLogsArgs, tuple[pulumi.Resource, ...]]:
    """Where a load balancer writes, below its component's id; and what has to be there before it does."""
    config = context.deployment.config
    name = naming.shared_name(config, "bucket", _NAME)

    def make(role: str, native: Callable[..., R], props: Mapping[str, Any], /, *_: pulumi.Resource) -> R:
        return context.shared.shared(native, _NAME if role == "bucket" else f"{_NAME}-{role}", props)

    # Load balancers write with S3's own key only.
    settings = bucket.Settings(
        name=name,
        resource="foundation",
        key=None,
        versioned=True,
        expire_days=RETENTION_DAYS,
        emptied=True,
        statements=(_written(name, place(context.deployment.settings)),),
    )
    made = bucket.build(settings, make)
    logs = LoadBalancerAccessLogsArgs(bucket=name, prefix=context.declared.id, enabled=True)
    return logs, tuple(made.values())


def _written(name: str, where: Place) -> Statement:
    """The path holds the account of the load balancer that writes, so that no other account's reaches the bucket."""
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": _WRITER},
        "Action": ["s3:PutObject"],
        "Resource": [f"arn:{where.partition}:s3:::{name}/*/AWSLogs/{where.account}/*"],
    }
