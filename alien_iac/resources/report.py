"""What the planner tells a review: who may do what, who reaches what, what costs while idle, and what was found.

It goes out as one more stack output, and only where the environment asks for it; no update ever has it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from alien_iac.models.finding import Finding
from alien_iac.protocol import review
from alien_iac.resources.context import Built, Grant


def refused(folder: Path, findings: Iterable[Finding]) -> None:
    """Tell why a stack was refused. A file does, since a program that fails registers no outputs any more."""
    (folder / review.FINDINGS).write_text(json.dumps(_listed(findings)), encoding="utf-8")


def built(made: Mapping[str, Built], findings: Iterable[Finding]) -> dict[str, Any]:
    """The output of a stack that was built. Policies in it are Outputs."""
    return {
        "grants": [_grant(grant) for each in made.values() for grant in each.grants],
        "exposure": [
            {"resource": one.resource, "from": one.from_, "how": one.how}
            for each in made.values()
            for one in each.exposure
        ],
        "idle": [
            {"resource": resource, "what": what, "cost": cost}
            for resource, each in made.items()
            for what, cost in each.idle.items()
        ],
        "findings": _listed(findings),
    }


def _listed(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in findings]


def _grant(grant: Grant) -> dict[str, Any]:
    policy = pulumi.Output.from_input(grant.policy)
    return {"workload": grant.workload, "resource": grant.resource, "verb": grant.verb, "policy": policy}
