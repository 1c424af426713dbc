"""The Secret with a workload's token for commands, which it makes itself where it asks somebody for them."""

from collections.abc import Iterable, Mapping

import pulumi

from alien_iac.models.arguments import Kind
from alien_iac.resources import planner
from alien_iac.resources.base import LinkTarget
from alien_iac.resources.environment import token_id
from alien_iac.resources.secret import Secret


def linked(
    kind: Kind, name: str, link: Iterable[LinkTarget], opts: pulumi.ResourceOptions | None
) -> Iterable[LinkTarget]:
    """The links of a workload with commands: the author's, and one to its token where it needs a Secret for that."""
    maker = planner.current().token_maker(kind)
    return link if maker is None else [*link, Secret(token_id(name), provided_by=maker, opts=_options(opts))]


def _options(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A token can be made again, so its Secret goes when the workload goes."""
    theirs = opts if isinstance(opts, pulumi.ResourceOptions) else pulumi.ResourceOptions()
    return pulumi.ResourceOptions(
        parent=theirs.parent,
        provider=theirs.provider,
        providers=theirs.providers if isinstance(theirs.providers, Mapping) else list(theirs.providers or ()),
        protect=False,
        retain_on_delete=False,
    )
