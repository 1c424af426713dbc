"""The deployment's Service Bus namespace, and what its queues have in common."""

from typing import Any

from pulumi_azure_native.servicebus import Namespace, SBSkuArgs, SkuName, SkuTier

from alien_iac.resources.context import Context
from alien_iac_azure import naming
from alien_iac_azure.shared import inside, keeping

LOCK_MIN_S, LOCK_MAX_S = 60, 300
LOCK_TIMES = 2
"""How many times a consumer's timeout a message stays locked."""


def namespace_name(context: Context) -> str:
    """The planned name of the namespace."""
    return naming.shared_name(context.deployment.config, "namespace", "bus")


def full_name(context: Context) -> str:
    """Where the namespace answers."""
    return f"{namespace_name(context)}.servicebus.windows.net"


def namespace(context: Context) -> Namespace:
    """The namespace. It takes Azure's identities only, and no keys."""
    props = {
        **inside(context),
        "namespace_name": namespace_name(context),
        "sku": SBSkuArgs(name=SkuName.STANDARD, tier=SkuTier.STANDARD),
        "disable_local_auth": True,
        "minimum_tls_version": "1.2",
        "public_network_access": "Enabled",
        "zone_redundant": True,
    }
    made: Namespace = context.shared.shared(keeping(context, Namespace), "bus", props)
    return made


def queue(context: Context, name: str, *, lock_s: int, receives: int, retention_s: int) -> dict[str, Any]:
    """The properties of a queue. What is received in vain, or gets too old, goes to its own dead letters."""
    bus = namespace(context)
    return {
        "resource_group_name": inside(context)["resource_group_name"],
        "namespace_name": bus.name,
        "queue_name": name,
        "lock_duration": duration(lock_s),
        "max_delivery_count": receives,
        "default_message_time_to_live": duration(retention_s),
        "dead_lettering_on_message_expiration": True,
        "requires_session": False,
        "requires_duplicate_detection": False,
        "enable_partitioning": False,
        "enable_batched_operations": True,
        "max_size_in_megabytes": 5120,
    }


def lock_seconds(timeouts: list[int]) -> int:
    """How long a received message stays locked, from the slowest consumer; the runtime renews a longer one."""
    return min(max([LOCK_MIN_S, *(LOCK_TIMES * timeout for timeout in timeouts)]), LOCK_MAX_S)


def duration(seconds: int) -> str:
    """A duration in the one form of ISO 8601 that Azure gives back: the largest units first, none of them zero."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    days = f"{day}D" if day else ""
    time = "".join(f"{number}{unit}" for number, unit in ((hour, "H"), (minute, "M"), (second, "S")) if number)
    return f"P{days}T{time}" if time else f"P{days}"
