"""A stateful group of one machine, which has the same name, address and disks whenever it is made anew.

The old machine is gone before the new one starts, since its disks have one writer.
"""

from dataclasses import dataclass
from typing import Any

from pulumi_gcp.compute import (
    Address,
    Disk,
    HealthCheck,
    HealthCheckHttpHealthCheckArgs,
    HealthCheckTcpHealthCheckArgs,
    InstanceGroupManager,
    InstanceGroupManagerAutoHealingPoliciesArgs,
    InstanceGroupManagerNamedPortArgs,
    InstanceGroupManagerUpdatePolicyArgs,
    InstanceGroupManagerVersionArgs,
    InstanceTemplate,
    PerInstanceConfig,
    PerInstanceConfigPreservedStateArgs,
    PerInstanceConfigPreservedStateInternalIpArgs,
    PerInstanceConfigPreservedStateInternalIpIpAddressArgs,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.disks import preserved
from alien_iac_gcp.network import Joined
from alien_iac_gcp.place import place

COMES_UP_S = 300
"""How long a new machine may take before it counts as unwell."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The group and its one machine."""

    manager: InstanceGroupManager
    instance: PerInstanceConfig


def group(
    context: Context,
    arguments: ContainerArguments,
    made_like: InstanceTemplate,
    disks: dict[str, Disk],
    reached: "Reached | None",
) -> Group:
    """Roles: `group`, `instance`."""
    where, name = place(context.deployment.settings), _name(context)
    healing = None
    if reached is not None:
        healing = InstanceGroupManagerAutoHealingPoliciesArgs(
            health_check=reached.health.id, initial_delay_sec=COMES_UP_S
        )
    props: dict[str, Any] = {
        "name": name,
        "base_instance_name": name,
        "zone": where.zone,
        "versions": [InstanceGroupManagerVersionArgs(instance_template=made_like.self_link_unique)],
        "update_policy": _one_after_the_other(),
        "auto_healing_policies": healing,
        "named_ports": [InstanceGroupManagerNamedPortArgs(name="http", port=arguments.port)]
        if arguments.port
        else None,
        "wait_for_instances": True,
        "wait_for_instances_status": "UPDATED",
    }
    manager = context.native("group", InstanceGroupManager, props)
    state = PerInstanceConfigPreservedStateArgs(
        disks=preserved(disks), internal_ips=[_kept_address(reached.address)] if reached else None
    )
    kept = {
        "name": name,
        "zone": where.zone,
        "instance_group_manager": manager.name,
        "preserved_state": state,
        "remove_instance_on_destroy": True,
        "remove_instance_state_on_destroy": True,
    }
    return Group(manager=manager, instance=context.native("instance", PerInstanceConfig, kept, suffix="instance"))


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What a machine with a port has beside: a fixed address, and somebody who asks how it is."""

    address: Address
    health: HealthCheck


def reached(context: Context, arguments: ContainerArguments, where: Joined) -> Reached:
    """Roles: `internal-address`, `health`."""
    name = naming.name(context.deployment.config, "compute", context.declared.id)
    props = {
        "name": name,
        "address_type": "INTERNAL",
        "purpose": "GCE_ENDPOINT",
        "subnetwork": where.subnetwork,
        "region": place(context.deployment.settings).region,
        "labels": {"resource": context.declared.id},
    }
    address = context.native("internal-address", Address, props, suffix="internal-address")
    probe = {
        "name": name,
        "check_interval_sec": 15,
        "timeout_sec": 5,
        "healthy_threshold": 1,
        "unhealthy_threshold": 4,
        **_asked(arguments),
    }
    return Reached(address=address, health=context.native("health", HealthCheck, probe, suffix="health"))


def _name(context: Context) -> str:
    return naming.name(context.deployment.config, "machine", context.declared.id)


def _asked(arguments: ContainerArguments) -> dict[str, Any]:
    if arguments.health_path is None:
        return {"tcp_health_check": HealthCheckTcpHealthCheckArgs(port=arguments.port)}
    get = HealthCheckHttpHealthCheckArgs(port=arguments.port, request_path=arguments.health_path)
    return {"http_health_check": get}


def _one_after_the_other() -> InstanceGroupManagerUpdatePolicyArgs:
    return InstanceGroupManagerUpdatePolicyArgs(
        type="PROACTIVE",
        minimal_action="REPLACE",
        most_disruptive_allowed_action="REPLACE",
        replacement_method="RECREATE",
        max_surge_fixed=0,
        max_unavailable_fixed=1,
    )


def _kept_address(address: Address) -> PerInstanceConfigPreservedStateInternalIpArgs:
    return PerInstanceConfigPreservedStateInternalIpArgs(
        interface_name="nic0",
        auto_delete="NEVER",
        ip_address=PerInstanceConfigPreservedStateInternalIpIpAddressArgs(address=address.self_link),
    )
