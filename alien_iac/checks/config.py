"""Reads a deployment's config: all its problems at once, each under the key that it is about."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alien_iac.checks.arguments import did_you_mean, reason_of
from alien_iac.checks.catalogue import finding
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.finding import Finding

NAMESPACE = "alien:"
_NO_PREFIX = "no-prefix"
_OBJECTS = frozenset({"labels"})
_HINTS = {
    "platform": "set it to aws, gcp, azure or local",
    "prefix": "`alien init` writes it, and it never changes afterwards; take the file from version control",
}


@dataclass(frozen=True)
class ReadConfig:
    """What was found, and the config: as far as it could be read where there are errors; None without a platform."""

    config: DeploymentConfig | None
    findings: tuple[Finding, ...]


def keys() -> tuple[str, ...]:
    """All `alien:` keys, as they stand in the file."""
    fields = DeploymentConfig.model_fields
    return tuple(sorted(f"{NAMESPACE}{field.alias or name}" for name, field in fields.items()))


def read(values: Mapping[str, Any]) -> ReadConfig:
    """The `alien:` keys among fully qualified keys and their values; a value may be an object or its JSON text."""
    ours = {key: value for key, value in values.items() if key.startswith(NAMESPACE)}
    allowed = keys()
    findings = [_unknown(key, allowed) for key in ours if key not in allowed]
    known = {key.removeprefix(NAMESPACE): value for key, value in ours.items() if key in allowed}
    given = {key: _value(key, value) for key, value in known.items()}
    try:
        return ReadConfig(DeploymentConfig.model_validate(given), tuple(findings))
    except ValidationError as wrong:
        problems = wrong.errors(include_url=False, include_context=False)
        findings += [_wrong(problem) for problem in problems]
        bad = {str(problem["loc"][0]) for problem in problems}
        return ReadConfig(_rest(given, bad), tuple(findings))


def _rest(given: Mapping[str, Any], bad: set[str]) -> DeploymentConfig | None:
    """What is left without the wrong keys, so that the other checks can go on; nothing is built with it."""
    if "platform" in bad:
        return None
    right = {key: value for key, value in given.items() if key not in bad}
    return DeploymentConfig.model_validate({"prefix": _NO_PREFIX, **right})


def _value(key: str, value: Any) -> Any:
    if key not in _OBJECTS or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _unknown(key: str, allowed: tuple[str, ...]) -> Finding:
    hint = did_you_mean(key.removeprefix(NAMESPACE), (other.removeprefix(NAMESPACE) for other in allowed))
    return finding("CONFIG_UNKNOWN", key, "there is no such key", hint)


def _wrong(problem: ErrorDetails) -> Finding:
    name = str(problem["loc"][0])
    key = f"{NAMESPACE}{name}"
    if problem["type"] == "missing":
        return finding("CONFIG_MISSING", key, "the deployment's config does not have it", _HINTS.get(name, ""))
    return finding("CONFIG_INVALID", key, reason_of(problem))
