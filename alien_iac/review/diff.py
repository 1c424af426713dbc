"""What differs between two reviews of one stack program: what would be there, who may do what, what is allowed."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from alien_iac.models.finding import Finding
from alien_iac.review.model import Exposure, Grant, Idle, Resource, Review

T = TypeVar("T", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class Property(_Part):
    """An input that is another one, by its path (`tags.deployment`). None: it is not there."""

    path: str
    before: Any = None
    after: Any = None


class Changed(_Part):
    """A resource in both, with other inputs."""

    urn: str
    type: str
    name: str
    properties: tuple[Property, ...]


class Difference(_Part):
    """From one review to another. Empty where nothing differs."""

    platform: str
    added: tuple[Resource, ...] = ()
    removed: tuple[Resource, ...] = ()
    changed: tuple[Changed, ...] = ()
    grants_added: tuple[Grant, ...] = ()
    grants_removed: tuple[Grant, ...] = ()
    exposure_added: tuple[Exposure, ...] = ()
    exposure_removed: tuple[Exposure, ...] = ()
    idle_added: tuple[Idle, ...] = ()
    idle_removed: tuple[Idle, ...] = ()
    permissions_added: tuple[str, ...] = ()
    """What the deploying identity has to be allowed in addition."""
    permissions_removed: tuple[str, ...] = ()
    findings_added: tuple[Finding, ...] = ()
    findings_removed: tuple[Finding, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not any(value for name, value in self if name != "platform")

    def dump(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return self.model_dump(mode="json", by_alias=True)


def compare(before: Review, after: Review) -> Difference:
    """From `before` to `after`. Resources are the same where their URNs are."""
    old, new = ({r.urn: r for r in review.resources} for review in (before, after))
    changes = (_changed(old[urn], new[urn]) for urn in new if urn in old)
    allowed = [permissions(review.deploy_permissions) for review in (before, after)]
    return Difference(
        platform=after.platform,
        added=tuple(new[urn] for urn in new if urn not in old),
        removed=tuple(old[urn] for urn in old if urn not in new),
        changed=tuple(change for change in changes if change.properties),
        grants_added=_only(after.grants, before.grants),
        grants_removed=_only(before.grants, after.grants),
        exposure_added=_only(after.exposure, before.exposure),
        exposure_removed=_only(before.exposure, after.exposure),
        idle_added=_only(after.idle, before.idle),
        idle_removed=_only(before.idle, after.idle),
        permissions_added=tuple(sorted(allowed[1] - allowed[0])),
        permissions_removed=tuple(sorted(allowed[0] - allowed[1])),
        findings_added=_only(after.findings, before.findings),
        findings_removed=_only(before.findings, after.findings),
    )


def permissions(policy: Mapping[str, Any]) -> frozenset[str]:
    """Each permission in a policy of AWS, a custom role of Google Cloud or a role definition of Azure."""
    statements = policy.get("Statement", ())
    of_aws = {f"{action} on {place}" for s in statements for action in s["Action"] for place in _listed(s["Resource"])}
    others = (policy.get(key, ()) for key in ("includedPermissions", "Actions", "DataActions"))
    return frozenset(of_aws.union(*others))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _only(these: Iterable[T], those: Iterable[T]) -> tuple[T, ...]:
    """What is not among those."""
    known = {_text(one) for one in those}
    return tuple(one for one in these if _text(one) not in known)


def _text(one: BaseModel) -> str:
    return json.dumps(one.model_dump(mode="json"), sort_keys=True)


def _changed(old: Resource, new: Resource) -> Changed:
    before, after = (dict(_leaves("", resource.inputs)) for resource in (old, new))
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    properties = (Property(path=path, before=before.get(path), after=after.get(path)) for path in paths)
    return Changed(urn=new.urn, type=new.type, name=new.name, properties=tuple(properties))


def _leaves(path: str, value: object) -> Iterator[tuple[str, Any]]:
    """Everything inside that has nothing inside, by its path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list | tuple) and value:
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}[{place}]", inner)
    else:
        yield path, value
