"""The verbs on Pulumi stacks: init, select, ls, rm, rename, output, export, import, history and tags."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from alien_iac.engine import checkpoint, config, dialect, history, locks, rename
from alien_iac.engine.arguments import Call
from alien_iac.engine.backend import StackName, stack_not_found
from alien_iac.engine.model import Snapshot
from alien_iac.engine.secrets import Plain, refuse_other_providers
from alien_iac.engine.session import ROOT, Session
from alien_iac.errors import Conflict, InvalidInput, NotFound


def init(session: Session, call: Call) -> None:
    """Create a stack, make its secrets key, select it."""
    refuse_other_providers(call.text("secrets-provider"))
    if not call.stack:
        raise InvalidInput("missing stack name")
    _create(session, session.name(call.stack), select=not call.on("no-select"))


def select(session: Session, call: Call) -> None:
    """Make a stack the selected one."""
    if not call.stack:
        raise NotFound("no stack selected; name one, since nobody can be asked here", pulumi_code=6)
    name = session.name(call.stack)
    if not session.backend.exists(name):
        if not call.on("create"):
            raise stack_not_found(session.shown(name))
        refuse_other_providers(call.text("secrets-provider"))
        _create(session, name, select=True)
    session.selection.set(str(name))


def ls(session: Session, call: Call) -> None:
    """List stacks of the project, or all."""
    project = call.text("project") or ("" if call.on("all") else session.project.name)
    tag, equals, value = call.text("tag").partition("=")
    rows = []
    for name in session.backend.stacks():
        tags = session.backend.tags(name) if tag else {}
        if (project and name.project != project) or (tag and (tag not in tags or (equals and tags[tag] != value))):
            continue
        rows.append(_row(session, name))
    rows.sort(key=lambda row: row["name"])
    if call.on("json"):
        session.out(dialect.pretty(rows))
        return
    session.out("NAME  LAST UPDATE  RESOURCE COUNT")
    for row in rows:
        mark = "*" if row["current"] else ""
        session.out(f"{row['name']}{mark}  {row.get('lastUpdate', 'n/a')}  {row.get('resourceCount', 'n/a')}")


def rm(session: Session, call: Call) -> None:
    """Remove a stack that has no resources left, and its config file."""
    name = session.stack(call)
    with locks.held(session.backend, name):
        resources = session.latest(name).get("resources") or []
        if not call.on("force") and [body["type"] for body in resources] not in ([], [ROOT]):
            shown = session.shown(name)
            raise Conflict(
                f"'{shown}' still has resources; removal rejected. Possible actions:\n"
                f"- Make sure that '{shown}' is the stack that you want to destroy\n"
                "- Run `pulumi destroy` to delete the resources, then run `pulumi stack rm`\n"
                "- Run `pulumi stack rm --force` to override this error"
            )
        forget(session, name, keep_config=call.on("preserve-config"), backups=call.on("remove-backups"))
    session.out(f"Stack '{session.shown(name)}' has been removed!")


def forget(session: Session, name: StackName, *, keep_config: bool, backups: bool = False) -> None:
    """Take a stack out of the backend, with its config file where it is of this project."""
    session.backend.remove(name, backups=backups)
    if session.project_name:
        if not keep_config and name.project == session.project.name:
            session.project.stack_file(name.stack).unlink(missing_ok=True)
        session.selection.set("")


def rename_stack(session: Session, call: Call) -> None:
    """Rename a stack: its state with every URN, its history, its config file; and select it."""
    old, new = session.stack(call), session.name(call.words[0])
    with locks.held(session.backend, old):
        if session.backend.exists(new):
            raise Conflict(f"a stack named {session.shown(new)} already exists")
        body = session.backend.checkpoint(old)
        body["checkpoint"] = rename.checkpoint(body.get("checkpoint") or {}, old, new)
        session.backend.rename(old, new, dialect.dumps(body))
    before = session.project.stack_file(old.stack)
    if before.exists():
        before.replace(session.project.stack_file(new.stack))
    session.selection.set(str(new))
    session.out(f"Renamed {session.shown(old)} to {session.shown(new)}")


def output(session: Session, call: Call) -> None:
    """Show the stack's outputs, or one of them."""
    show = call.on("show-secrets")
    values = dialect.ordered(
        checkpoint.revealed(session.outputs(session.stack(call), show_secrets=show), show_secrets=show)
    )
    if call.words:
        if call.words[0] not in values:
            raise NotFound(f"current stack does not have output property '{call.words[0]}'")
        value = values[call.words[0]]
        session.out(dialect.pretty(value) if call.on("json") else config.text_of(value))
    elif call.on("json"):
        session.out(dialect.pretty(values))
    else:
        session.out("\n".join(f"{key}  {config.text_of(value)}" for key, value in values.items()))


def export(session: Session, call: Call) -> None:
    """Write the deployment out, secrets sealed or in the clear."""
    name = session.stack(call)
    latest = session.latest(name)
    if call.on("show-secrets") and latest:
        encoder = partial(checkpoint.encode, cipher=Plain(), show_secrets=True)
        manifest = latest["manifest"]
        latest = checkpoint.deployment(session.snapshot(latest), checkpoint.salt_of(latest), latest, encoder)
        latest["manifest"] = manifest
    text = dialect.pretty({"version": checkpoint.SCHEMA, "deployment": latest}, indent=4)
    if file := call.text("file"):
        Path(session.folder / file).write_text(text + "\n", encoding="utf-8")
    else:
        session.out(text)


def import_(session: Session, call: Call) -> None:
    """Replace the deployment by one that was exported; its secrets are sealed again."""
    name = session.stack(call)
    file = session.folder / (call.text("file") or _no_file())
    body = dialect.parse(file.read_bytes(), str(file))
    checkpoint.refuse_other_versions(body)
    given = body.get("deployment") or {}
    snapshot = session.snapshot(given)
    strangers = [r.urn for r in snapshot.resources if r.urn.split("::")[0] != f"urn:pulumi:{name.stack}"]
    for urn in strangers:
        session.err(f"{'warning' if call.on('force') else 'error'}: resource '{urn}' is from a different stack")
    if strangers and not call.on("force"):
        raise InvalidInput("importing this file could be dangerous; rerun with --force to proceed anyway")
    for pending in snapshot.pending_operations:
        session.err(f"warning: removing pending operation '{pending.type}' on '{pending.resource.urn}' from snapshot")
    with locks.held(session.backend, name):
        write(session, name, replace(snapshot, pending_operations=()), given)
    session.out("Import complete.")


def show_history(session: Session, call: Call) -> None:
    """Show recorded updates, the latest first."""
    name = session.stack(call)
    size = _number(call, "page-size", 10)
    records = history.entries(session.backend, name, size, _number(call, "page", 1))
    cipher = None
    if call.on("show-secrets") and any(config.has_secret(r.get("config") or {}) for r in records):
        cipher = session.opening(session.config(name))
    shown = [history.listed(record, cipher) for record in records]
    if call.on("json"):
        session.out(dialect.pretty(shown))
    elif not shown:
        session.out("Stack has never been updated")
    for record in shown if not call.on("json") else ():
        counts = " ".join(f"{op}={count}" for op, count in record["resourceChanges"].items())
        session.out(f"{record['startTime']} {record['kind']} {record['result']} {counts} {record['message']}".rstrip())


def tag(session: Session, call: Call) -> None:
    """Get, list, set or remove tags of a stack."""
    name = session.stack(call)
    tags = session.backend.tags(name)
    match call.verb:
        case "stack tag get":
            if call.words[0] not in tags:
                raise NotFound(f"stack tag '{call.words[0]}' not found for stack '{session.shown(name)}'")
            session.out(tags[call.words[0]])
        case "stack tag ls":
            shown = dict(sorted(tags.items()))
            session.out(dialect.pretty(shown) if call.on("json") else "\n".join(f"{k}  {v}" for k, v in shown.items()))
        case "stack tag set":
            session.backend.save_tags(name, {**tags, call.words[0]: call.words[1]})
        case _:
            session.backend.save_tags(name, {key: value for key, value in tags.items() if key != call.words[0]})


def _create(session: Session, name: StackName, *, select: bool) -> None:
    if name.project != session.project.name:
        raise InvalidInput(f"provided project name {name.project!r} doesn't match Pulumi.yaml")
    with locks.held(session.backend, name):
        if session.backend.exists(name):
            raise Conflict(f"stack '{name}' already exists")
        cipher, _ = session.sealing(name, session.config(name))
        session.backend.save(name, checkpoint.text(str(name), None))
        session.backend.save(name, checkpoint.text(str(name), checkpoint.empty(cipher.salt)))
    session.err(f"Created stack '{session.shown(name)}'")
    if select:
        session.selection.set(str(name))


def _row(session: Session, name: StackName) -> dict[str, Any]:
    latest = (session.backend.checkpoint(name).get("checkpoint") or {}).get("latest")
    row: dict[str, Any] = {"name": session.shown(name), "current": session.selection.get() == str(name)}
    if latest:
        if updated := (latest.get("manifest") or {}).get("time"):
            row["lastUpdate"] = dialect.milliseconds(updated)
        row["resourceCount"] = len(latest.get("resources") or ())
    return row


def write(session: Session, name: StackName, snapshot: Snapshot, given: dict[str, Any]) -> None:
    """Replace the stack's deployment; what it says of itself (time, version, secrets key) stays as in `given`."""
    salt = checkpoint.salt_of(given)
    cipher = session.keyring.of(salt, session.env) if salt else session.sealing(name, session.config(name))[0]
    latest = checkpoint.deployment(snapshot, cipher.salt, given, partial(checkpoint.encode, cipher=cipher))
    latest["manifest"] = given.get("manifest") or latest["manifest"]
    session.backend.save(name, checkpoint.text(str(name), latest))


def _number(call: Call, flag: str, default: int) -> int:
    text = call.text(flag) or str(default)
    if not text.isdigit():
        raise InvalidInput(f"invalid argument {text!r} for --{flag}: a whole number")
    return int(text)


def _no_file() -> str:
    raise InvalidInput("name the file to import with --file; standard input is not read here")
