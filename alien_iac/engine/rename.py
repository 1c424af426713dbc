"""A checkpoint under another stack name: the URN of every resource, wherever it stands."""

from typing import Any

from alien_iac.engine.backend import StackName
from alien_iac.engine.dialect import Json
from alien_iac.engine.model import SIGNATURE

_ROOT = "pulumi:pulumi:Stack"
_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"


def checkpoint(body: dict[str, Any], old: StackName, new: StackName) -> dict[str, Any]:
    """The checkpoint of `old` as `new` has it."""
    latest = body.get("latest")
    renamed = {**body, "stack": str(new)}
    if latest:
        pending = [
            {**p, "resource": _resource(p["resource"], old, new)} for p in latest.get("pending_operations") or ()
        ]
        resources = [_resource(resource, old, new) for resource in latest.get("resources") or ()]
        renamed["latest"] = {
            **latest,
            **({"resources": resources} if resources else {}),
            **({"pending_operations": pending} if pending else {}),
        }
    return renamed


def urn(text: str, old: StackName, new: StackName) -> str:
    """A URN of the old stack under its new name; the root resource's own name carries project and stack too."""
    head = f"urn:pulumi:{old.stack}::{old.project}::"
    if not text.startswith(head):
        return text
    rest = text.removeprefix(head)
    kind, _, name = rest.partition("::")
    if kind == _ROOT and name.split("::")[0] == f"{old.project}-{old.stack}":
        rest = f"{_ROOT}::{new.project}-{new.stack}"
    return f"urn:pulumi:{new.stack}::{new.project}::{rest}"


def _resource(body: dict[str, Any], old: StackName, new: StackName) -> dict[str, Any]:
    """One resource: its own fields everywhere, its properties only where they refer to resources."""
    properties = {"inputs", "outputs", "replacementTrigger"}
    return {
        key: _references(value, old, new) if key in properties else _everywhere(value, old, new)
        for key, value in body.items()
    }


def _everywhere(value: Json, old: StackName, new: StackName) -> Json:
    if isinstance(value, dict):
        return {key: _everywhere(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_everywhere(item, old, new) for item in value]
    return urn(value, old, new) if isinstance(value, str) else value


def _references(value: Json, old: StackName, new: StackName) -> Json:
    if isinstance(value, list):
        return [_references(item, old, new) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == _REFERENCE:
        return {**value, "urn": urn(value["urn"], old, new)}
    return {key: _references(item, old, new) for key, item in value.items()}
