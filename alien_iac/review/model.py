"""What a review says: plain, frozen, and JSON as it is."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from alien_iac.models.finding import Finding


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class Resource(_Part):
    """One resource as Pulumi would register it. What no cloud has said yet is synthetic."""

    urn: str
    type: str
    name: str
    parent: str
    """URN; empty for the Pulumi stack's own children."""
    inputs: Mapping[str, Any] = {}
    protect: bool = False
    retain: bool = False
    """Whether it outlives the stack."""


class Grant(_Part):
    """What a workload may do to a resource, in a word and as the exact policy."""

    workload: str
    resource: str
    verb: str
    policy: Any = None


class Exposure(_Part):
    """Who reaches a resource: `internet`, `deployment`, `agent`, or the id of a workload."""

    resource: str
    from_: str = Field(alias="from")
    how: str


class Idle(_Part):
    """What costs money while nothing happens."""

    resource: str
    what: str
    cost: str


class Leaving(_Part):
    """What goes out of the customer's account by itself, and where to."""

    to: str
    what: str


class Review(_Part):
    """All that there is to say of one stack program on one platform. Ids, ARNs and addresses in it are synthetic."""

    platform: str
    resources: tuple[Resource, ...] = ()
    grants: tuple[Grant, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    idle: tuple[Idle, ...] = ()
    leaves: tuple[Leaving, ...] = ()
    deploy_permissions: Mapping[str, Any] = {}
    """The policy, role or role definition of the cloud that lets an identity deploy this."""
    findings: tuple[Finding, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether the checks refuse the stack."""
        return any(finding.severity == "error" for finding in self.findings)

    def dump(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return self.model_dump(mode="json", by_alias=True)
