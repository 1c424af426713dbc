"""The Pulumi schema of the plugin, made from the models of its kinds, so that the two cannot differ."""

import json
from collections.abc import Mapping
from typing import Any

from alien_iac.plugin.kind import Kind

Json = dict[str, Any]

LOCAL_DIR: Json = {
    "localDir": {
        "type": "string",
        "description": "The folder with all of the deployment's files, as an absolute path. Only `local` needs one.",
    }
}


def schema(kinds: Mapping[str, Kind[Any]], version: str) -> str:
    """The schema as JSON, for `pulumi package get-schema` and the SDK generators."""
    return json.dumps(
        {
            "name": "alien",
            "displayName": "Alien",
            "version": version,
            "description": "Resources of alien-iac that no native provider serves.",
            "license": "Apache-2.0",
            "meta": {"moduleFormat": "(.*)"},
            "config": {"variables": LOCAL_DIR},
            "provider": {"inputProperties": LOCAL_DIR},
            "types": {name: shape for kind in kinds.values() for name, shape in _types(kind).items()},
            "resources": {token: _resource(kind) for token, kind in kinds.items()},
        }
    )


def _resource(kind: Kind[Any]) -> Json:
    model = kind.model.model_json_schema()
    inputs = {name: _property(shape) for name, shape in model["properties"].items()}
    inputs = {n: s | ({"willReplaceOnChanges": True} if n in kind.replaces else {}) for n, s in inputs.items()}
    outputs = {name: {"type": form} for name, form in kind.computed.items()}
    required = sorted(model.get("required", ()))
    return {
        "description": kind.about,
        "inputProperties": inputs,
        "requiredInputs": required,
        "properties": inputs | outputs,
        "required": [*required, *sorted(outputs)],
    }


def _types(kind: Kind[Any]) -> Json:
    """The objects inside a kind's inputs."""
    inner = kind.model.model_json_schema().get("$defs", {})
    return {
        _type_token(name): {
            "type": "object",
            "properties": {key: _property(shape) for key, shape in model["properties"].items()},
            "required": sorted(model.get("required", ())),
        }
        for name, model in inner.items()
    }


def _type_token(name: str) -> str:
    return f"alien:local:{name}"


def _property(shape: Json) -> Json:
    described = {"description": shape["description"]} if "description" in shape else {}
    return _form(shape) | described


def _form(shape: Json) -> Json:
    """A JSON schema's form in the words of Pulumi's: optional is what is not required, a map has one type of value."""
    if "$ref" in shape:
        return {"$ref": f"#/types/{_type_token(shape['$ref'].rsplit('/', 1)[1])}"}
    if "anyOf" in shape:
        return _form(next(one for one in shape["anyOf"] if one.get("type") != "null"))
    if shape["type"] == "array":
        return {"type": "array", "items": _form(shape["items"])}
    if shape["type"] == "object":
        return {"type": "object", "additionalProperties": _form(shape["additionalProperties"])}
    return {"type": shape["type"]}
