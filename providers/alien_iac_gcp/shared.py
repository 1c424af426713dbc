"""What the components of a deployment share: enabled APIs, Google's own service agents, the project's number.

Shared resources have no options of their own, so those that wait for another one are made through `after`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import pulumi
from pulumi_gcp.organizations import get_project_output
from pulumi_gcp.projects import Service, ServiceIdentity

from alien_iac.resources.context import Context
from alien_iac_gcp.place import place

Api = Literal[
    "artifactregistry",
    "cloudkms",
    "cloudresourcemanager",
    "cloudscheduler",
    "compute",
    "dns",
    "firestore",
    "iam",
    "iamcredentials",
    "pubsub",
    "run",
    "secretmanager",
    "storage",
]
R = TypeVar("R", bound=pulumi.Resource)


def after(make: Callable[..., R], resources: Iterable[pulumi.Resource]) -> Callable[..., R]:
    """The class, so that what it makes waits for these."""
    return _with(make, pulumi.ResourceOptions(depends_on=list(resources)))


def provided_by(make: Callable[..., R], provider: pulumi.ProviderResource) -> Callable[..., R]:
    """The class, made by this provider instead of the cloud's."""
    return _with(make, pulumi.ResourceOptions(provider=provider))


def _with(make: Callable[..., R], more: pulumi.ResourceOptions) -> Callable[..., R]:
    def made(logical: str, /, *, opts: pulumi.ResourceOptions, **props: Any) -> R:
        return make(logical, opts=pulumi.ResourceOptions.merge(opts, more), **props)

    return made


def enabled(context: Context, *apis: Api) -> tuple[Service, ...]:
    """These APIs of the project. They stay enabled when the deployment goes: others may have come to use them."""
    return tuple(context.shared.shared(Service, f"{api}-api", _api(api)) for api in apis)


def with_apis(context: Context, *apis: Api) -> Context:
    """The same, waiting for these APIs."""
    return context.waiting_for(enabled(context, *apis))


def agent(context: Context, api: Api) -> ServiceIdentity:
    """The service account by which a service of Google's acts in the project. Deriving its name does not make it."""
    make = after(ServiceIdentity, enabled(context, api))
    return context.shared.shared(make, f"{api}-agent", {"service": f"{api}.googleapis.com"})


def project_number(context: Context) -> pulumi.Output[str]:
    """The number of the project, which is in the addresses of Cloud Run; a new project is asked once it has the API."""
    asked = enabled(context, "cloudresourcemanager")
    opts = pulumi.InvokeOutputOptions(provider=context.shared.provider(), depends_on=list(asked))
    return get_project_output(project_id=place(context.deployment.settings).project, opts=opts).number


def _api(api: Api) -> dict[str, Any]:
    return {"service": f"{api}.googleapis.com", "disable_on_destroy": False}
