"""One desired revision carried out: a state machine whose every step is stored before its effect. Pure.

    applying ──ok──> verifying ──healthy──> succeeded
       │                 │
       └──failed─────────┴──> returning ──ok──> checking ──healthy──> returned
                                  │                 │
                                  └─────────────────┴──> failed

Where there is no release to go back to, a failure ends in `failed` at once; and so it does where nothing was changed.
"""

from dataclasses import dataclass
from typing import Literal

from alien_iac.agent.release import Release
from alien_iac.errors import AlienError, InvalidInput, UpdateFailed
from alien_iac.protocol.wire import Open

Phase = Literal["applying", "verifying", "returning", "checking"]
Final = Literal["succeeded", "unchanged", "returned", "failed", "refused"]
MOST_ATTEMPTS = 3
"""After an agent died so often in one phase, the phase counts as failed."""


class Work(Open):
    """A revision in work. `to` is what shall run, `back` what was healthy before."""

    revision: int
    rollout_id: str | None = None
    phase: Phase
    to: Release
    back: Release | None = None
    reason: str = ""
    error_code: str | None = None
    attempts: int = 1

    @property
    def wanted(self) -> Release:
        """The release that this phase brings up or looks at."""
        return self.back if self.back and self.phase in {"returning", "checking"} else self.to

    @property
    def is_update(self) -> bool:
        """Whether this phase runs Pulumi (else it looks at health)."""
        return self.phase in {"applying", "returning"}


@dataclass(frozen=True, kw_only=True)
class End:
    """How a revision ended. `runs` is what runs now; `whole` says that it is known to be well."""

    phase: Final
    runs: Release | None
    whole: bool
    reason: str = ""
    error_code: str | None = None


def succeeded(work: Work) -> Work | End:
    """The phase's effect is done and went well."""
    match work.phase:
        case "applying":
            return _moved(work, "verifying")
        case "returning":
            return _moved(work, "checking")
        case "verifying":
            return End(phase="succeeded", runs=work.to, whole=True)
        case "checking":
            return End(phase="returned", runs=work.back, whole=True, reason=work.reason, error_code=work.error_code)


def failed(work: Work, error: AlienError) -> Work | End:
    """The phase went wrong. An update that failed for a reason which may go away is tried again, a few times."""
    if work.is_update and error.retryable and work.attempts < MOST_ATTEMPTS:
        return work.model_copy(update={"attempts": work.attempts + 1})
    if work.phase in {"returning", "checking"}:
        reason = f"{work.reason}; and the way back to {work.wanted.version} failed: {error.message}"
        return End(phase="failed", runs=work.back, whole=False, reason=reason, error_code=work.error_code)
    if work.phase == "applying" and isinstance(error, InvalidInput):  # the checks refused it; nothing was changed
        return End(phase="failed", runs=work.back, whole=True, reason=error.message, error_code=error.code)
    if work.back is None:
        return End(phase="failed", runs=work.to, whole=False, reason=error.message, error_code=error.code)
    back = _moved(work, "returning")
    return back.model_copy(update={"reason": error.message, "error_code": error.code})


def resumed(work: Work) -> Work | End:
    """The phase as a restarted agent takes it up again; an update that killed the agent too often has failed."""
    if work.is_update and work.attempts >= MOST_ATTEMPTS:
        return failed(
            work, UpdateFailed(f"the agent died {work.attempts} times while {work.phase} {work.wanted.version}")
        )
    return work.model_copy(update={"attempts": work.attempts + 1})


def _moved(work: Work, phase: Phase) -> Work:
    return work.model_copy(update={"phase": phase, "attempts": 1})
