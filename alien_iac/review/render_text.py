"""A review, or a difference of two, as text for a terminal."""

import json
from collections.abc import Iterable, Iterator

from alien_iac.review import tree
from alien_iac.review.diff import Changed, Difference, permissions
from alien_iac.review.model import Exposure, Grant, Idle, Resource, Review

_LONGEST = 60
"""Characters of a value that are shown where it changed."""


def review(one: Review) -> str:
    """All of it but the inputs, which are in the JSON and on the page."""
    natives = sum(len(component.natives) for component in tree.components(one))
    title = f"{one.platform}: {natives} native resources, {len(one.grants)} grants"
    sections = (
        ("findings", (f"{f.severity}: {f}" for f in one.findings)),
        ("resources", _resources(one)),
        ("who may do what", (line for grant in one.grants for line in (granted(grant), f"  {_json(grant.policy)}"))),
        ("what is exposed", map(exposed, one.exposure)),
        ("what leaves", (f"to {each.to}: {each.what}" for each in one.leaves)),
        ("what costs while idle", map(idle, one.idle)),
        ("deploying takes", [f"{len(permissions(one.deploy_permissions))} permissions (--permissions writes them)"]),
    )
    return "\n".join([title, *(line for name, lines in sections for line in _section(name, lines))])


def difference(one: Difference) -> str:
    """What differs, a line each: `+` comes, `-` goes, `~` changes."""
    if one.is_empty:
        return f"{one.platform}: nothing differs"
    sections = (
        ("resources", _signed(map(_resource, one.added), map(_resource, one.removed))),
        ("changed", (line for change in one.changed for line in _change(change))),
        ("who may do what", _signed(map(granted, one.grants_added), map(granted, one.grants_removed))),
        ("what is exposed", _signed(map(exposed, one.exposure_added), map(exposed, one.exposure_removed))),
        ("what costs while idle", _signed(map(idle, one.idle_added), map(idle, one.idle_removed))),
        ("deploying takes", _signed(one.permissions_added, one.permissions_removed)),
        ("findings", _signed(map(str, one.findings_added), map(str, one.findings_removed))),
    )
    return "\n".join([f"{one.platform}:", *(line for name, lines in sections for line in _section(name, lines))])


def granted(grant: Grant) -> str:
    """A grant in words."""
    return f"{grant.workload} may {grant.verb} {grant.resource}"


def exposed(exposure: Exposure) -> str:
    """Who reaches what."""
    return f"{exposure.resource} from {exposure.from_}: {exposure.how}"


def idle(one: Idle) -> str:
    """What costs while nothing happens."""
    return f"{one.resource}: {one.what}, {one.cost}"


def _resources(one: Review) -> Iterator[str]:
    for component in tree.components(one):
        yield f"{component.name} ({component.kind})" if component.kind else component.name
        yield from (f"  {_resource(resource)}" for resource in component.natives)


def _resource(resource: Resource) -> str:
    marks = [word for word, there in (("protected", resource.protect), ("kept", resource.retain)) if there]
    return f"{resource.type} {resource.name}" + (f" [{', '.join(marks)}]" if marks else "")


def _change(change: Changed) -> Iterator[str]:
    yield f"~ {change.type} {change.name}"
    yield from (f"    {p.path}: {_cut(p.before)} -> {_cut(p.after)}" for p in change.properties)


def _signed(added: Iterable[str], removed: Iterable[str]) -> Iterator[str]:
    yield from (f"+ {line}" for line in added)
    yield from (f"- {line}" for line in removed)


def _section(name: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines under their title; nothing where there are none."""
    found = list(lines)
    if found:
        yield ""
        yield name
        yield from (f"  {line}" for line in found)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(value: object) -> str:
    text = "nothing" if value is None else _json(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
