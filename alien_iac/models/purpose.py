"""What a workload's artifact is for: all that packaging has to know of a workload beside its folder."""

from collections.abc import Iterable
from dataclasses import dataclass

from alien_iac.models.arguments import Architecture, Kind
from alien_iac.models.declared import Declared
from alien_iac.models.platform import Platform


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """A platform, and what of a workload decides on the bytes of its artifact there."""

    platform: Platform = Platform.LOCAL
    kind: Kind = "Function"
    architecture: Architecture | None = None
    """None: what the platform runs cheapest."""
    image: bool = False
    """Whether it is an image that is built from a folder, and not a source."""
    linked: frozenset[Kind] = frozenset()
    """The kinds of the components that it is linked to: their stores need the clouds' SDKs."""
    polls: bool = False
    """Whether it is a Function with a public name of its own that watches something: Azure has no host for it."""


def purpose(platform: Platform, declared: Declared, components: Iterable[Declared]) -> Purpose:
    """What the artifact of a workload is for, in a stack of these components."""
    workload = declared.workload
    ids = {link.resource for link in declared.links}
    return Purpose(
        platform=platform,
        kind=declared.kind,
        architecture=workload.architecture if workload else None,
        image=workload is not None and workload.source is None,
        linked=frozenset([*(each.kind for each in components if each.id in ids), *_token(declared)]),
        polls=bool(declared.trigger_resources) and workload is not None and workload.domain is not None,
    )


def _token(declared: Declared) -> tuple[Kind, ...]:
    """A Container that answers commands reads its token from a Secret, wherever it is told to ask an agent."""
    asks = declared.kind == "Container" and declared.workload is not None and declared.workload.commands
    return ("Secret",) if asks else ()
