"""For each link exactly one role on exactly that resource, as a member: nothing that the customer granted is touched.

Firestore has no access of its own for a database, so there it is the project's, on the condition of that database.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_gcp.artifactregistry import RepositoryIamMember
from pulumi_gcp.cloudrunv2 import ServiceIamMember
from pulumi_gcp.projects import IAMMember as ProjectIAMMember
from pulumi_gcp.projects import IAMMemberConditionArgs
from pulumi_gcp.pubsub import SubscriptionIAMMember, TopicIAMMember
from pulumi_gcp.secretmanager import SecretIamMember
from pulumi_gcp.serviceaccount import IAMMember as AccountIAMMember
from pulumi_gcp.storage import BucketIAMMember

from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Declared
from alien_iac.models.links import Verb
from alien_iac.resources.context import Context, Grant
from alien_iac_gcp import naming
from alien_iac_gcp.accounts import account, email, member
from alien_iac_gcp.place import place
from alien_iac_gcp.shared import Api, enabled

INVOKER = "roles/run.invoker"
SIGNER = "roles/iam.serviceAccountTokenCreator"
PROJECT_API: Api = "cloudresourcemanager"
SIGNING_API: Api = "iamcredentials"


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role on one resource."""

    make: Callable[..., pulumi.Resource]
    on: Mapping[str, Any]
    """The keywords that name the resource."""
    role: str
    condition: str | None = None
    """What else has to hold, where the resource has no access of its own."""
    api: Api | None = None
    """What the role is granted through, or used through, where no resource of the deployment enables it."""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """Grants as they were made."""

    grants: tuple[Grant, ...] = ()
    members: tuple[pulumi.Resource, ...] = field(default=(), repr=False)

    def __add__(self, other: "Granted") -> "Granted":
        return Granted(grants=self.grants + other.grants, members=self.members + other.members)


def linked(context: Context) -> Granted:
    """What the workload's links grant it on data. Who may call a workload is granted where the called one is made."""
    granted = Granted()
    for link in context.declared.links:
        target = context.stack.find(link.resource)
        if target is not None and target.kind in _ROLES:
            role = _ROLES[target.kind](context, target, link.verb)
            granted += give(context, role, context.declared.id, target.id, link.verb)
    if any(link.kind == "Storage" for link in context.declared.links):
        granted += give(context, _signer(context), context.declared.id, context.declared.id, "sign addresses")
    return granted


def invoked_by(context: Context, callers: Iterable[tuple[str, str]], wait: pulumi.Resource) -> Granted:
    """Whoever (workload, part of its account's name) may call the context's Cloud Run service, which is `wait`."""
    granted, where = Granted(), place(context.deployment.settings)
    service = naming.name(context.deployment.config, "run", context.declared.id)
    role = Role(
        make=ServiceIamMember, on={"name": service, "location": where.region, "project": where.project}, role=INVOKER
    )
    for workload, part in callers:
        waiting = context.waiting_for([wait])
        granted += give(waiting, role, workload, context.declared.id, "call", part=part, native="invokers")
    return granted


def give(  # noqa: PLR0913 - what a grant is made of
    context: Context, role: Role, workload: str, resource: str, verb: str, *, part: str = "", native: str = "grants"
) -> Granted:
    """Give one role to the account of a workload."""
    who = member(context, workload, part)
    waiting = context.waiting_for([account(context, workload, part), *_enabled(context, role)])
    label = "-".join(word for word in (workload if native == "invokers" else resource, part, verb) if word)
    props = {**role.on, "role": role.role, "member": who, **_condition(role, resource)}
    made = waiting.native(native, role.make, props, suffix=label.replace(":", "-").replace(" ", "-"))
    policy = {**role.on, "role": role.role, "member": who}
    if role.condition:
        policy["condition"] = role.condition
    who_in_words = f"{workload}'s {part}" if part else workload
    told = Grant(workload=who_in_words, resource=resource, verb=verb, policy=policy)
    return Granted(grants=(told,), members=(made,))


def repository_reader(context: Context, repository: str) -> Role:
    """Pulling images from the deployment's repository."""
    where = place(context.deployment.settings)
    on = {"repository": repository, "location": where.region, "project": where.project}
    return Role(make=RepositoryIamMember, on=on, role="roles/artifactregistry.reader")


def log_writer(context: Context) -> Role:
    """Writing logs, which has no narrower place than the project."""
    on = {"project": place(context.deployment.settings).project}
    return Role(make=ProjectIAMMember, on=on, role="roles/logging.logWriter", api=PROJECT_API)


def _enabled(context: Context, role: Role) -> tuple[pulumi.Resource, ...]:
    return enabled(context, role.api) if role.api else ()


def _condition(role: Role, resource: str) -> dict[str, Any]:
    if role.condition is None:
        return {}
    return {"condition": IAMMemberConditionArgs(title=f"only-{resource}", expression=role.condition)}


def _signer(context: Context) -> Role:
    """Signing addresses of objects in its own name."""
    where, config = place(context.deployment.settings), context.deployment.config
    own = f"projects/{where.project}/serviceAccounts/{email(config, where, context.declared.id)}"
    return Role(make=AccountIAMMember, on={"service_account_id": own}, role=SIGNER, api=SIGNING_API)


def _storage(context: Context, target: Declared, verb: Verb) -> Role:
    bucket = naming.name(context.deployment.config, "bucket", target.id)
    role = "roles/storage.objectUser" if verb == "write" else "roles/storage.objectViewer"
    return Role(make=BucketIAMMember, on={"bucket": bucket}, role=role)


def _kv(context: Context, target: Declared, verb: Verb) -> Role:
    project = place(context.deployment.settings).project
    database = naming.name(context.deployment.config, "database", target.id)
    return Role(
        make=ProjectIAMMember,
        on={"project": project},
        role="roles/datastore.user" if verb == "write" else "roles/datastore.viewer",
        condition=f'resource.name == "projects/{project}/databases/{database}"',
        api=PROJECT_API,
    )


def _queue(context: Context, target: Declared, verb: Verb) -> Role:
    queue = naming.name(context.deployment.config, "topic", target.id)
    if verb == "send":
        return Role(make=TopicIAMMember, on={"topic": queue}, role="roles/pubsub.publisher")
    return Role(make=SubscriptionIAMMember, on={"subscription": queue}, role="roles/pubsub.subscriber")


def _secret(context: Context, target: Declared, _: Verb) -> Role:
    secret = naming.name(context.deployment.config, "secret", target.id)
    return Role(make=SecretIamMember, on={"secret_id": secret}, role="roles/secretmanager.secretAccessor")


_ROLES: Mapping[Kind, Callable[[Context, Declared, Verb], Role]] = {
    "Storage": _storage,
    "Kv": _kv,
    "Queue": _queue,
    "Secret": _secret,
}
