"""A whole stack as its program declared it: what the checks read, without Pulumi."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alien_iac.models.arguments import Arguments, FunctionArguments, Kind, WorkloadArguments
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.finding import Finding
from alien_iac.models.links import Link
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, Trigger


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One component: its kind, its id, its checked arguments and what was found while they were read."""

    kind: Kind
    id: str
    arguments: Arguments
    links: tuple[Link, ...] = ()
    transforms: tuple[str, ...] = ()
    """The roles that the author gave a transform for."""
    given: frozenset[str] = frozenset()
    """The arguments that the author set to something else than their default."""
    findings: tuple[Finding, ...] = ()
    built_from: str | None = None
    """The folder that its image was built from; `image` is its reference since then."""

    @property
    def workload(self) -> WorkloadArguments | None:
        return self.arguments if isinstance(self.arguments, WorkloadArguments) else None

    @property
    def commands(self) -> bool:
        """Whether it answers commands."""
        return self.workload is not None and self.workload.commands

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        return self.arguments.triggers if isinstance(self.arguments, FunctionArguments) else ()

    @property
    def trigger_resources(self) -> tuple[str, ...]:
        """The ids of the resources that its triggers watch, each once."""
        watched = (t.resource for t in self.triggers if isinstance(t, QueueTrigger | CreatedTrigger))
        return tuple(dict.fromkeys(watched))


@dataclass(frozen=True, kw_only=True)
class Support:
    """What a platform package says of itself, read from its literal tables."""

    kinds: frozenset[str] = frozenset()
    unsupported: Mapping[str, str] = field(default_factory=dict)
    """Kind, `Kind.argument` or `Kind.argument=value` to the reason."""
    ignored: Mapping[str, str] = field(default_factory=dict)
    """The same keys: accepted, and of no effect."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind to the roles of its native resources."""
    reserved: frozenset[str] = frozenset()
    """Ids that the platform needs for itself."""
    image_needs_docker: bool = False


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What is at the place that a `source` names."""

    path: Path
    exists: bool
    has_main: bool
    has_dockerfile: bool = False


@dataclass(frozen=True, kw_only=True)
class Stack:
    """All that the checks may look at."""

    config: DeploymentConfig | None
    components: tuple[Declared, ...]
    support: Support = field(default_factory=Support)
    sources: Mapping[str, Folder] = field(default_factory=dict)
    """Workload id to the folder of its source."""
    images: Mapping[str, Folder] = field(default_factory=dict)
    """Workload id to the folder that its image is built from."""
    docker: bool = False
    """Whether a Docker daemon answers on this machine."""

    def is_drained(self, declared: Declared) -> bool:
        """Whether it is a Function that asks the control plane for its commands, once a minute."""
        return declared.kind == "Function" and declared.commands and self._is_pushed

    def is_called_by_agent(self, declared: Declared) -> bool:
        """Whether it is a Function that the agent calls with commands."""
        return declared.kind == "Function" and declared.commands and not self._is_pushed

    @property
    def _is_pushed(self) -> bool:
        return self.config is not None and self.config.is_pushed

    def find(self, resource_id: str) -> Declared | None:
        return next((c for c in self.components if c.id == resource_id), None)
