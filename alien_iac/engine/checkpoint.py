"""The state of a Pulumi stack as JSON, version 3 of the checkpoint: to and from the engine's model.

Field names, their order and which are left out when empty are the CLI's. What this engine does not know is kept.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from alien_iac.engine import dialect
from alien_iac.engine.dialect import Json
from alien_iac.engine.model import SECRET, SIGNATURE, Operation, Resource, Snapshot
from alien_iac.engine.secrets import Cipher, Plain
from alien_iac.errors import InvalidInput, Unsupported

SCHEMA = 3

_NAMES = {
    "urn": "urn",
    "custom": "custom",
    "delete": "delete",
    "id": "id",
    "type": "type",
    "inputs": "inputs",
    "outputs": "outputs",
    "parent": "parent",
    "protect": "protect",
    "taint": "",
    "external": "external",
    "dependencies": "dependencies",
    "initErrors": "init_errors",
    "provider": "provider",
    "propertyDependencies": "property_dependencies",
    "pendingReplacement": "pending_replacement",
    "additionalSecretOutputs": "additional_secret_outputs",
    "aliases": "aliases",
    "customTimeouts": "custom_timeouts",
    "importID": "",
    "retainOnDelete": "retain_on_delete",
    "deletedWith": "deleted_with",
    "replaceWith": "",
    "created": "created",
    "modified": "modified",
    "sourcePosition": "source_position",
    "stackTrace": "",
    "ignoreChanges": "ignore_changes",
}
"""Field of the checkpoint, in its order, to the field of the model; empty: kept in `rest`."""

_FLOAT = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"
"""Signature of the numbers that JSON has no word for."""

_ALWAYS = {"urn", "custom", "type"}
_LISTS = {field.name for field in fields(Resource) if field.default == ()}

Opener = Callable[[], Cipher]
Encoder = Callable[[Resource], dict[str, Any]]


def empty(salt: str) -> dict[str, Any]:
    """The deployment of a stack that was never updated."""
    return deployment(Snapshot(), salt, {}, lambda resource: encode(resource, Plain()))


def deployment(snapshot: Snapshot, salt: str, before: Mapping[str, Any], encoder: Encoder) -> dict[str, Any]:
    """The snapshot as a deployment made now. `before` gives the fields that this engine does not know."""
    body = {
        "manifest": {"time": dialect.now(), "magic": dialect.MAGIC, "version": dialect.VERSION},
        "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
        "resources": [encoder(resource) for resource in snapshot.resources],
        "pending_operations": [
            {"resource": encoder(pending.resource), "type": pending.type} for pending in snapshot.pending_operations
        ],
        "metadata": before.get("metadata") or {},
    }
    kept = {name: value for name, value in before.items() if name not in body}
    return {name: value for name, value in body.items() if value or name == "metadata"} | kept


def text(stack: str, latest: Mapping[str, Any] | None) -> str:
    """The checkpoint file of a deployment."""
    body: dict[str, Any] = {"stack": stack}
    return dialect.dumps({"version": SCHEMA, "checkpoint": body if latest is None else {**body, "latest": latest}})


def encode(resource: Resource, cipher: Cipher, *, show_secrets: bool = False) -> dict[str, Any]:
    """One resource as the checkpoint has it."""
    body: dict[str, Any] = {}
    for name, attribute in _NAMES.items():
        value = getattr(resource, attribute) if attribute else resource.rest.get(name)
        if name in {"inputs", "outputs"}:
            value = sealed(value, cipher, show_secrets=show_secrets)
        if value or name in _ALWAYS:
            body[name] = dialect.ordered(value)
    return body | {name: value for name, value in resource.rest.items() if name not in _NAMES}


def snapshot_of(deployment: Mapping[str, Any], cipher: Opener) -> Snapshot:
    """The deployment as the model has it. `cipher` is asked for when the first sealed value is met."""
    kept = _Once(cipher)
    return Snapshot(
        tuple(decode(body, kept) for body in deployment.get("resources") or ()),
        tuple(
            Operation(decode(pending["resource"], kept), pending["type"])
            for pending in deployment.get("pending_operations") or ()
        ),
    )


def decode(body: Mapping[str, Any], cipher: Cipher) -> Resource:
    """One resource of the checkpoint."""
    values: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in body.items():
        attribute = _NAMES.get(name)
        if not attribute:
            rest[name] = value
        elif name in {"inputs", "outputs"}:
            values[attribute] = opened(value, cipher)
        else:
            values[attribute] = tuple(value) if attribute in _LISTS else value
    if "property_dependencies" in values:
        values["property_dependencies"] = {k: tuple(v or ()) for k, v in values["property_dependencies"].items()}
    return Resource(**values, rest=rest)


def sealed(value: Json, cipher: Cipher, *, show_secrets: bool = False) -> Json:
    """The value with each secret replaced by its sealed form (or by its JSON text, for an export that shows them)."""
    if isinstance(value, float) and not math.isfinite(value):
        return {SIGNATURE: _FLOAT, "value": struct.pack(">d", value).hex()}
    if isinstance(value, list | tuple):
        return [sealed(item, cipher, show_secrets=show_secrets) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(SIGNATURE) != SECRET:
        return {key: sealed(item, cipher, show_secrets=show_secrets) for key, item in value.items()}
    text = dialect.dumps(dialect.ordered(sealed(value["value"], Plain(), show_secrets=show_secrets)))
    body = {"plaintext": text} if show_secrets else {"ciphertext": cipher.seal(text)}
    return {SIGNATURE: SECRET, **body}


def opened(value: Json, cipher: Cipher) -> Json:
    """The reverse of `sealed`, for either form."""
    if isinstance(value, list):
        return [opened(item, cipher) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == _FLOAT:
        return struct.unpack(">d", bytes.fromhex(value["value"]))[0]
    if value.get(SIGNATURE) != SECRET:
        return {key: opened(item, cipher) for key, item in value.items()}
    if ("plaintext" in value) == ("ciphertext" in value):
        raise InvalidInput("malformed secret value: exactly one of `ciphertext` or `plaintext` must be supplied")
    text = value["plaintext"] if "plaintext" in value else cipher.open(value["ciphertext"])
    return {SIGNATURE: SECRET, "value": opened(json.loads(text), Plain())}


def revealed(value: Json, *, show_secrets: bool) -> Json:
    """The value for reading: secrets as they are, or as `[secret]`."""
    if isinstance(value, list):
        return [revealed(item, show_secrets=show_secrets) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        return revealed(value.get("value"), show_secrets=True) if show_secrets else "[secret]"
    return {key: revealed(item, show_secrets=show_secrets) for key, item in value.items()}


def salt_of(deployment: Mapping[str, Any]) -> str:
    """The salt line of the state's secrets; empty where it names no provider. Raises Unsupported for others."""
    provider = deployment.get("secrets_providers") or {}
    if provider.get("type", "passphrase") != "passphrase":
        raise Unsupported(
            f"the state's secrets are sealed by {provider['type']!r}, and the embedded engine opens only 'passphrase'",
            hint=dialect.BEYOND,
        )
    salt: str = (provider.get("state") or {}).get("salt", "")
    return salt


def refuse_other_versions(body: Mapping[str, Any]) -> None:
    """Raises Unsupported for a state (or an exported one) that this engine would not understand."""
    if body.get("version", SCHEMA) != SCHEMA:
        features = ", ".join(body.get("features") or ()) or "none named"
        raise Unsupported(
            f"the state has version {body.get('version')} (features: {features}), and this engine knows {SCHEMA}",
            hint=dialect.BEYOND,
        )


class _Once:
    """A cipher that is made when it is first needed."""

    def __init__(self, make: Opener) -> None:
        self._make = make
        self._made: Cipher | None = None

    def seal(self, plain: str) -> str:
        return self._cipher().seal(plain)

    def open(self, sealed: str) -> str:
        return self._cipher().open(sealed)

    def _cipher(self) -> Cipher:
        self._made = self._made or self._make()
        return self._made
