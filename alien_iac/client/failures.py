"""How a command can end without a result, as errors of our tree; and what a control plane's refusal is."""

from collections.abc import Mapping
from typing import Any

import httpx

from alien_iac import errors
from alien_iac.protocol import arc

_BY_STATUS: Mapping[int, type[errors.AlienError]] = {
    400: errors.InvalidInput,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.InvalidInput,
    422: errors.InvalidInput,
    429: errors.Unavailable,
    501: errors.Unsupported,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}
_BY_CODE: Mapping[str, type[errors.AlienError]] = {
    kind.code: kind for kind in (errors.Untrusted, errors.ConfigInvalid, errors.Conflict, errors.NotFound)
}


class CommandExpired(errors.Unavailable):
    """The command's time was over before anybody had answered it."""

    code = "COMMAND_EXPIRED"
    retryable = False


class CommandExhausted(errors.Unavailable):
    """The command was delivered as often as it may be, and nobody answered it."""

    code = "MAX_ATTEMPTS"
    retryable = False


class CommandCancelled(errors.Conflict):
    """Somebody cancelled the command."""

    code = "COMMAND_CANCELLED"


_BY_END: Mapping[str, type[errors.AlienError]] = {
    kind.code: kind for kind in (CommandExpired, CommandExhausted, CommandCancelled)
}


def body(answer: httpx.Response) -> Mapping[str, Any]:
    """What a control plane says of a failure; empty where somebody else answered in its place."""
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def refused(answer: httpx.Response) -> errors.AlienError:
    """The error that an answer stands for, by its code where that is one of ours, else by its status."""
    told = body(answer)
    kind = _BY_CODE.get(str(told.get("code", ""))) or _BY_STATUS.get(answer.status_code, errors.AlienError)
    message = str(told.get("message") or f"the control plane answered {answer.status_code}")
    context = told.get("context")
    return kind(message, hint=told.get("hint"), **(context if isinstance(context, dict) else {}))


def ended(status: arc.CommandStatus) -> errors.AlienError:
    """The error of a command that ended without a result. Its context has the command, its state and its code."""
    match status.response:
        case arc.Failure(code=code, message=message, details=details):
            said = f"{status.target.resource_id}: {message} [{code}]"
        case _:
            code, details = CommandExpired.code, "is the agent running?"
            said = f"command {status.command_id} was not answered before its deadline"
    kind = _BY_END.get(code, errors.HandlerFailed)
    return kind(said, hint=details, commandCode=code, **facts(status))


def waits(status: arc.CommandStatus, seconds: float) -> errors.Unavailable:
    """The error of a command that has not ended in the time that its caller had."""
    return errors.Unavailable(
        f"command {status.command_id} is {status.state} after {seconds:g} s",
        hint="it goes on; ask for its result later, or cancel it",
        **facts(status),
    )


def facts(status: arc.CommandStatus) -> dict[str, object]:
    """What is known of a command, for an error's context."""
    return {"commandId": status.command_id, "state": status.state, "attempt": status.attempt}
