"""The public name of a workload: below the customer's domain, or whole as its author gave it."""

from alien_iac.models.config import DeploymentConfig


def host(config: DeploymentConfig, domain: str) -> str | None:
    """The whole name; None where it is one below `alien:domain` and there is no such key."""
    if "." in domain:
        return domain
    return f"{domain}.{config.domain}" if config.domain else None
