"""Flow logs of the deployment's own network: who spoke to whom, in a log group that only the flow logs write to."""

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.ec2 import FlowLog, Vpc
from pulumi_aws.iam import Role, RolePolicy

from alien_iac.resources.context import Context
from alien_iac_aws import naming
from alien_iac_aws.logs import log_group
from alien_iac_aws.place import place
from alien_iac_aws.policy import allow, document, text, trust

_SERVICE = "vpc-flow-logs.amazonaws.com"
_WRITE = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
_PART = "flow-logs"
_INTERVAL_S = 600


def record(context: Context, vpc: Vpc) -> FlowLog:
    """Record all traffic of the network, accepted and rejected."""
    config, shared = context.deployment.config, context.shared.shared
    group = shared(LogGroup, "network-logs", log_group(config, "vpc", _PART))
    role = shared(
        Role,
        "network-logs-role",
        {
            "name": naming.shared_name(config, "role", _PART),
            "path": naming.role_path(config),
            "assume_role_policy": text(trust(_SERVICE, place(context.deployment.settings).account)),
            "permissions_boundary": config.permissions_boundary,
            "description": f"Flow logs of the network of {config.prefix}",
        },
    )
    written = document(allow("Write", _WRITE, [pulumi.Output.concat(group.arn, ":*")]))
    policy = {"name": "write", "role": role.name, "policy": text(written)}
    shared(RolePolicy, "network-logs-policy", policy)
    props = {
        "vpc_id": vpc.id,
        "traffic_type": "ALL",
        "log_destination_type": "cloud-watch-logs",
        "log_destination": group.arn,
        "iam_role_arn": role.arn,
        "max_aggregation_interval": _INTERVAL_S,
    }
    return shared(FlowLog, "network-flow-log", props)
