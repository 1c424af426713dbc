"""In which network a workload runs, read from the stack; and what the config says of the customer's network."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from alien_iac.errors import ConfigInvalid
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared, Stack

NetworkKind = Literal["own", "customer"]
KEY = "alien:network"
_SHAPE = '{"vpc": "vpc-…", "private": ["subnet-…", "subnet-…"], "public": ["subnet-…", "subnet-…"]}'

_Vpc = Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}$")]
_Subnet = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}$")]


class CustomerNetwork(BaseModel):
    """The customer's existing network: `alien:network`, one subnet a zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vpc: _Vpc
    private: tuple[_Subnet, ...] = Field(min_length=1)
    """Where workloads run; they reach the internet through whatever the customer has there."""
    public: tuple[_Subnet, ...] = ()
    """Where load balancers stand; needed for public Containers with a domain."""


def customer_network(config: DeploymentConfig) -> CustomerNetwork:
    """The customer's network. Raises ConfigInvalid where the config does not say what it is."""
    if config.network is None:
        raise ConfigInvalid(f"{KEY} is not set", hint=f"set it to {_SHAPE}")
    try:
        return CustomerNetwork.model_validate(_object(config.network))
    except (ValidationError, ValueError) as wrong:
        raise ConfigInvalid(f"{KEY} is not {_SHAPE}", hint=f"{KEY} says which network workloads join") from wrong


def network_of(stack: Stack, declared: Declared) -> NetworkKind | None:
    """The network of a workload; None for a Function that needs none: it calls no Container."""
    workload = declared.workload
    if workload is None:
        return None
    if workload.network == "customer":
        return "customer"
    if declared.kind == "Container":
        return "own"
    return next((network_of(stack, container) for container in called(stack, declared)), None)


def called(stack: Stack, declared: Declared) -> tuple[Declared, ...]:
    """The Containers that a workload is linked to."""
    found = (stack.find(link.resource) for link in declared.links if link.verb == "call")
    return tuple(target for target in found if target is not None and target.kind == "Container")


def _object(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)  # noqa: TRY004 - the text is wrong, not the program
    return found
