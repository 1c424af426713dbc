"""Reads the arguments of one component: everything that is wrong becomes a finding, and the rest stands."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ARGUMENTS, Arguments, Kind
from alien_iac.models.finding import Finding

BESIDE = ("link", "opts", "transform")
"""What a constructor takes that is not plain data."""


@dataclass(frozen=True)
class Read:
    """The arguments that could be read, with defaults in place of the wrong ones, and what was wrong."""

    arguments: Arguments
    given: frozenset[str]
    findings: tuple[Finding, ...]


def read(kind: Kind, resource_id: str, keywords: Mapping[str, Any]) -> Read:
    """The keywords of a constructor as the arguments of its kind."""
    model = ARGUMENTS[kind]
    known = {name: value for name, value in keywords.items() if name in model.model_fields}
    findings = [_unknown(kind, resource_id, name) for name in keywords if name not in known]
    try:
        arguments = model.model_validate(known)
    except ValidationError as wrong:
        problems = wrong.errors(include_url=False, include_context=False)
        findings += [_wrong(kind, resource_id, problem) for problem in problems]
        arguments = model.model_validate(_rest(known, [problem["loc"] for problem in problems]))
    given = (name for name in arguments.model_fields_set if getattr(arguments, name) != _default(model, name))
    return Read(arguments, frozenset(given), tuple(findings))


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """A hint with the nearest of the allowed names, or all of them."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    return f'did you mean "{near[0]}"?' if near else "allowed: " + ", ".join(names)


def _rest(known: Mapping[str, Any], wrong: Iterable[tuple[int | str, ...]]) -> dict[str, Any]:
    """What is right: without a wrong argument, or only without the wrong items of a mapping or list."""
    bad: dict[int | str, set[int | str]] = {}
    for place in wrong:
        bad.setdefault(place[0], set()).update(place[1:2])
    return {
        name: _items(value, bad.get(name, set()))
        for name, value in known.items()
        if name not in bad or (bad[name] and isinstance(value, Mapping | list))
    }


def _items(value: Any, bad: set[int | str]) -> Any:
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if key not in bad}
    return [item for index, item in enumerate(value) if index not in bad] if isinstance(value, list) else value


def _default(model: type[Arguments], name: str) -> object:
    return model.model_fields[name].get_default(call_default_factory=True, validated_data={})


def _unknown(kind: Kind, resource_id: str, name: str) -> Finding:
    hint = did_you_mean(name, (*ARGUMENTS[kind].model_fields, *BESIDE))
    return finding("ARGUMENT_UNKNOWN", resource_id, f'{kind} has no argument "{name}"', hint)


def _wrong(kind: Kind, resource_id: str, problem: ErrorDetails) -> Finding:
    place = place_of(problem)
    if problem["type"] == "extra_forbidden":
        return finding("ARGUMENT_UNKNOWN", resource_id, f"{kind} has no argument {place}")
    code = "UNIT_INVALID" if problem["type"] == "unit" else "ARGUMENT_INVALID"
    return finding(code, resource_id, f"{place}: {reason_of(problem)}")


def place_of(problem: ErrorDetails) -> str:
    """Where a problem is: `volumes[0].size`. The names of the union's branches are left out."""
    branches = {"queue", "schedule", "created", "Computed", "str", "constrained-str"}
    parts = [part for index, part in enumerate(problem["loc"]) if index == 0 or part not in branches]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def reason_of(problem: ErrorDetails) -> str:
    """What is wrong, with the value that was given where it is short; never the value of a variable."""
    reason = problem["msg"][:1].lower() + problem["msg"][1:]
    value = problem["input"]
    if problem["loc"][:1] == ("env",):
        return f"{reason}, not {type(value).__name__}"
    shown = value if isinstance(value, str | int | float | bool) else type(value).__name__
    return reason if f'"{shown}"' in reason else f"{reason}, not {shown!r}"
