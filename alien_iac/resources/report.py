"""What the planner tells a review: who may do what, who reaches what, what costs while idle, and what was found.

It goes out as one more stack output, and only where the environment asks for it; no update ever has it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from alien_iac.models.finding import Finding
from alien_iac.resources.context import Built, Grant


def refused(findings: Iterable[Finding]) -> dict[str, Any]:
    """The output of a stack that its checks refused."""
    return _whole(findings)


def built(made: Mapping[str, Built], findings: Iterable[Finding]) -> dict[str, Any]:
    """The output of a stack that was built. Policies in it are Outputs."""
    return _whole(
        findings,
        grants=[_grant(grant) for each in made.values() for grant in each.grants],
        exposure=[
            {"resource": one.resource, "from": one.from_, "how": one.how}
            for each in made.values()
            for one in each.exposure
        ],
        idle=[
            {"resource": resource, "what": what, "cost": cost}
            for resource, each in made.items()
            for what, cost in each.idle.items()
        ],
    )


def _whole(findings: Iterable[Finding], **parts: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, Any] = {"grants": [], "exposure": [], "idle": []}
    return {**empty, **parts, "findings": [one.model_dump(mode="json") for one in findings]}


def _grant(grant: Grant) -> dict[str, Any]:
    policy = pulumi.Output.from_input(grant.policy)
    return {"workload": grant.workload, "resource": grant.resource, "verb": grant.verb, "policy": policy}
