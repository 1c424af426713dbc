"""Where workloads answer: names that are known before anything is there.

The address of a Cloud Run service has the project's number in it, which only Google knows; machines have a name in a
private zone of the deployment.
"""

import pulumi

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.place import place
from alien_iac_gcp.shape import shape
from alien_iac_gcp.shared import project_number


def run_url(context: Context, resource_id: str) -> pulumi.Output[str]:
    """The address of a Cloud Run service; also the audience that a token for it names."""
    service = naming.name(context.deployment.config, "run", resource_id)
    region = place(context.deployment.settings).region
    return pulumi.Output.format("https://{0}-{1}.{2}.run.app", service, project_number(context), region)


def machine_host(context: Context, resource_id: str) -> str:
    """The name of a machine within the deployment's network."""
    return f"{resource_id}.{naming.internal_domain(context.deployment.config)}"


def internal_url(context: Context, target: Declared) -> pulumi.Output[str]:
    """Where a workload answers the others of the deployment."""
    arguments = target.arguments
    if shape(target) == "machine" and isinstance(arguments, ContainerArguments):
        host = machine_host(context, target.id)
        return pulumi.Output.from_input(f"{arguments.protocol}://{host}:{arguments.port}")
    return run_url(context, target.id)


def public_url(context: Context, target: Declared) -> pulumi.Output[str] | None:
    """Where a public workload answers everybody; None for one that is not public."""
    arguments = target.workload
    if arguments is None or not arguments.public:
        return None
    host = naming.public_host(arguments, context.deployment.config)
    return pulumi.Output.from_input(f"https://{host}") if host else run_url(context, target.id)
