"""The verbs on config, and the few that tell about the engine itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alien_iac.engine import checkpoint, config, dialect, history, project
from alien_iac.engine.arguments import Call
from alien_iac.engine.backend import StackName
from alien_iac.engine.session import Session
from alien_iac.errors import InvalidInput, NotFound, Unsupported

_PLUGIN = re.compile(r"(?P<kind>resource|language|analyzer|converter|tool)-(?P<name>.+)-v(?P<version>\d.*)")


def show(session: Session, call: Call) -> None:
    """List the config of a stack."""
    values = config.with_defaults(session.config(session.stack(call), call), session.project)
    cipher = None
    if call.on("show-secrets"):
        cipher = session.opening(values) if config.has_secret(values.values) else session.no_cipher
    shown = config.listed(values.values, cipher)
    if call.on("json"):
        session.out(dialect.pretty(shown))
        return
    session.out("KEY  VALUE")
    for key, entry in shown.items():
        session.out(f"{key.removeprefix(session.project.name + ':')}  {entry.get('value', '[secret]')}")


def get(session: Session, call: Call) -> None:
    """Print one value; secrets are opened."""
    name = session.stack(call)
    path = call.on("path")
    values = config.with_defaults(session.config(name, call), session.project)
    key = values.key(call.words[0], path=path)
    value, found = values.get(key, path=path)
    if not found:
        raise NotFound(
            f"configuration key '{key.removeprefix(f'{values.project}:')}' not found for stack '{session.shown(name)}'"
        )
    cipher = session.opening(values) if config.has_secret(value) else session.no_cipher
    entry = config.listed_one(value, cipher)
    session.out(dialect.pretty(entry) if call.on("json") else entry["value"])


def set_(session: Session, call: Call) -> None:
    """Set one value."""
    name = session.stack(call)
    text = call.words[1]
    if sum(flag in call.flags for flag in ("secret", "plaintext", "type")) > 1:
        raise InvalidInput("only one of --secret, --plaintext and --type may be given")
    values = session.config(name, call)
    value: Any = config.typed(text, call.text("type"))
    if call.on("secret"):
        cipher, values = session.sealing(name, values)
        value = {"secure": cipher.seal(text)}
    path = call.on("path")
    values.set(values.key(call.words[0], path=path), value, path=path).save()


def set_all(session: Session, call: Call) -> None:
    """Set several values in one write."""
    name = session.stack(call)
    values, path = session.config(name, call), call.on("path")
    if call.text("json") and (path or call.texts("plaintext") or call.texts("secret")):
        raise InvalidInput("the --json option cannot be used with the --plaintext, --secret or --path options")
    for pair in call.texts("plaintext"):
        key, value = _pair(pair)
        values = values.set(values.key(key, path=path), value, path=path)
    for pair in call.texts("secret"):
        key, value = _pair(pair)
        cipher, values = session.sealing(name, values)
        values = values.set(values.key(key, path=path), {"secure": cipher.seal(value)}, path=path)
    if call.text("json"):
        values = _set_from_json(session, name, values, call.text("json"))
    values.save()


def rm(session: Session, call: Call) -> None:
    """Remove one value or several in one write; one that is not there is no error."""
    values, path = session.config(session.stack(call), call), call.on("path")
    for word in call.words:
        values = values.remove(values.key(word, path=path), path=path)
    values.save()


def refresh(session: Session, call: Call) -> None:
    """Write the config file anew from what the last update used."""
    name = session.stack(call)
    records = history.entries(session.backend, name, size=1)
    if not records:
        raise NotFound("getting latest configuration: no previous deployment")
    values = session.config(name, call)
    salt = checkpoint.salt_of(session.latest(name)) or values.salt
    if values.path.exists() and not call.on("force"):
        spare = Path(f"{values.path}.bak")
        while spare.exists():
            spare = Path(f"{spare}.bak")
        values.path.rename(spare)
        session.out(f"backed up existing configuration file to {spare}")
    config.StackConfig(values.path, values.project, records[0].get("config") or {}, salt, values.other).save()
    if not call.on("force"):
        session.out(f"refreshed configuration for stack '{name.stack}'")


def whoami(session: Session, call: Call) -> None:
    """Name the user and the backend."""
    if call.on("json"):
        session.out(dialect.pretty({"user": session.user, "url": session.backend.url}))
    else:
        session.out(session.user)


def version(session: Session, _call: Call) -> None:
    """Print the version of the CLI whose files and answers these are."""
    session.out(f"v{dialect.VERSION}")


def plugins(session: Session, call: Call) -> None:
    """List the plugins that the CLI's own folder has."""
    rows = [row for path in sorted(_plugin_folder(session.env).glob("*-v*")) if (row := _plugin(path))]
    if call.on("json"):
        session.out(dialect.pretty(rows))
    for row in rows if not call.on("json") else ():
        session.out(f"{row['name']}  {row['kind']}  {row['version']}")


def install_plugin(session: Session, call: Call) -> None:
    """Agree where the plugin is there already; nothing is fetched here."""
    kind, name, number = call.words
    if not (_plugin_folder(session.env) / f"{kind}-{name}-v{number.removeprefix('v')}").is_dir():
        raise Unsupported(
            f"the embedded engine does not download plugins ({kind} {name} {number})", hint=dialect.BEYOND
        )


def _pair(text: str) -> tuple[str, str]:
    quote = text[:1] if text[:1] in ("'", '"') else ""
    key, equals, value = text[len(quote) :].partition(f"{quote}=")
    if not equals:
        raise InvalidInput("config value must be in the form [key]=[value]")
    return key, value


def _set_from_json(session: Session, name: StackName, values: config.StackConfig, text: str) -> config.StackConfig:
    for key, entry in dialect.parse(text, "the --json argument").items():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("value"), str):
            raise InvalidInput(f"value for --json object key {key!r} is missing")
        value: Any = entry["value"]
        if entry.get("secret"):
            cipher, values = session.sealing(name, values)
            value = {"secure": cipher.seal(value)}
        elif entry.get("objectValue") is not None:
            value = dialect.parse(value, f"the value of {key!r}")
        values = values.set(values.key(key), value)
    return values


def _plugin_folder(env: Mapping[str, str]) -> Path:
    return project.home(env) / "plugins"


def _plugin(path: Path) -> dict[str, Any] | None:
    match = _PLUGIN.fullmatch(path.name)
    if match is None or not path.is_dir():
        return None
    stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    moment = dialect.milliseconds(stamp.isoformat())
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return {**match.groupdict(), "size": size, "installTime": moment, "lastUsedTime": moment}
