"""The deployment's own instance of the plugin `alien`."""

from alien_iac.resources.deployment import Deployment
from alien_iac.resources.plugin import AlienProvider


def make(deployment: Deployment) -> AlienProvider:
    """The pinned provider, bound to the folder in which the deployment keeps its data."""
    return AlienProvider("alien", local_dir=str(deployment.local_dir))
