"""The deployment's pinned provider, for raw resources beside the components."""

import pulumi

from alien_iac.resources import planner


def provider() -> pulumi.ProviderResource:
    """The provider that the deployment's components use: its account, region and tags are those of the config.

    Raises StackInvalid where the config does not say which one.
    """
    return planner.current().provider()
