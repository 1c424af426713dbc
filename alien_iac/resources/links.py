"""Reads what stands in `link`: a component means its first verb, a verb of one (`files.reader()`) means itself."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import Kind
from alien_iac.models.finding import Finding
from alien_iac.models.links import VERBS, Link


@runtime_checkable
class Linkable(Protocol):
    """A component, as far as a link is concerned."""

    @property
    def resource_id(self) -> str: ...

    @property
    def kind(self) -> Kind: ...


def read(resource_id: str, targets: object) -> tuple[list[Link], list[Finding]]:
    """The links to these targets, and what was found wrong with them."""
    if isinstance(targets, Link | Linkable | str) or not isinstance(targets, Iterable):
        message = f"link is a {type(targets).__name__}"
        return [], [finding("LINK_INVALID", resource_id, message, "give it a list, such as [files.reader()]")]
    links, problems = [], []
    for target in targets:
        if isinstance(target, Link):
            links.append(target)
        elif isinstance(target, Linkable):
            links.append(Link(resource=target.resource_id, kind=target.kind, verb=VERBS[target.kind][0]))
        else:
            message = f"link: {target!r} is neither a component nor a verb of one"
            problems.append(finding("LINK_INVALID", resource_id, message, "such as files or files.reader()"))
    return links, problems
