"""The verbs that edit the state without an update: `state unprotect` and `state delete`."""

from dataclasses import replace

from alien_iac.engine import locks, stacks
from alien_iac.engine.arguments import Call
from alien_iac.engine.model import Resource, Snapshot
from alien_iac.engine.session import Session
from alien_iac.errors import Conflict, InvalidInput, NotFound


def unprotect(session: Session, call: Call) -> None:
    """Take the protection off the resources that are named, or off all."""
    name = session.stack(call)
    if not call.words and not call.on("all"):
        raise InvalidInput("`pulumi state unprotect` needs the URN of a resource, or --all")
    with locks.held(session.backend, name):
        latest = session.latest(name)
        snapshot = session.snapshot(latest)
        _refuse_unknown(snapshot, call.words)
        chosen = {r.urn for r in snapshot.resources} if call.on("all") else set(call.words)
        resources = [replace(r, protect=False) if r.urn in chosen and not r.delete else r for r in snapshot.resources]
        stacks.write(session, name, replace(snapshot, resources=tuple(resources)), latest)
    session.out("All resources unprotected" if call.on("all") else f"{len(chosen)} resources unprotected")


def delete(session: Session, call: Call) -> None:
    """Forget resources. What they are in the world stays; what others need is not forgotten."""
    name = session.stack(call)
    with locks.held(session.backend, name):
        latest = session.latest(name)
        snapshot = session.snapshot(latest)
        _refuse_unknown(snapshot, call.words)
        doomed = set(call.words)
        if call.on("target-dependents"):
            doomed = _with_dependents(snapshot, doomed)
        _refuse_needed(snapshot, doomed)
        protected = [r.urn for r in snapshot.resources if r.urn in doomed and r.protect]
        if protected and not call.on("force"):
            raise Conflict(
                f"{protected[0]} can't be safely deleted because it is protected. "
                "Re-run this command with --force to force deletion"
            )
        left = tuple(r for r in snapshot.resources if r.urn not in doomed)
        stacks.write(session, name, replace(snapshot, resources=left), latest)
    session.out("Resource deleted" if len(doomed) == 1 else f"{len(doomed)} resources deleted")


def needs(resource: Resource) -> set[str]:
    """URNs without which the resource cannot stand in the state."""
    by_property = {urn for urns in resource.property_dependencies.values() for urn in urns}
    named = {resource.parent, resource.provider.rpartition("::")[0], resource.deleted_with}
    return ({*resource.dependencies, *by_property, *named}) - {""}


def _with_dependents(snapshot: Snapshot, doomed: set[str]) -> set[str]:
    for resource in snapshot.resources:  # dependents come after what they need
        if needs(resource) & doomed:
            doomed = doomed | {resource.urn}
    return doomed


def _refuse_unknown(snapshot: Snapshot, urns: tuple[str, ...]) -> None:
    known = {resource.urn for resource in snapshot.resources}
    if unknown := [urn for urn in urns if urn not in known]:
        raise NotFound("\n".join(f"No such resource {urn!r} exists in the current state" for urn in unknown))


def _refuse_needed(snapshot: Snapshot, doomed: set[str]) -> None:
    for urn in sorted(doomed):
        if dependents := [r.urn for r in snapshot.resources if r.urn not in doomed and urn in needs(r)]:
            raise Conflict(
                f"{urn} can't be safely deleted because the following resources depend on it:\n"
                + "".join(f" * {dependent}\n" for dependent in dependents)
                + "\nDelete those resources first or pass --target-dependents."
            )
