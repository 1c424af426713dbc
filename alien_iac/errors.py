"""Every error that a user of alien-iac can meet.

    AlienError
    ├── InvalidInput             what was given is wrong, and nothing was changed
    │   ├── StackInvalid         the checks of a stack program found errors; carries all findings
    │   ├── ConfigInvalid        a deployment's config has a missing, unknown or wrong key
    │   └── BindingInvalid       a workload's environment does not say where a linked resource is
    ├── NotFound                 the thing that was named does not exist
    │   └── SecretNotSet         a secret exists, but nobody has given it a value yet
    ├── Conflict                 it exists already, or somebody else holds or changed it
    ├── Unauthorized             no credentials, or wrong ones
    ├── Forbidden                the credentials are good, but not for this
    ├── Missing                  an optional part (an extra, the Pulumi CLI, Docker) is not installed
    ├── Unsupported              a feature that this platform or engine does not have
    ├── Unavailable              a service did not answer; trying again may help
    ├── UpdateFailed             Pulumi ran, and a resource or the stack program failed
    ├── Untrusted                a signature, version or expiry check of a release failed
    ├── RolloutFailed            a rollout ended, and not every deployment has the release
    └── HandlerFailed            a workload's handler raised or ran out of time

Foreign errors are translated once, at the module that owns the library, with `raise … from`. Programming mistakes
stay `TypeError` and `ValueError`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from alien_iac.models.finding import Finding


class AlienError(Exception):
    """The root. `message` says where and what, `hint` what next; neither ever holds a secret."""

    code: ClassVar[str] = "ERROR"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context: Mapping[str, object] = context

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def as_dict(self) -> dict[str, Any]:
        """The error as the command line's `--json` and the control plane's API give it."""
        facts = {"code": self.code, "message": self.message, "retryable": self.retryable, "hint": self.hint}
        return {k: v for k, v in facts.items() if v is not None} | (
            {"context": dict(self.context)} if self.context else {}
        )


class InvalidInput(AlienError):
    """What was given is wrong, and nothing was changed."""

    code = "INVALID_INPUT"
    http_status = 400
    exit_code = 2


class StackInvalid(InvalidInput):
    """The checks of a stack program found errors. `findings` has all of them, the warnings too."""

    code = "STACK_INVALID"

    def __init__(self, findings: "Sequence[Finding]") -> None:
        self.findings = tuple(findings)
        errors = [f for f in self.findings if f.severity == "error"]
        lines = "\n".join(f"  {finding}" for finding in errors)
        super().__init__(f"the stack has {len(errors)} error(s), and nothing was created:\n{lines}")


class ConfigInvalid(InvalidInput):
    """A deployment's config has a missing, unknown or wrong key."""

    code = "CONFIG_INVALID"


class BindingInvalid(InvalidInput):
    """A workload's environment does not say, or wrongly says, where a linked resource is."""

    code = "BINDING_INVALID"


class NotFound(AlienError):
    """The thing that was named does not exist."""

    code = "NOT_FOUND"
    http_status = 404
    exit_code = 3


class SecretNotSet(NotFound):
    """A secret exists, but nobody has given it a value yet."""

    code = "SECRET_NOT_SET"


class Conflict(AlienError):
    """It exists already, or somebody else holds or changed it."""

    code = "CONFLICT"
    http_status = 409
    exit_code = 4


class Unauthorized(AlienError):
    """No credentials, or wrong ones."""

    code = "UNAUTHORIZED"
    http_status = 401
    exit_code = 5


class Forbidden(AlienError):
    """The credentials are good, but not for this."""

    code = "FORBIDDEN"
    http_status = 403
    exit_code = 5


class Missing(AlienError):
    """An optional part (an extra, the Pulumi CLI, Docker) is not installed. The hint is the line that installs it."""

    code = "MISSING"
    http_status = 501
    exit_code = 6


class Unsupported(AlienError):
    """A feature that this platform or engine does not have. The hint names the nearest way."""

    code = "UNSUPPORTED"
    http_status = 501
    exit_code = 6


class Unavailable(AlienError):
    """A service did not answer. Trying again may help."""

    code = "UNAVAILABLE"
    retryable = True
    http_status = 503
    exit_code = 7


class UpdateFailed(AlienError):
    """Pulumi ran, and a resource or the stack program failed. What was done is recorded in the state."""

    code = "UPDATE_FAILED"
    exit_code = 8


class Untrusted(AlienError):
    """A signature, version or expiry check of a release failed. The running release is left as it is."""

    code = "UNTRUSTED"
    http_status = 400
    exit_code = 9


class RolloutFailed(AlienError):
    """A rollout ended, and not every deployment has the release."""

    code = "ROLLOUT_FAILED"
    exit_code = 10


class HandlerFailed(AlienError):
    """A workload's handler raised, or ran out of time. `code` of the caller's answer is in the context."""

    code = "HANDLER_ERROR"
    exit_code = 11


def told(error: BaseException, folder: Path) -> str:
    """An exception of somebody's code as one line: `LookupError: no such shelf (worker/main.py, line 4)`.

    The place is the last one that lies in `folder`, which is theirs; what they installed into it does not count.
    """
    frames: list[tuple[str, int | None]] = []
    step = error.__traceback__
    while step is not None:
        frames.append((step.tb_frame.f_code.co_filename, step.tb_lineno))
        step = step.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    base = folder.resolve()
    paths = [(Path(name).resolve(), number) for name, number in frames if not name.startswith("<")]
    theirs = [(path.relative_to(base), number) for path, number in paths if path.is_relative_to(base)]
    places = [f" ({path}, line {number})" for path, number in theirs if ".python" not in path.parts]
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}{places[-1] if places else ''}"
