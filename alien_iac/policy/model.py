"""What a rule is, and what it sees: a resource as it was asked for, and those around it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_OURS = "alien:index:"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as Pulumi registers it. `inputs` has the names of Pulumi's schema: camel case."""

    urn: str
    type: str
    name: str
    parent: str = ""
    """URN; empty for what stands on its own."""
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Stack:
    """The resources that are known, by URN: all of them in a review, those so far while the CLI deploys."""

    resources: Mapping[str, Resource]
    boundary: str = ""
    """ARN of the permissions boundary that every role is to have, where there is one."""

    def is_declared_public(self, resource: Resource) -> bool:
        """Whether a component above the resource was told to be public."""
        above = self.resources.get(resource.parent)
        if above is None:
            return False
        told = above.type.startswith(_OURS) and above.inputs.get("public") is True
        return told or self.is_declared_public(above)

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (each for each in self.resources.values() if each.type in types)


Check = Callable[[Resource, Stack], Iterable[str]]
"""What is wrong with one resource, in words."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: a table of the types that it has something to say about."""

    name: str
    says: str
    checks: Mapping[str, Check]
    whole: bool = False
    """Whether it needs to see all of the stack."""

    @property
    def code(self) -> str:
        """The code of its findings in a review."""
        return f"RULE_{self.name.upper().replace('-', '_')}"

    def broken(self, resource: Resource, stack: Stack) -> Iterable[str]:
        """What is wrong with a resource; nothing for a type that the rule is not about."""
        check = self.checks.get(resource.type)
        return check(resource, stack) if check else ()


def section(inputs: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A nested object; empty where there is none."""
    found: Any = inputs
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """A list as it is, one value as a list of one, nothing as an empty list."""
    if value is None:
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def statements(policy: object) -> list[Mapping[str, Any]]:
    """The statements of an IAM policy, which is JSON or an object; none where it is neither."""
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except ValueError:
            return []
    found = items(policy.get("Statement")) if isinstance(policy, Mapping) else ()
    return [each for each in found if isinstance(each, Mapping)]
