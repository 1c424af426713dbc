"""The refusals that the `arc.v1` protocol names by codes of its own."""

from alien_iac.errors import Conflict, InvalidInput, NotFound, Unavailable


class CommandInvalid(InvalidInput):
    """The request for a command is wrong."""

    code = "INVALID_COMMAND"


class CommandUnknown(NotFound):
    """There is no such command, or none that the caller may see."""

    code = "COMMAND_NOT_FOUND"


class TargetUnknown(NotFound):
    """The deployment's release has no such workload that takes commands."""

    code = "COMMAND_TARGET_NOT_FOUND"


class TargetAmbiguous(Conflict):
    """Several workloads take commands, and the request names none."""

    code = "COMMAND_TARGET_AMBIGUOUS"


class NoTargets(InvalidInput):
    """No workload of the deployment takes commands."""

    code = "NO_COMMAND_TARGETS"
    http_status = 422


class WrongState(InvalidInput):
    """The command's state does not allow this."""

    code = "INVALID_STATE_TRANSITION"


class LeaseUnknown(NotFound):
    """There is no such lease any more."""

    code = "LEASE_NOT_FOUND"


class LeaseSuperseded(Conflict):
    """Another attempt holds the command now; this one's result is not taken."""

    code = "LEASE_SUPERSEDED"


class TooManyCommands(Unavailable):
    """The deployment has as many open commands as one may have."""

    code = "TOO_MANY_COMMANDS"
    http_status = 429


class TooManyRequests(Unavailable):
    """One token, or one address with wrong ones, asks more often than it may. `after`: seconds until it may again."""

    code = "TOO_MANY_REQUESTS"
    http_status = 429

    def __init__(self, after: int) -> None:
        super().__init__("these are too many requests at once", hint=f"try again in {after} s", retryAfter=after)
        self.after = after


class NoReceiver(InvalidInput):
    """The workload is called by its agent, so that nothing outside may receive its commands."""

    code = "COMMAND_RECEIVER_NOT_SUPPORTED"
    http_status = 422
