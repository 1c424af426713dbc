"""One identity per workload, and for each link exactly one of Azure's roles on exactly that resource."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native.authorization import RoleAssignment
from pulumi_azure_native.managedidentity import UserAssignedIdentity

from alien_iac.models.declared import Declared
from alien_iac.models.links import Link
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger
from alien_iac.resources.context import Context, Grant
from alien_iac_azure import naming
from alien_iac_azure.place import place
from alien_iac_azure.shared import inside


@dataclass(frozen=True)
class Role:
    """One of Azure's built-in roles."""

    name: str
    guid: str


BLOB_READER = Role("Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1")
BLOB_WRITER = Role("Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe")
BLOB_SIGNER = Role("Storage Blob Delegator", "db58b8e5-c6ad-4a2a-8342-4190687cbf4a")
BLOB_OWNER = Role("Storage Blob Data Owner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b")
TABLE_READER = Role("Storage Table Data Reader", "76199698-9eea-4c19-bc75-cec21354c6b6")
TABLE_WRITER = Role("Storage Table Data Contributor", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3")
BUS_SENDER = Role("Azure Service Bus Data Sender", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39")
BUS_RECEIVER = Role("Azure Service Bus Data Receiver", "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0")
SECRET_READER = Role("Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6")
KEY_USER = Role("Key Vault Crypto Service Encryption User", "e147488a-f6f5-4113-8e2d-b22465e65bf6")
IMAGE_PULLER = Role("AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d")

_VERBS: Mapping[tuple[str, str], Role] = {
    ("Storage", "read"): BLOB_READER,
    ("Storage", "write"): BLOB_WRITER,
    ("Kv", "read"): TABLE_READER,
    ("Kv", "write"): TABLE_WRITER,
    ("Queue", "send"): BUS_SENDER,
    ("Queue", "consume"): BUS_RECEIVER,
    ("Secret", "read"): SECRET_READER,
}
"""Who may call a Function is told to the Function itself (see `callers`); a Container asks nobody in its network."""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """Grants as they were made."""

    grants: tuple[Grant, ...] = ()
    made: tuple[pulumi.Resource, ...] = ()

    def __add__(self, other: "Granted") -> "Granted":
        return Granted(grants=self.grants + other.grants, made=self.made + other.made)


def identity(context: Context, *, role: str = "identity", part: str = "") -> UserAssignedIdentity:
    """An identity of the component's own. `role` and `part`: where it is a second one, or not a workload's."""
    resource = context.declared.id
    name = naming.name(context.deployment.config, "identity", resource, part)
    props = {**inside(context, resource=resource), "resource_name_": name}
    return context.native(role, UserAssignedIdentity, props, suffix=part or "identity")


def linked(context: Context, to: UserAssignedIdentity) -> Granted:
    """What the workload's links and triggers grant it on data."""
    links = dict.fromkeys([*context.declared.links, *_consumed(context.declared)])
    granted = Granted()
    for link in links:
        target = context.stack.find(link.resource)
        if target is not None and (target.kind, link.verb) in _VERBS:
            scope = context.built[target.id].outputs["id"]
            granted += give(context, to, _VERBS[target.kind, link.verb], scope, resource=target.id, verb=link.verb)
            if target.kind == "Storage":
                account = context.built[target.id].outputs["account_id"]
                granted += give(context, to, BLOB_SIGNER, account, resource=target.id, verb="sign addresses")
    return granted


def give(  # noqa: PLR0913 - what a grant is made of
    context: Context,
    to: UserAssignedIdentity,
    role: Role,
    scope: pulumi.Input[str],
    *,
    resource: str,
    verb: str,
    workload: str | None = None,
    native: str = "grants",
) -> Granted:
    """Give an identity one role at one resource. `workload`: whose identity it is, if not the context's component's."""
    props = assigned(context, to.principal_id, role, scope, (context.declared.id, resource, verb))
    made = context.native(native, RoleAssignment, props, suffix=_suffix(resource, verb))
    policy = {"role": role.name, "scope": scope}
    grant = Grant(workload=workload or context.declared.id, resource=resource, verb=verb, policy=policy)
    return Granted(grants=(grant,), made=(made,))


def assigned(
    context: Context, principal: pulumi.Input[str], role: Role, scope: pulumi.Input[str], key: Iterable[str]
) -> dict[str, pulumi.Input[str]]:
    """The properties of an assignment.

    Its name is a GUID made of who, what and which role: always the same, and another role is another assignment.
    """
    where, config = place(context.deployment.settings), context.deployment.config
    words = "/".join((where.subscription, config.prefix, *key, role.guid))
    return {
        "scope": scope,
        "role_definition_id": where.role(role.guid),
        "principal_id": principal,
        "principal_type": "ServicePrincipal",
        "role_assignment_name": str(uuid.uuid5(uuid.NAMESPACE_URL, f"alien:{words}")),
    }


def _consumed(declared: Declared) -> Iterable[Link]:
    """A Function takes messages with its own identity, and reads what it hears of only where it is linked to it."""
    for trigger in declared.triggers:
        if isinstance(trigger, QueueTrigger):
            yield Link(resource=trigger.resource, kind="Queue", verb="consume")


def watched(declared: Declared) -> tuple[str, ...]:
    """The storages whose new objects start the Function."""
    return tuple(dict.fromkeys(t.resource for t in declared.triggers if isinstance(t, CreatedTrigger)))


def _suffix(resource: str, verb: str) -> str:
    return f"{resource}-{verb}".replace(":", "-").replace(" ", "-")
