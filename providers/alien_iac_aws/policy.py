"""IAM policy documents as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

Statement = dict[str, Any]
Arn = pulumi.Input[str]

NEEDS_STAR: Mapping[str, str] = {
    "AttachToNetwork": (
        "Lambda attaches a function to a network with these, and EC2 names no resource for the Describe calls, nor an "
        "interface that is not made yet; Lambda's service alone may use them, the function's own code is denied them"
    ),
    "DenyNetworkToCode": "it denies",
    "DenyPlainHttp": "it denies, to everybody",
    "RegistryToken": "ecr:GetAuthorizationToken is of the whole registry, and names no resource",
    "ReadByAnybody": "the Storage has public_read=True: its objects are for everybody",
}
"""The statements, by Sid, that hold a `*` as a resource or a principal, and why each has to."""


def document(*statements: Statement) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def text(policy: pulumi.Input[Any]) -> pulumi.Output[str]:
    """The document as the JSON that AWS takes."""
    return pulumi.Output.json_dumps(policy)


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[Arn], condition: Mapping[str, Any] | None = None
) -> Statement:
    """A statement of an identity's policy."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
    }
    return {**statement, "Condition": dict(condition)} if condition else statement


def deny_plain_http(action: str, resources: Sequence[Arn]) -> Statement:
    """A statement of a resource's policy: nothing but TLS, for anybody."""
    return {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def trust(service: str, account: str) -> dict[str, Any]:
    """Who may assume a role: one AWS service, and only on behalf of this account."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return document(statement)


_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def attach_to_network(function: str) -> tuple[Statement, Statement]:
    """What Lambda needs of a function's role to put the function into a network, and the function's code does not."""
    deny: Statement = {
        "Sid": "DenyNetworkToCode",
        "Effect": "Deny",
        "Action": list(_INTERFACES),
        "Resource": "*",
        "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function}},
    }
    return allow("AttachToNetwork", _INTERFACES, ["*"]), deny
