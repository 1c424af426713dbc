"""What leaves the customer's account by itself."""

from collections.abc import Mapping

from alien_iac.review.deployments import Subject

DESTINATIONS: Mapping[str, str] = {
    "alien:controlPlane": "the agent asks for releases and commands; health and results of commands go there",
    "alien:telemetryEndpoint": "metrics, traces and logs, at the level that the customer chose",
}
"""Config key to what goes to the address that it has."""


def find(subject: Subject) -> list[dict[str, str]]:
    """Where something goes, and what. Without an agent and telemetry there is nothing."""
    return [{"to": subject.config[key], "what": what} for key, what in DESTINATIONS.items() if subject.config.get(key)]
