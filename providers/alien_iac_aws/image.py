"""Images in the customer's own registry: Lambda takes one from the same account and region only."""

import pulumi
from pulumi_aws.ecr import (
    Repository,
    RepositoryEncryptionConfigurationArgs,
    RepositoryImageScanningConfigurationArgs,
    RepositoryPolicy,
)

from alien_iac.models.arguments import Architecture
from alien_iac.resources.context import Context
from alien_iac.resources.native import Image
from alien_iac_aws import access, naming
from alien_iac_aws.place import assumed_roles, place
from alien_iac_aws.policy import Statement, document, text


def reference(context: Context, architecture: Architecture) -> tuple[pulumi.Input[str], dict[str, pulumi.Resource]]:
    """The image's reference in the customer's registry, and what was made for it, by role.

    An image that is there already is used as it is; any other one is copied, by its digest.
    """
    given = context.recorded.given["image"]
    if isinstance(given, str) and place(context.deployment.settings).holds(given):
        return given, {}
    registry = repository(context)
    policy = context.native("repository-policy", RepositoryPolicy, _readable(context, registry), suffix="image-policy")
    props = {
        "source": given,
        "repository": registry.repository_url,
        "architecture": architecture,
        "identity": identity(context),
    }
    image = context.waiting_for([policy]).native("image", Image, props, suffix="image")
    return image.reference, {"repository": registry, "repository-policy": policy, "image": image}


def identity(context: Context) -> dict[str, str] | None:
    """The role by which the plugin reaches the registry, where the provider has one too."""
    roles = assumed_roles(context.deployment.settings)
    if not roles:
        return None
    given = {key: roles[-1].get(key) for key in ("roleArn", "externalId")}
    return {key: str(value) for key, value in given.items() if value}


def repository(context: Context) -> Repository:
    """The workload's own repository in the customer's registry."""
    config = context.deployment.config
    kind, key = ("KMS", config.encryption_key) if config.encryption_key else ("AES256", None)
    props = {
        "name": naming.name(config, "repository", context.declared.id),
        "image_tag_mutability": "IMMUTABLE",
        "image_scanning_configuration": RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        "encryption_configurations": [RepositoryEncryptionConfigurationArgs(encryption_type=kind, kms_key=key)],
        # Its images come from elsewhere, and come again.
        "force_delete": True,
        "tags": {"resource": context.declared.id},
    }
    return context.native("repository", Repository, props, suffix="image")


def _readable(context: Context, repository: Repository) -> dict[str, pulumi.Input[str]]:
    """Lambda takes images for this function, and for no other one."""
    statement: Statement = {
        "Sid": "Pull",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"ArnEquals": {"aws:SourceArn": access.function_arn(context, context.declared.id)}},
    }
    return {"repository": repository.name, "policy": text(document(statement))}
