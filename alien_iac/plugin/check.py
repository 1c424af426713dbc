"""Whether inputs are right: all that is wrong with them at once, each with its property and a reason."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alien_iac.plugin.kind import Call, Failure, Inputs, Kind
from alien_iac.plugin.values import Properties
from alien_iac.protocol.wire import Wire


def failures(kind: Kind[Any], given: Properties, call: Call) -> list[Failure]:
    """What is wrong. What is unknown yet counts as right, and no secret is quoted."""
    try:
        inputs = kind.model.model_validate(kind.upgraded(given.plain))
    except ValidationError as invalid:
        found = [error for error in invalid.errors(include_url=False) if _top(error) not in given.unknown]
        return [_failure(error, kind.model, given) for error in found]
    return [one for one in kind.check(inputs, call) if one.property.split(".")[0] not in given.unknown]


def known(kind: Kind[Inputs], plain: Mapping[str, Any]) -> Inputs:
    """The inputs of a resource in the state, perhaps of another version: what this one has no word for is left out."""
    return kind.model.model_validate(ours(kind, plain))


def ours(kind: Kind[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """What this version has a word for."""
    return {key: value for key, value in kind.upgraded(plain).items() if key in names(kind.model)}


def names(model: type[Wire]) -> frozenset[str]:
    """The properties of a model, as they travel."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _top(error: ErrorDetails) -> str:
    return str(error["loc"][0]) if error["loc"] else ""


def _failure(error: ErrorDetails, model: type[Wire], given: Properties) -> Failure:
    path = ".".join(str(step) for step in error["loc"])
    if error["type"] == "missing":
        return Failure(path, "is required")
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(names(model)))
        return Failure(path, f"there is no such property; there are {allowed}")
    quoted = "" if _top(error) in given.secret else f", not {error['input']!r}"
    return Failure(path, f"{error['msg']}{quoted}")
