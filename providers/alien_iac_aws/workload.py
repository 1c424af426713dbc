"""What a Function and a Container have in common on AWS: the environment that they start in."""

import json

import pulumi

from alien_iac.models.declared import Declared
from alien_iac.protocol.environment import binding_name
from alien_iac.resources.context import Context
from alien_iac.resources.environment import common
from alien_iac.resources.telemetry import telemetry
from alien_iac_aws.bindings import binding
from alien_iac_aws.place import place


def environment(context: Context) -> dict[str, pulumi.Input[str]]:
    """The author's variables, ours over them, and a binding for each component that it is linked to.

    The region is not among them: Lambda and ECS set it themselves.
    """
    return {
        **telemetry(context),
        **context.recorded.given["env"],
        **common(context.declared, context.deployment),
        "AWS_ACCOUNT_ID": place(context.deployment.settings).account,
        **{binding_name(target.id): _told(target, context) for target in context.linked},
    }


def _told(target: Declared, context: Context) -> str:
    found = binding(target, context.deployment.config, place(context.deployment.settings))
    return json.dumps(found.dump(), sort_keys=True)
