"""The config of a Pulumi stack: `Pulumi.<stack>.yaml`, with the defaults that the project declares.

A value is what the file holds: a scalar, a list or a map; `{"secure": sealed text}` is a secret, at any depth.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alien_iac.engine import dialect, document, property_path
from alien_iac.engine.dialect import Json
from alien_iac.engine.project import Project, replace_text
from alien_iac.engine.property_path import is_sealed
from alien_iac.engine.secrets import Cipher, refuse_other_providers
from alien_iac.errors import ConfigInvalid, InvalidInput, Unsupported

Values = Mapping[str, Any]


@dataclass(frozen=True)
class StackConfig:
    """One config file: all it holds, and its values by full key (`project:key`)."""

    path: Path
    project: str
    values: Values = field(default_factory=dict, repr=False)
    salt: str = ""
    other: Values = field(default_factory=dict, repr=False)

    def key(self, text: str, *, path: bool = False) -> str:
        """The full key; a bare one is the project's own. Raises InvalidInput where it is no key."""
        top = re.split(r"[.\[]", text, maxsplit=1)[0] if path else text
        top = top or text
        full = top if ":" in top else f"{self.project}:{top}"
        parts = full.split(":")
        if len(parts) == 3 and parts[1] == "config":  # noqa: PLR2004 - the old form namespace:config:name
            del parts[1]
        if len(parts) != 2:  # noqa: PLR2004 - namespace and name
            raise InvalidInput(
                f"invalid configuration key: could not parse {text} as a configuration key (configuration keys should "
                "be of the form `<namespace>:<name>`)"
            )
        return ":".join(parts) + text[len(top) :]

    def get(self, key: str, *, path: bool = False) -> tuple[Any, bool]:
        """The value of a full key, and whether there is one."""
        top, steps = _split(key, path=path)
        if top not in self.values:
            return None, False
        return property_path.get(self.values[top], steps)

    def set(self, key: str, value: Json, *, path: bool = False) -> "StackConfig":
        """The config with the value; below the top, texts that read as numbers or booleans become such."""
        top, steps = _split(key, path=path)
        if steps and isinstance(value, str):
            value = _coerced(value)
        new = property_path.put(self.values.get(top), steps, value, place=top) if steps else value
        return replace(self, values={**self.values, top: new})

    def remove(self, key: str, *, path: bool = False) -> "StackConfig":
        """The config without the value; the same where there is none."""
        top, steps = _split(key, path=path)
        if steps and top in self.values:
            return replace(self, values={**self.values, top: property_path.remove(self.values[top], steps)})
        return replace(self, values={name: value for name, value in self.values.items() if name != top})

    def save(self) -> None:
        """Write the file; order and comments of what was there stay."""
        text = self.path.read_text(encoding="utf-8-sig") if self.path.is_file() else ""
        body = {
            **{name: self.other[name] for name in ("secretsprovider", "encryptedkey") if name in self.other},
            **({"encryptionsalt": self.salt} if self.salt else {}),
            **({"config": dialect.ordered(self.values)} if self.values else {}),
            **self.other,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = self.path.stat().st_mode & 0o777 if text else 0o644
        replace_text(self.path, document.edited(text, body, self.path.suffix), mode)


def load(path: Path, project: str) -> StackConfig:
    """The config in a file; an empty one where there is no file. Raises Unsupported for other secrets providers."""
    body = document.read(path) if path.is_file() else None
    if body is None:
        return StackConfig(path, project)
    values = body.get("config") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(values or {}, dict):
        raise ConfigInvalid(f"could not read {path}: expected a map with 'config'")
    if body.get("environment"):
        raise Unsupported(f"{path} imports environments, which only Pulumi Cloud resolves", hint=dialect.BEYOND)
    refuse_other_providers(body.get("secretsprovider") or "")
    named = {key if ":" in key else f"{project}:{key}": value for key, value in (values or {}).items()}
    other = {name: value for name, value in body.items() if name not in {"config", "encryptionsalt"}}
    return StackConfig(path, project, named, body.get("encryptionsalt") or "", other)


def with_defaults(config: StackConfig, project: Project) -> StackConfig:
    """The config as a program sees it: what the project declares fills in what the stack does not set."""
    for name, declared in project.config.items():
        key = config.key(name, path=True)
        default = declared
        if isinstance(declared, dict):
            default = declared.get("default", declared.get("value"))
        if default is not None and not config.get(key, path=True)[1]:
            config = config.set(key, default if isinstance(default, list | dict) else text_of(default), path=True)
    return config


def check_declared(config: StackConfig, project: Project, stack: str, cipher: Cipher) -> None:
    """Raises ConfigInvalid where a value that the project declares is missing, or not of its type."""
    declarations = {name: declared for name, declared in project.config.items() if isinstance(declared, dict)}
    missing = [
        f"'{name}'"
        for name in sorted(declarations)
        if (key := config.key(name, path=True)).startswith(f"{project.name}:") and not config.get(key, path=True)[1]
    ]
    if missing:
        noun = "value" if len(missing) == 1 else "values"
        listed = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
        raise ConfigInvalid(f"validating stack config: Stack '{stack}' is missing configuration {noun} {listed}")
    place = f"validating stack config: Stack '{stack}' with configuration key"
    for name, declared in sorted(declarations.items()):
        value, found = config.get(config.key(name, path=True), path=True)
        if found and declared.get("secret") and not has_secret(value):
            raise ConfigInvalid(f"{place} '{name}' must be encrypted as it's secret")
        if found and not _is_of(declared.get("type"), declared.get("items") or {}, opened(value, cipher)):
            raise ConfigInvalid(f"{place} '{name}' must be of type '{_type(declared)}'")


def has_secret(value: Json) -> bool:
    """Whether anything in the value is sealed."""
    if is_sealed(value):
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(has_secret(item) for item in inner)


def is_object(value: Json) -> bool:
    """Whether programs get the value as JSON."""
    return isinstance(value, list | dict) and not is_sealed(value)


def opened(value: Json, cipher: Cipher) -> Json:
    """The value with its secrets in the clear."""
    if is_sealed(value):
        return cipher.open(value["secure"])
    if isinstance(value, dict):
        return {key: opened(item, cipher) for key, item in value.items()}
    return [opened(item, cipher) for item in value] if isinstance(value, list) else value


def text_of(value: Json) -> str:
    """The value as a program gets it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else dialect.dumps(dialect.ordered(value))


def listed(values: Values, cipher: Cipher | None) -> dict[str, Any]:
    """Values as `--json` shows them; without a cipher, secrets are left out."""
    return {key: listed_one(values[key], cipher) for key in sorted(values)}


def listed_one(value: Json, cipher: Cipher | None) -> dict[str, Any]:
    """One value as `--json` shows it."""
    secret = has_secret(value)
    if secret and cipher is None:
        return {"secret": True}
    plain = opened(value, cipher) if cipher else value
    shown: dict[str, Any] = {"value": text_of(plain)}
    if is_object(value):
        shown["objectValue"] = dialect.ordered(plain)
    return shown | {"secret": secret}


def typed(text: str, kind: str) -> Json:
    """A text as the value that `--type` asks for. Raises InvalidInput where it is none."""
    makers: dict[str, Callable[[str], Any]] = {"": str, "string": str, "int": int, "float": float, "bool": json.loads}
    if kind not in makers:
        raise InvalidInput(f"invalid type {kind!r}; must be one of string, int, bool, or float")
    try:
        return makers[kind](text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not of type {kind}") from error


def _split(key: str, *, path: bool) -> tuple[str, property_path.Path]:
    if not path:
        return key, ()
    namespace, name = key.split(":", 1)
    top, *steps = property_path.parse(name)
    return f"{namespace}:{top}", tuple(steps)


def _coerced(text: str) -> str | int | bool:
    if text in {"true", "false"}:
        return text == "true"
    whole = re.fullmatch(r"0|[-+]?[1-9]\d*|[-+]0\d*", text) is not None
    return int(text) if whole and -(1 << 63) <= int(text) < 1 << 64 else text


def _is_of(kind: str | None, items: Mapping[str, Any], value: Json) -> bool:
    if kind == "array":
        inner = items.get("type"), items.get("items") or {}
        return isinstance(value, list) and all(_is_of(*inner, item) for item in value)
    if kind == "integer":
        return type(value) is int or (isinstance(value, str) and re.fullmatch(r"[-+]?\d+", value) is not None)
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    return kind != "string" or isinstance(value, str)


def _type(declared: Mapping[str, Any]) -> str:
    if declared.get("type") == "array":
        return f"array<{_type(declared.get('items') or {})}>"
    return str(declared.get("type"))
