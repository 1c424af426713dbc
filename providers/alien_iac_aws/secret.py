"""Secret on AWS is a secret of Secrets Manager, made without a value.

Customer and vendor set the value later with `alien secret set`. A generated one is made by AWS itself, through a
CloudFormation stack of this one resource: neither Pulumi nor its state, encrypted or not, ever holds the value.
"""

import json
from typing import Any

import pulumi
from pulumi_aws.cloudformation import Stack
from pulumi_aws.secretsmanager import Secret

from alien_iac.models.arguments import SecretArguments
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_aws import naming

_LENGTH = 40
_RECOVERY_DAYS = 30


def build(context: Context) -> Built:
    """The secret. Outputs: `name`, `arn`."""
    arguments, resource = context.declared.arguments, context.declared.id
    if not isinstance(arguments, SecretArguments):
        raise TypeError(context.declared.kind)
    name = naming.name(context.deployment.config, "secret", resource)
    secret: pulumi.CustomResource
    if arguments.provided_by == "generated":
        stack = context.native("secret", Stack, _generated(context, name), kept=True)
        secret, arn = stack, stack.outputs.apply(lambda outputs: outputs["Arn"])
    else:
        plain = context.native("secret", Secret, _empty(context, name), kept=True)
        secret, arn = plain, plain.arn
    return Built(
        outputs={"name": name, "arn": arn},
        native={"secret": secret},
        needed=(secret,),
        kept=(Kept(id=resource, type="secret", place=name),),
        secret=name,
        idle={"secret": "USD 0.40"},
    )


def _empty(context: Context, name: str) -> dict[str, Any]:
    config = context.deployment.config
    return {
        "name": name,
        "description": _description(context),
        "kms_key_id": config.encryption_key,
        "recovery_window_in_days": _RECOVERY_DAYS if context.keeps else 0,
        "tags": {"resource": context.declared.id},
    }


def _generated(context: Context, name: str) -> dict[str, Any]:
    config = context.deployment.config
    kept = "Retain" if context.keeps else "Delete"
    properties = {
        "Name": name,
        "Description": _description(context),
        "GenerateSecretString": {"PasswordLength": _LENGTH, "ExcludePunctuation": True},
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(_tags(context).items())],
        **({"KmsKeyId": config.encryption_key} if config.encryption_key else {}),
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _description(context),
        "Resources": {
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "DeletionPolicy": kept,
                "UpdateReplacePolicy": kept,
                "Properties": properties,
            }
        },
        "Outputs": {"Arn": {"Value": {"Ref": "Secret"}}},
    }
    return {
        "name": naming.name(config, "template", context.declared.id),
        "template_body": json.dumps(template, sort_keys=True),
        "tags": {"resource": context.declared.id},
    }


def _tags(context: Context) -> dict[str, str]:
    return {**naming.tags(context.deployment.config), "resource": context.declared.id}


def _description(context: Context) -> str:
    return f"Secret {context.declared.id} of {context.deployment.config.prefix}"
