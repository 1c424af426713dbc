"""What the agent tells of its work, as data. Telling the same twice has the same id, so that it counts once."""

import hashlib

from alien_iac.agent.release import Release
from alien_iac.agent.work import End, Work
from alien_iac.errors import AlienError
from alien_iac.protocol.api import Desired, Report
from alien_iac.protocol.arc import Target
from alien_iac.protocol.outputs import DeploymentOutputs

_LONGEST = 4_000
"""Characters of a reason that are sent."""


def _report(deployment_id: str, revision: int, phase: str, **rest: object) -> Report:
    """A report whose id is the same whenever the same is told again of the same revision."""
    facts = {name: value for name, value in rest.items() if value is not None}
    told = hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()[:12]
    report_id = f"{deployment_id}.{revision}.{phase}.{told}"
    return Report.model_validate({"id": report_id, "revision": revision, "phase": phase, **facts})


def accepted(deployment_id: str, desired: Desired) -> Report:
    """The revision was received, and is looked at."""
    return _report(deployment_id, desired.revision, "accepted", rollout_id=desired.rollout_id)


def progress(deployment_id: str, work: Work) -> Report | None:
    """The report with which a phase begins; the way back is told when it has ended."""
    if work.phase in {"returning", "checking"}:
        return None
    return _report(deployment_id, work.revision, work.phase, rollout_id=work.rollout_id)


def waiting(deployment_id: str, desired: Desired, reason: str) -> Report:
    """The revision waits for the customer: `approval`, `window`, or what is wrong with their file."""
    return _report(deployment_id, desired.revision, "waiting", rollout_id=desired.rollout_id, reason=reason)


def refused(deployment_id: str, desired: Desired, error: AlienError, runs: Release | None) -> Report:
    """`runs` is the release that stays."""
    return _report(
        deployment_id,
        desired.revision,
        "refused",
        rollout_id=desired.rollout_id,
        release=runs.version if runs else None,
        reason=str(error)[:_LONGEST],
        error_code=error.code,
    )


def ended(
    deployment_id: str, revision: int, rollout_id: str | None, end: End, outputs: DeploymentOutputs | None
) -> Report:
    """The last report of a revision: what runs now, and which commands it answers."""
    commands = end.runs.manifest.commands if end.runs else ()
    return _report(
        deployment_id,
        revision,
        end.phase,
        rollout_id=rollout_id,
        release=end.runs.version if end.runs else None,
        reason=end.reason[:_LONGEST],
        error_code=end.error_code,
        commands=tuple(command.dump() for command in commands),
        targets=tuple(_targets(outputs)),
    )


def _targets(outputs: DeploymentOutputs | None) -> list[dict[str, object]]:
    workloads = outputs.workloads if outputs else ()
    return [Target(resource_id=w.id, resource_type=w.type).dump() for w in workloads if w.commands]
