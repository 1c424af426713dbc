"""The deployment's own AWS provider: one region, one account that it does not leave, the customer's roles, tags."""

from typing import Any

from pulumi_aws._inputs import ProviderAssumeRoleArgs, ProviderDefaultTagsArgs
from pulumi_aws.provider import Provider

from alien_iac.resources.deployment import Deployment
from alien_iac_aws import naming
from alien_iac_aws.place import assumed_roles, place

_SESSION = "alien-iac"


def make(deployment: Deployment) -> Provider:
    """The pinned provider. Raises ConfigInvalid where the config does not pin a region and an account."""
    where, settings = place(deployment.settings), deployment.settings
    return Provider(
        "aws",
        region=where.region,
        sts_region=where.region,
        allowed_account_ids=[where.account],
        assume_roles=[_role(role) for role in assumed_roles(settings)] or None,
        default_tags=ProviderDefaultTagsArgs(tags=naming.tags(deployment.config)),
        profile=settings.get("aws:profile"),
    )


def _role(given: dict[str, Any]) -> ProviderAssumeRoleArgs:
    """One role of the customer's; the ExternalId is what proves that the vendor means this customer."""
    return ProviderAssumeRoleArgs(
        role_arn=given.get("roleArn"),
        external_id=given.get("externalId"),
        session_name=given.get("sessionName", _SESSION),
        duration=given.get("duration"),
        policy=given.get("policy"),
        policy_arns=given.get("policyArns"),
        source_identity=given.get("sourceIdentity"),
        tags=given.get("tags"),
        transitive_tag_keys=given.get("transitiveTagKeys"),
    )
