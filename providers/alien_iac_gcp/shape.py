"""What a workload becomes here, decided from its arguments alone.

Cloud Run answers http and has no disk: what speaks plain TCP or owns a disk runs on a machine, and what listens on
nothing runs in a worker pool.
"""

from typing import Literal

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.triggers import QueueTrigger

Shape = Literal["function", "service", "worker-pool", "machine"]


def shape(declared: Declared) -> Shape:
    """The shape of a workload."""
    arguments = declared.arguments
    if not isinstance(arguments, ContainerArguments):
        return "function"
    if arguments.volumes or (arguments.port is not None and arguments.protocol == "tcp"):
        return "machine"
    return "service" if arguments.port is not None else "worker-pool"


def callers(stack: Stack, declared: Declared) -> tuple[Declared, ...]:
    """The workloads that are linked to this one."""
    return tuple(c for c in stack.components if any(link.resource == declared.id for link in c.links))


def called(stack: Stack, declared: Declared) -> tuple[Declared, ...]:
    """The workloads that this one is linked to."""
    found = (stack.find(link.resource) for link in declared.links if link.verb == "call")
    return tuple(target for target in found if target is not None)


def pushed_to(stack: Stack, queue: str) -> Declared | None:
    """The Function that a queue's messages are pushed to."""
    return next((c for c in stack.components if QueueTrigger(resource=queue) in c.triggers), None)


def in_customer_network(declared: Declared) -> bool:
    """Whether a workload joins the customer's network."""
    return declared.workload is not None and declared.workload.network == "customer"
