"""Links: which verb a workload has on which resource."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from alien_iac.models.arguments import Kind

Verb = Literal["read", "write", "send", "consume", "call"]

VERBS: Mapping[Kind, tuple[Verb, ...]] = {
    "Storage": ("write", "read"),
    "Kv": ("write", "read"),
    "Queue": ("send", "consume"),
    "Secret": ("read",),
    "Function": ("call",),
    "Container": ("call",),
}
"""The verbs of each kind; a bare link means the first. `write` reads too."""


class Link(BaseModel):
    """One verb on one resource."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource: str
    kind: Kind
    verb: Verb
