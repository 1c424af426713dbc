"""What the clouds' SDKs say of a resource's inputs: the names, how they nest, and the values where they are listed."""

import importlib
import importlib.util
import json
import re
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any

from pulumi import _types

SDKS: Mapping[str, str] = {"aws": "pulumi_aws", "azure-native": "pulumi_azure_native", "gcp": "pulumi_gcp"}
_MODULES = re.compile(r'resource_modules="""(.*?)"""', re.DOTALL)
_PARAMETER = re.compile(r":param [^\n]*? (\w+): (.*?)(?=\n\s*:param |\Z)", re.DOTALL)
_LISTED = re.compile(
    r"(?:[Vv]alid (?:values|options)|[Pp]ossible values|[Aa]llowed values|Valid types|[Mm]ust be one of|One of"
    r"|(?<![a-z] )Can be|Must be either)(?P<said>[^.]*)"
)
_VALUE = re.compile(r"`{1,2}\"?([A-Za-z0-9_./: -]+?)\"?`{1,2}")
_MARKED = "4dabf18193072939515e22adb298388d"


def known(token: str) -> bool:
    """Whether an SDK has this type of resource."""
    return token.partition(":")[0] in SDKS


def problems(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """What the SDK has no such property or value for, as paths."""
    return list(_of_object(arguments(token), inputs, ""))


def block(kind: Any) -> type | None:
    """The class of an object, or of the objects in a list; None where the type is neither."""
    forms = list(_forms(kind))
    inner = [typing.get_args(form)[0] for form in forms if typing.get_origin(form) in {list, Sequence}]
    return next((form for each in [*forms, *inner] for form in _forms(each) if _types.is_input_type(form)), None)


@cache
def arguments(token: str) -> type:
    """The class of a resource's inputs. LookupError where there is none."""
    package = SDKS[token.partition(":")[0]]
    place, name = _classes(package)[token]
    resource = getattr(importlib.import_module(place), name)
    module = sys.modules[resource.__module__]
    for suffix in ("InitArgs", "Args"):
        if hasattr(module, f"{name}{suffix}"):
            found: type = getattr(module, f"{name}{suffix}")
            return found
    raise LookupError(f"{token} has no class of inputs in {module.__name__}")


@cache
def _classes(package: str) -> Mapping[str, tuple[str, str]]:
    """Type token to the module and the name of its class, as the package registers them."""
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.origin
    listed = _MODULES.search(Path(spec.origin).read_text(encoding="utf-8"))
    assert listed
    modules = json.loads(listed[1])
    return {token: (module["fqn"], name) for module in modules for token, name in module["classes"].items()}


def _of_object(kind: type, given: Mapping[str, Any], path: str) -> Iterator[str]:
    types, values = _shape(kind)
    for name, value in given.items():
        where = f"{path}.{name}" if path else name
        if name.startswith("__"):
            continue
        if name not in types:
            yield f"{where} is no property of {kind.__name__}"
            continue
        yield from _of_value(types[name], value, where)
        yield from _of_listed(values.get(name, frozenset()), value, where)


@cache
def _shape(kind: type) -> tuple[Mapping[str, Any], Mapping[str, frozenset[str]]]:
    """Types by Pulumi's name of a property, and the values that its description lists."""
    names = _types.input_type_py_to_pulumi_names(kind)
    described = dict(_PARAMETER.findall(kind.__init__.__doc__ or ""))  # type: ignore[misc]  # of the class itself
    told = {names[python]: _values(text) for python, text in described.items() if python in names}
    # Some descriptions list other properties, of which exactly one is to be given.
    return _types.input_type_types(kind), {name: found for name, found in told.items() if not found & set(names)}


def _values(description: str) -> frozenset[str]:
    """The values that a description lists; none where it lists fewer than two."""
    said = _LISTED.search(description)
    found = frozenset(_VALUE.findall(said["said"])) if said else frozenset()
    return found if len(found) > 1 else frozenset()


def _of_value(kind: Any, value: Any, path: str) -> Iterator[str]:
    """Whether some form that the type allows fits; the first that has this shape tells what is wrong."""
    if isinstance(value, dict) and _MARKED in value:
        return
    forms = list(_forms(kind))
    if isinstance(value, dict):
        objects = [form for form in forms if _types.is_input_type(form)]
        maps = [form for form in forms if typing.get_origin(form) in {dict, Mapping}]
        if objects:
            yield from _of_object(objects[0], value, path)
        elif maps:
            inner = (typing.get_args(maps[0]) or (str, Any))[1]
            yield from (p for key, each in value.items() for p in _of_value(inner, each, f"{path}.{key}"))
        elif Any not in forms:
            yield f"{path} is no object, but {kind}"
    elif isinstance(value, list):
        lists = [form for form in forms if typing.get_origin(form) in {list, Sequence}]
        if lists:
            inner = typing.get_args(lists[0])[0]
            yield from (p for place, each in enumerate(value) for p in _of_value(inner, each, f"{path}[{place}]"))
        elif Any not in forms:
            yield f"{path} is no list, but {kind}"
    else:
        yield from _of_plain(forms, value, path)


def _of_plain(forms: list[Any], value: object, path: str) -> Iterator[str]:
    enums = [form for form in forms if isinstance(form, type) and issubclass(form, Enum)]
    plain = {form for form in forms if form in {str, int, float, bool}}
    if enums and isinstance(value, str):
        allowed = {str(each.value) for form in enums for each in form}
        if value not in allowed:
            yield f"{path} is {value!r}, which is none of {sorted(allowed)}"
    elif not enums and Any not in forms and not _fits(plain, value, forms):
        yield f"{path} is {value!r}, and not {forms}"


def _fits(plain: set[Any], value: object, forms: list[Any]) -> bool:
    if isinstance(value, bool):
        return bool in plain
    if isinstance(value, int | float):
        return bool(plain & {int, float})
    # A file travels as a marked object, and stands as a text where it is a stand-in.
    return str in plain or any("Asset" in str(form) or "Archive" in str(form) for form in forms)


def _of_listed(allowed: frozenset[str], value: object, path: str) -> Iterator[str]:
    given = value if isinstance(value, list) else [value]
    for each in given:
        if allowed and isinstance(each, str) and each not in allowed:
            yield f"{path} is {each!r}, and its description lists {sorted(allowed)}"


def _forms(kind: Any) -> Iterator[Any]:
    """The types inside of Input, Optional and Union, without awaitables and Outputs."""
    inner = _types.unwrap_type(kind)
    if typing.get_origin(inner) in {typing.Union, UnionType}:
        for each in typing.get_args(inner):
            if each is not type(None) and typing.get_origin(each) not in _LATER:
                yield from _forms(each)
    elif not _is_typed_dict(inner):
        yield inner


def _is_typed_dict(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__total__")


_LATER = {typing.get_origin(typing.Awaitable[Any])}
