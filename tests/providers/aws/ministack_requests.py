"""A resource's properties as the parameters of a call, by botocore's own model of the service's API.

So no property can be misspelt or dropped in silence: what the API does not know is an error here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def parameters(shape: StructureShape, names: Mapping[str, str], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call. `names`: property to the dotted path of its parameter, where these differ."""
    made: dict[str, Any] = {}
    for key, value in inputs.items():
        *above, last = names.get(key, key).split(".")
        place, where = made, shape
        for part in above:
            name = _member(where, part)
            place, where = place.setdefault(name, {}), where.members[name]
        name = _member(where, last)
        place[name] = fit(where.members[name], value)
    return made


def fit(shape: Shape, value: Any) -> Any:
    """A value in the form of the API: its spelling of names, whole numbers, and lists where there may be several."""
    if isinstance(shape, StructureShape):
        return _structure(shape, value)
    if isinstance(shape, ListShape):
        given = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
        return [fit(shape.member, each) for each in (given if isinstance(given, list) else [given])]
    if isinstance(shape, MapShape):
        return {key: fit(shape.value, each) for key, each in value.items()}
    return _NUMBERS.get(shape.type_name, _same)(value)


def tags(shape: StructureShape, given: Mapping[str, str]) -> dict[str, Any]:
    """The parameter for tags, in whichever form the API has it; none where it has none."""
    name = next((each for each in shape.members if each.lower() == "tags"), None)
    if name is None:
        return {}
    if isinstance(shape.members[name], MapShape):
        return {name: dict(given)}
    return {name: fit(shape.members[name], pairs(given))}


def pairs(given: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services list them."""
    return [{"Key": key, "Value": value} for key, value in given.items()]


def found(answer: Mapping[str, Any], path: str) -> Any:
    """What is at a dotted path of an answer; a number is a place in a list."""
    value: Any = answer
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def _structure(shape: StructureShape, value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        [only] = shape.members if len(shape.members) == 1 else [None]
        # The provider writes a list both for a block that is there once, and for a list that the API wraps.
        return {only: fit(shape.members[only], value)} if only else _structure(shape, *value)
    named = {_member(shape, key): each for key, each in value.items()}
    return {name: fit(shape.members[name], each) for name, each in named.items()}


def _member(shape: StructureShape, name: str) -> str:
    for each in shape.members:
        if each.lower() == name.lower():
            return str(each)
    raise LookupError(f"{shape.name} has no {name}; it has {', '.join(sorted(shape.members))}")


def _same(value: Any) -> Any:
    return value
