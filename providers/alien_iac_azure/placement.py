"""Where in which network a workload runs, read from the stack; and what the config says of the customer's network."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from alien_iac.errors import ConfigInvalid
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared, Stack

Part = Literal["functions", "internal", "public"]
"""A subnet: of Functions on Flex Consumption, of the inner environment of Container Apps, of the one that the internet
reaches."""
KEY = "alien:network"
_SUBNET = (
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworks/[^/]+/subnets/[^/]+$"
)
_SHAPE = '{"functions": "<id of a subnet>", "internal": "<id>", "public": "<id>"}, as far as workloads need them'

_Subnet = Annotated[str, StringConstraints(pattern=_SUBNET)]


class CustomerNetwork(BaseModel):
    """The customer's existing network: `alien:network`, a subnet for each kind of workload.

    Each is delegated to `Microsoft.App/environments`, used by nothing else, of 32 addresses at least, and has the
    service endpoints `Microsoft.Storage`, `Microsoft.KeyVault` and `Microsoft.Web`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    functions: _Subnet | None = None
    internal: _Subnet | None = None
    public: _Subnet | None = None


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A subnet of one of the two networks."""

    network: Literal["own", "customer"]
    part: Part


def seat(declared: Declared) -> Seat | None:
    """Where a workload runs; None for what is not one."""
    workload = declared.workload
    if workload is None:
        return None
    network: Literal["own", "customer"] = "customer" if workload.network == "customer" else "own"
    if is_flex(declared):
        return Seat(network=network, part="functions")
    return Seat(network=network, part="public" if workload.public else "internal")


def is_flex(declared: Declared) -> bool:
    """Whether it runs on Flex Consumption: a Function from a source. Everything else is a Container App.

    So is a Function with a domain: Flex Consumption gets no certificate from Azure.
    """
    workload = declared.workload
    return declared.kind == "Function" and workload is not None and workload.image is None and workload.domain is None


def customer_network(config: DeploymentConfig) -> CustomerNetwork:
    """The customer's network. Raises ConfigInvalid where the config does not say what it is."""
    if config.network is None:
        raise ConfigInvalid(f"{KEY} is not set", hint=f"set it to {_SHAPE}")
    try:
        return CustomerNetwork.model_validate(_object(config.network))
    except (ValidationError, ValueError) as wrong:
        raise ConfigInvalid(f"{KEY} is not {_SHAPE}", hint=f"{KEY} says which subnets workloads join") from wrong


def customer_subnet(config: DeploymentConfig, part: Part) -> str:
    """The id of a subnet of the customer's. Raises ConfigInvalid where the config does not have it."""
    found: str | None = getattr(customer_network(config), part)
    if found is None:
        raise ConfigInvalid(f'{KEY} has no subnet "{part}"', hint=f"set it to {_SHAPE}")
    return found


def users(stack: Stack, resource: str) -> tuple[Declared, ...]:
    """The workloads that are linked to a resource or watch it."""
    return tuple(
        c
        for c in stack.components
        if resource in c.trigger_resources or any(link.resource == resource for link in c.links)
    )


def callers(stack: Stack, declared: Declared) -> tuple[Declared, ...]:
    """The workloads that are linked to this one, to call it."""
    return tuple(c for c in stack.components if any(ln.resource == declared.id and ln.verb == "call" for ln in c.links))


def is_called(stack: Stack, declared: Declared) -> bool:
    """Whether anybody calls a Function by its private address: a workload that is linked to it, or the agent."""
    return stack.is_called_by_agent(declared) or bool(callers(stack, declared))


def _object(text: str) -> Any:
    return json.loads(text)
