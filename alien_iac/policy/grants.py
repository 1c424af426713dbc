"""Who may do what: one verb on one resource, added to what the customer granted, within their boundary."""

from collections.abc import Iterator
from typing import Any

from alien_iac.policy.model import Resource, Rule, Stack, items, statements

_NAMELESS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "ecr:GetAuthorizationToken",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
"""Actions that IAM limits to no resource, or to none that is there when the policy is written."""
_BROAD_AWS = frozenset({"AdministratorAccess", "IAMFullAccess", "PowerUserAccess"})
_BROAD_AZURE = {
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
_BROAD_GCP = frozenset({"roles/editor", "roles/owner", "roles/viewer"})
_PROJECT_MEMBERS = (
    "gcp:folder/iAMMember:IAMMember",
    "gcp:organizations/iAMMember:IAMMember",
    "gcp:projects/iAMMember:IAMMember",
)
_AUTHORITATIVE = (
    "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding",
    "gcp:cloudrunv2/serviceIamPolicy:ServiceIamPolicy",
    "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
    "gcp:kms/cryptoKeyIAMPolicy:CryptoKeyIAMPolicy",
    "gcp:projects/iAMBinding:IAMBinding",
    "gcp:projects/iAMPolicy:IAMPolicy",
    "gcp:pubsub/subscriptionIAMBinding:SubscriptionIAMBinding",
    "gcp:pubsub/subscriptionIAMPolicy:SubscriptionIAMPolicy",
    "gcp:pubsub/topicIAMBinding:TopicIAMBinding",
    "gcp:pubsub/topicIAMPolicy:TopicIAMPolicy",
    "gcp:secretmanager/secretIamBinding:SecretIamBinding",
    "gcp:secretmanager/secretIamPolicy:SecretIamPolicy",
    "gcp:serviceaccount/iAMBinding:IAMBinding",
    "gcp:serviceaccount/iAMPolicy:IAMPolicy",
    "gcp:storage/bucketIAMBinding:BucketIAMBinding",
    "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
)


def _policy(resource: Resource, _: Stack) -> Iterator[str]:
    for each in statements(resource.inputs.get("policy")):
        if each.get("Effect") != "Allow":
            continue
        actions = [str(action) for action in items(each.get("Action"))]
        wild = [action for action in actions if action.partition(":")[2] in {"", "*"}]
        if wild:
            yield f"it allows {', '.join(wild)}"
        if "NotAction" in each or "NotResource" in each:
            yield "it allows all but what it names"
        named = [action for action in actions if action not in _NAMELESS]
        if "*" in items(each.get("Resource")) and named:
            yield f"it allows {', '.join(named)} on every resource"


def _attached(resource: Resource, _: Stack) -> Iterator[str]:
    arn = str(resource.inputs.get("policyArn", ""))
    if arn.rpartition("/")[2] in _BROAD_AWS:
        yield f"it attaches {arn}"


def _primitive(resource: Resource, _: Stack) -> Iterator[str]:
    role = resource.inputs.get("role")
    if role in _BROAD_GCP:
        yield f"{resource.inputs.get('member')} has {role} on all there is"


def _assignment(resource: Resource, _: Stack) -> Iterator[str]:
    role = str(resource.inputs.get("roleDefinitionId", "")).rpartition("/")[2].lower()
    if role in _BROAD_AZURE:
        yield f"it assigns {_BROAD_AZURE[role]}"


def _definition(resource: Resource, _: Stack) -> Iterator[str]:
    for each in items(resource.inputs.get("permissions")):
        wild = [str(action) for key in ("actions", "dataActions") for action in items(each.get(key)) if action == "*"]
        if wild:
            yield "it defines a role that may do everything"


def _authoritative(resource: Resource, _: Stack) -> Iterator[str]:
    yield f"{resource.type.rpartition(':')[2]} takes away what the customer granted; use the member of one role"


def _exclusive(resource: Resource, _: Stack) -> Iterator[str]:
    for key in ("inlinePolicies", "managedPolicyArns"):
        if items(resource.inputs.get(key)):
            yield f"{key} takes away what the customer attached; make the policies beside the role"


def _bounded(resource: Resource, stack: Stack) -> Iterator[str]:
    given: Any = resource.inputs.get("permissionsBoundary")
    if stack.boundary and given != stack.boundary:
        yield f"its permissions boundary is {given or 'none'}, not {stack.boundary}"


RULES = (
    Rule(
        name="wildcard-policy",
        says="A policy names its actions and its resources.",
        checks={
            "aws:iam/groupPolicy:GroupPolicy": _policy,
            "aws:iam/policy:Policy": _policy,
            "aws:iam/rolePolicy:RolePolicy": _policy,
            "aws:iam/userPolicy:UserPolicy": _policy,
        },
    ),
    Rule(
        name="broad-role",
        says="Nobody gets a role that may do everything.",
        checks={
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attached,
            "aws:iam/userPolicyAttachment:UserPolicyAttachment": _attached,
            "azure-native:authorization:RoleAssignment": _assignment,
            "azure-native:authorization:RoleDefinition": _definition,
            **dict.fromkeys(_PROJECT_MEMBERS, _primitive),
        },
    ),
    Rule(
        name="authoritative-grant",
        says="A grant adds to those of the customer, and replaces none.",
        checks={"aws:iam/role:Role": _exclusive, **dict.fromkeys(_AUTHORITATIVE, _authoritative)},
    ),
    Rule(
        name="permissions-boundary",
        says="Every role has the permissions boundary that the customer set.",
        checks={"aws:iam/role:Role": _bounded},
    ),
)
