"""The deployment's own instance of the plugin `alien`."""

import pulumi

from alien_iac.resources.deployment import Deployment
from alien_iac_local.native import versioned


class AlienProvider(pulumi.ProviderResource):
    """The plugin, bound to the folder in which the deployment keeps its data."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, *, local_dir: pulumi.Input[str]) -> None:
        super().__init__("alien", name, {"localDir": local_dir}, versioned(opts))


def make(deployment: Deployment) -> AlienProvider:
    """The pinned provider."""
    return AlienProvider("alien", local_dir=str(deployment.local_dir))
