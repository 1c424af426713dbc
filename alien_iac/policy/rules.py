"""All the rules, and what a stack breaks of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alien_iac.policy import grants, keys, lasting, network, public
from alien_iac.policy.model import Resource, Rule, Stack

RULES: tuple[Rule, ...] = (*public.RULES, *network.RULES, *grants.RULES, *keys.RULES, *lasting.RULES)


@dataclass(frozen=True)
class Broken:
    """A rule, the resource that breaks it, and how."""

    rule: Rule
    resource: Resource
    how: str


def broken(resources: Iterable[Resource], boundary: str = "") -> Iterator[Broken]:
    """What resources, which are all of a stack, break. `boundary`: the customer's permissions boundary, if any."""
    stack = Stack({each.urn: each for each in resources}, boundary)
    for each in stack.resources.values():
        for rule in RULES:
            yield from (Broken(rule, each, how) for how in rule.broken(each, stack))
