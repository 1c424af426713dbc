"""What leaves the customer's account by itself."""

from collections.abc import Mapping

from alien_iac.review.deployments import Subject

_AGENT = "the agent asks for releases and commands; health and results of commands go there"
_WORKLOADS = "each workload with commands=True asks for them, Functions once a minute; results of commands go there"
_TELEMETRY = "metrics, traces and logs, at the level that the customer chose"


def find(subject: Subject) -> list[dict[str, str]]:
    """Where something goes, and what. Without a control plane and telemetry there is nothing."""
    return [
        {"to": to, "what": what}
        for key, what in _destinations(subject.config).items()
        if (to := subject.config.get(key))
    ]


def _destinations(config: Mapping[str, str]) -> dict[str, str]:
    """Config key to what goes to the address that it has."""
    is_pushed = config.get("alien:deploymentId") and not config.get("alien:agentUrl")
    return {"alien:controlPlane": _WORKLOADS if is_pushed else _AGENT, "alien:telemetryEndpoint": _TELEMETRY}
