"""The customer's own key (`alien:encryptionKey`): the service that encrypts with it is granted its use first."""

from collections.abc import Callable, Mapping
from typing import Literal

import pulumi
from pulumi_gcp.kms import CryptoKeyIAMMember
from pulumi_gcp.storage import get_project_service_account_output

from alien_iac.resources.context import Context
from alien_iac_gcp.shared import after, agent, enabled, project_number

ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
User = Literal["artifactregistry", "compute", "firestore", "pubsub", "run", "secretmanager", "storage"]


def keyed(context: Context, user: User) -> tuple[Context, str | None]:
    """The customer's key, and the same waiting until the service may use it; None where Google's own key is used."""
    key = context.deployment.config.encryption_key
    if key is None:
        return context, None
    props = {"crypto_key_id": key, "role": ROLE, "member": _member(context, user)}
    make = after(CryptoKeyIAMMember, enabled(context, "cloudkms"))
    return context.waiting_for([context.shared.shared(make, f"{user}-key", props)]), key


def storage_agent(context: Context) -> pulumi.Output[str]:
    """The member for Cloud Storage's own service account, which exists once it was asked for."""
    opts = pulumi.InvokeOptions(provider=context.shared.provider())
    found = get_project_service_account_output(opts=opts)
    return pulumi.Output.concat("serviceAccount:", found.email_address)


def _agent_of(domain: str) -> Callable[[Context], pulumi.Output[str]]:
    """A service account that exists once its service's API is enabled."""
    member = f"serviceAccount:service-{{0}}@{domain}.iam.gserviceaccount.com"
    return lambda context: pulumi.Output.format(member, project_number(context))


def _member(context: Context, user: User) -> pulumi.Input[str]:
    special = _SPECIAL.get(user)
    return special(context) if special else agent(context, user).member


_SPECIAL: Mapping[User, Callable[[Context], pulumi.Output[str]]] = {
    "compute": _agent_of("compute-system"),
    "run": _agent_of("serverless-robot-prod"),
    "storage": storage_agent,
}
