"""Environments of Container Apps: an inner one, and an outer one for what the internet reaches.

The domain of an environment is Azure's own choice, so the addresses of its apps are Outputs of the environment, which
stands in the Foundation: no app waits for another one by them.
"""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native.app import (
    AppLogsConfigurationArgs,
    ManagedEnvironment,
    ManagedEnvironmentEncryptionArgs,
    ManagedEnvironmentPeerTrafficConfigurationArgs,
    VnetConfigurationArgs,
    WorkloadProfileArgs,
)
from pulumi_azure_native.monitor import DiagnosticSetting
from pulumi_azure_native.privatedns import (
    ARecordArgs,
    PrivateRecordSet,
    PrivateZone,
    SubResourceArgs,
    VirtualNetworkLink,
)

from alien_iac.errors import InvalidInput
from alien_iac.models.declared import Declared
from alien_iac.resources.context import Context
from alien_iac_azure import logs, naming
from alien_iac_azure.network import subnet, virtual_network
from alien_iac_azure.placement import Seat, seat
from alien_iac_azure.shared import inside, shared

PROFILE = "Consumption"
_TTL_S = 300


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment, as far as an app needs to know it."""

    name: str
    id: pulumi.Output[str]
    domain: pulumi.Output[str]
    """The apps' names are below it."""
    verification: pulumi.Output[str]
    """What a domain of the customer's has to say, to be let in."""
    ready: tuple[pulumi.Resource, ...]


def of(context: Context, declared: Declared) -> Environment:
    """The environment of a workload that is a Container App."""
    where = seat(declared)
    if where is None or where.part == "functions":
        raise InvalidInput(f"{declared.id} is no Container App")
    return _environment(context, where)


def _environment(context: Context, where: Seat) -> Environment:
    word = where.part if where.network == "own" else f"customer-{where.part}"
    name = naming.shared_name(context.deployment.config, "environment", word)
    inner = where.part == "internal"
    props = {
        "environment_name": name,
        "vnet_configuration": VnetConfigurationArgs(infrastructure_subnet_id=subnet(context, where), internal=inner),
        "public_network_access": "Disabled" if inner else "Enabled",
        "workload_profiles": [WorkloadProfileArgs(name=PROFILE, workload_profile_type=PROFILE)],
        "zone_redundant": True,
        "peer_traffic_configuration": ManagedEnvironmentPeerTrafficConfigurationArgs(
            encryption=ManagedEnvironmentEncryptionArgs(enabled=True)
        ),
        # Through Azure Monitor, since the direct way to a workspace takes its shared key.
        "app_logs_configuration": AppLogsConfigurationArgs(destination="azure-monitor"),
    }
    made: ManagedEnvironment = shared(context, ManagedEnvironment, f"{word}-environment", props)
    sent = logs.sent(context, made.id, "ContainerAppConsoleLogs", "ContainerAppSystemLogs")
    told = context.shared.shared(DiagnosticSetting, f"{word}-environment-logs", sent)
    names = _names(context, where, word, made) if inner else ()
    return Environment(
        name=name,
        id=made.id,
        domain=made.default_domain,
        verification=made.custom_domain_configuration.apply(_verification),
        ready=(made, told, *names),
    )


def _verification(configuration: object) -> str:
    found = getattr(configuration, "custom_domain_verification_id", None)
    return str(found) if found else ""


def _names(context: Context, where: Seat, word: str, made: ManagedEnvironment) -> tuple[pulumi.Resource, ...]:
    """The inner environment's names, for everything in the network: the address of the environment."""
    place = inside(context)
    zone = context.shared.shared(
        PrivateZone,
        f"{word}-names",
        {**place, "location": "Global", "private_zone_name": made.default_domain},
    )
    link = {
        **place,
        "location": "Global",
        "private_zone_name": zone.name,
        "virtual_network_link_name": word,
        "virtual_network": SubResourceArgs(id=virtual_network(context, where)),
        "registration_enabled": False,
    }
    record = {
        "resource_group_name": place["resource_group_name"],
        "private_zone_name": zone.name,
        "record_type": "A",
        "relative_record_set_name": "*",
        "ttl": _TTL_S,
        "a_records": [ARecordArgs(ipv4_address=made.static_ip)],
    }
    return (
        context.shared.shared(VirtualNetworkLink, f"{word}-names-link", link),
        context.shared.shared(PrivateRecordSet, f"{word}-names-apps", record),
    )
