"""Where workloads answer: names that are planned, below a domain that Azure chooses for an environment."""

import pulumi

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared
from alien_iac.resources.context import Context
from alien_iac_azure import environments, naming
from alien_iac_azure.placement import is_flex


def url(context: Context, declared: Declared) -> pulumi.Output[str] | None:
    """Where a workload answers by its own name; None for a Container without a port."""
    if is_flex(declared):
        return pulumi.Output.from_input(f"https://{site(context.deployment.config, declared)}.azurewebsites.net")
    arguments = declared.arguments
    app, domain = naming.name(context.deployment.config, "app", declared.id), environments.of(context, declared).domain
    if isinstance(arguments, ContainerArguments):
        if arguments.port is None:
            return None
        if arguments.protocol == "tcp":
            return pulumi.Output.concat(f"tcp://{app}.", domain, f":{arguments.port}")
    return pulumi.Output.concat(f"https://{app}.", domain)


def site(config: DeploymentConfig, declared: Declared) -> str:
    """The name of a Function on Flex Consumption."""
    return naming.name(config, "function", declared.id)


def host(config: DeploymentConfig, domain: str) -> str | None:
    """The public name of a workload, whole; None where it is one below `alien:domain` and there is no such key."""
    if "." in domain:
        return domain
    return f"{domain}.{config.domain}" if config.domain else None


def public_url(context: Context, declared: Declared) -> pulumi.Output[str] | None:
    """Where the internet reaches a public workload: at its domain, where it has one."""
    workload = declared.workload
    if workload is None or not workload.public:
        return None
    named = host(context.deployment.config, workload.domain) if workload.domain else None
    return pulumi.Output.from_input(f"https://{named}") if named else url(context, declared)
