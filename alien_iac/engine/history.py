"""The history of a Pulumi stack: one file an update, beside a copy of the state that it left."""

import platform
import sys
import time
from collections.abc import Mapping
from typing import Any

from alien_iac.engine import config, dialect
from alien_iac.engine.backend import Backend, StackName
from alien_iac.engine.dialect import Json
from alien_iac.engine.secrets import Cipher
from alien_iac.errors import InvalidInput

_SWITCHES = frozenset(
    f"PULUMI_{name}"
    for name in (
        "AUTOMATION_API_SKIP_VERSION_CHECK",
        "CONTINUE_ON_ERROR",
        "DEBUG_COMMANDS",
        "DEV",
        "DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
        "DISABLE_PROVIDER_PREVIEW",
        "DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS",
        "DIY_BACKEND_NO_LEGACY_WARNING",
        "EXPERIMENTAL",
        "FALLBACK_TO_STATE_SECRETS_MANAGER",
        "IGNORE_AMBIENT_PLUGINS",
        "RUN_PROGRAM",
        "SKIP_CHECKPOINTS",
        "SKIP_CONFIRMATIONS",
        "SKIP_UPDATE_CHECK",
    )
)
"""Variables of which not only the presence but the truth is recorded."""


def environment(env: Mapping[str, str], flags: Mapping[str, object], kind: str) -> dict[str, str]:
    """What is recorded of where an update came from: names of variables and flags, never their values."""
    machine = platform.machine().lower()
    facts = {
        "exec.kind": kind if kind in {"auto.inline", "auto.local"} else "cli",
        "pulumi.arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "pulumi.os": platform.system().lower(),
        "pulumi.version": dialect.VERSION,
        "runtime.executable": sys.executable,
        "runtime.name": "client" if "client" in flags else "python",
        "runtime.version": platform.python_version(),
        "stack.environments": "[]",
        "updatePlan": "false",
    }
    for name, value in env.items():
        if name.startswith("PULUMI_"):
            truth = "true" if value.lower() in {"1", "true"} else "false"
            facts[f"pulumi.env.{name}"] = truth if name in _SWITCHES else "set"
    for name, flag in flags.items():
        facts[f"pulumi.flag.{name}"] = str(flag).lower() if isinstance(flag, bool) else "set"
    return dict(sorted(facts.items()))


def add(backend: Backend, name: StackName, entry: Mapping[str, Any]) -> None:
    """Record a finished update and the state as it is now."""
    prefix = f"{name.key('history')}/{name.stack}-{time.time_ns()}"
    backend.bucket.write(f"{prefix}.history.json", dialect.dumps(entry).encode())
    backend.bucket.copy(f"{name.key('stacks')}.json", f"{prefix}.checkpoint.json", durable=False)


def entry(kind: str, message: str, facts: Mapping[str, str], values: config.Values) -> dict[str, Any]:
    """The record of an update that begins now; `finished` completes it."""
    recorded = {
        key: value if config.has_secret(value) or config.is_object(value) else config.text_of(value)
        for key, value in values.items()
    }
    return {
        "kind": kind,
        "startTime": int(time.time()),
        "message": message,
        "environment": dict(facts),
        "config": dialect.ordered(recorded),
        "version": 0,
    }


def finished(begun: Mapping[str, Any], *, succeeded: bool, changes: Mapping[str, int]) -> dict[str, Any]:
    """The record of an update that ends now."""
    result = {"result": "succeeded" if succeeded else "failed", "endTime": int(time.time())}
    return {**begun, **result, **({"resourceChanges": dialect.ordered(dict(changes))} if changes else {})}


def entries(backend: Backend, name: StackName, size: int = 0, page: int = 1) -> list[dict[str, Any]]:
    """Recorded updates, the latest first; `size` 0 gives all."""
    keys = [key for key in backend.bucket.keys(name.key("history")) if key.endswith(".history.json")][::-1]
    if size > 0:
        keys = keys[(max(page, 1) - 1) * size :][:size]
    return [dialect.parse(data, key) for key in keys if (data := backend.bucket.read(key)) is not None]


def listed(record: Mapping[str, Any], cipher: Cipher | None) -> dict[str, Any]:
    """One record as `stack history --json` shows it; without a cipher, secrets are left out."""
    return {
        "version": record.get("version", 0),
        "kind": record["kind"],
        "startTime": _moment(record["startTime"]),
        "message": record.get("message", ""),
        "environment": record.get("environment") or {},
        "config": {key: _listed_value(value, cipher) for key, value in sorted((record.get("config") or {}).items())},
        "result": record["result"],
        "endTime": _moment(record["endTime"]),
        "resourceChanges": record.get("resourceChanges") or {},
    }


def _listed_value(value: Json, cipher: Cipher | None) -> dict[str, Any]:
    """As the config lists it; a value that an earlier key sealed does not hide the rest of the history."""
    try:
        return config.listed_one(value, cipher)
    except InvalidInput:
        return {"value": "ERROR_UNABLE_TO_DECRYPT", "secret": True}


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
