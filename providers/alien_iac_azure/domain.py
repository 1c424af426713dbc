"""A public name of a Container App: Azure issues the certificate itself, once the customer's DNS leads there.

The binding is `Auto`: the app takes the name in, and the certificate when there is one, with no second deployment.
"""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native.app import ContainerApp, CustomDomainArgs, ManagedCertificate, ManagedCertificatePropertiesArgs

from alien_iac.resources.context import Context
from alien_iac_azure import addresses, environments, naming
from alien_iac_azure.shared import inside


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A public name."""

    host: str

    @property
    def bindings(self) -> list[CustomDomainArgs]:
        """As the app's ingress takes it."""
        return [CustomDomainArgs(name=self.host, binding_type="Auto")]


def of(context: Context) -> Domain | None:
    """The workload's public name, if it has one."""
    workload = context.declared.workload
    if workload is None or not workload.public or workload.domain is None:
        return None
    host = addresses.host(context.deployment.config, workload.domain)
    return Domain(host=host) if host else None


def certify(context: Context, named: Domain, app: ContainerApp) -> ManagedCertificate:
    """The certificate. Role: `certificate`."""
    where = environments.of(context, context.declared)
    props = {
        **inside(context, resource=context.declared.id),
        "environment_name": where.name,
        "managed_certificate_name": naming.name(context.deployment.config, "environment", context.declared.id),
        "properties": ManagedCertificatePropertiesArgs(subject_name=named.host, domain_control_validation="CNAME"),
    }
    return context.waiting_for([app]).native("certificate", ManagedCertificate, props, suffix="certificate")


def records(context: Context, named: Domain) -> pulumi.Output[list[dict[str, str]]]:
    """What the customer's DNS has to say before the first deployment ends."""
    where = environments.of(context, context.declared)
    app = naming.name(context.deployment.config, "app", context.declared.id)

    def told(found: list[str]) -> list[dict[str, str]]:
        return [
            {"name": named.host, "type": "CNAME", "value": f"{app}.{found[0]}"},
            {"name": f"asuid.{named.host}", "type": "TXT", "value": found[1]},
        ]

    return pulumi.Output.all(where.domain, where.verification).apply(told)
