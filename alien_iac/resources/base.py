"""What every component is: a real Pulumi component that records what its author wrote, and is built after the plan.

Nothing that an author writes wrongly raises here; it becomes a finding, so that all of them come at once.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import pulumi

from alien_iac.checks import arguments as reading
from alien_iac.checks.catalogue import finding
from alien_iac.errors import Conflict
from alien_iac.models.arguments import Arguments, Computed, Kind, StorageArguments, WorkloadArguments
from alien_iac.models.declared import Declared
from alien_iac.models.finding import Finding
from alien_iac.models.links import Link
from alien_iac.resources import links, planner
from alien_iac.resources.context import Built, Transform
from alien_iac.resources.promises import Promises
from alien_iac.resources.tokens import TOKENS

LinkTarget: TypeAlias = "Component | Link"
"""What may stand in `link`: a component (its first verb), or one verb of it such as `files.reader()`."""


class Component(pulumi.ComponentResource):
    """A portable resource of a stack. Raises RunError where no Pulumi program runs, and nothing else."""

    kind: ClassVar[Kind]

    def __init__(
        self,
        name: object,
        keywords: Mapping[str, Any],
        *,
        link: Iterable[LinkTarget],
        transform: Mapping[str, Transform] | None,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        plan = planner.current()
        self._resource_id = name if isinstance(name, str) and name else repr(name)
        self._given = dict(keywords)
        read = reading.read(self.kind, self.resource_id, {key: _plain(value) for key, value in keywords.items()})
        self._read = read
        self._built_from: str | None = None
        self._problems: list[Finding] = []
        self._links: list[Link] = []
        self._promises = Promises()
        self._transforms = self._checked(transform)
        self._options = self._option(opts)
        logical = plan.logical_name(self.kind, self.resource_id)
        super().__init__(TOKENS[self.kind], logical, _told(read.arguments), self._options)
        if not isinstance(name, str):
            self._problems.append(finding("ID_INVALID", self.resource_id, f"the name is a {type(name).__name__}"))
        self._add_links(link)
        plan.record(self)

    def link(self, *targets: LinkTarget) -> None:
        """Link this workload to more resources, as `link=` does. Raises Conflict once it is built."""
        if self._promises.is_kept:
            raise Conflict(f"{self.resource_id} is built already", hint="link it while the stack program runs")
        self._add_links(targets)

    # What the planner reads is behind properties: Pulumi exports every public attribute of an exported resource.

    @property
    def resource_id(self) -> str:
        """The id: the name that the author gave."""
        return self._resource_id

    @property
    def given(self) -> Mapping[str, Any]:
        """The arguments as the author gave them, with their Outputs."""
        return self._given

    @property
    def transforms(self) -> Mapping[str, Transform]:
        """The author's transforms by role."""
        return self._transforms

    @property
    def options(self) -> pulumi.ResourceOptions | None:
        """The author's options."""
        return self._options

    @property
    def native(self) -> Mapping[str, pulumi.Output[Any]]:
        """The platform's own resources by role, as Outputs. KeyError, with the roles there are, for another role.

        Another resource waits for one of them with `depends_on=[files.native["directory"]]`.
        """
        return Native(self.resource_id, planner.current().roles(self.kind), self._promises)

    @property
    def declared(self) -> Declared:
        """What the checks read of this component."""
        return Declared(
            kind=self.kind,
            id=self.resource_id,
            arguments=self._read.arguments,
            links=tuple(self._links),
            transforms=tuple(self.transforms),
            given=self._read.given,
            findings=(*self._read.findings, *self._problems),
            built_from=self._built_from,
        )

    def keep(self, built: Built) -> None:
        """The platform built it: hand out what was promised, and tell Pulumi that it is complete."""
        self._promises.keep({**built.outputs, **{f"native:{role}": r for role, r in built.native.items()}})
        self.register_outputs(dict(built.outputs))

    def refuse(self, reason: BaseException) -> None:
        """It will not be built."""
        self._promises.refuse(reason)

    def settle(self, image: str) -> None:
        """Its image was built from a folder: it goes by this reference from now on."""
        workload = self._read.arguments
        if isinstance(workload, WorkloadArguments):
            self._built_from = workload.image_folder
        self._given["image"] = image
        self._read = replace(self._read, arguments=workload.model_copy(update={"image": image}))

    def promised(self, name: str) -> pulumi.Output[Any]:
        """One of its outputs."""
        return self._promises.get(name)

    def _add_links(self, targets: Iterable[object]) -> None:
        found, problems = links.read(self.resource_id, targets)
        self._links += found
        self._problems += problems

    def _checked(self, transform: object) -> dict[str, Transform]:
        if transform is None:
            return {}
        if isinstance(transform, Mapping) and all(callable(function) for function in transform.values()):
            return dict(transform)
        message = "transform is not a dict of a role to a function"
        self._problems.append(finding("ARGUMENT_INVALID", self.resource_id, message, 'such as {"directory": change}'))
        return {}

    def _option(self, opts: object) -> pulumi.ResourceOptions | None:
        if opts is None or isinstance(opts, pulumi.ResourceOptions):
            return opts
        message = f"opts is a {type(opts).__name__}"
        self._problems.append(finding("ARGUMENT_INVALID", self.resource_id, message, "give it pulumi.ResourceOptions"))
        return None


class Native(Mapping[str, "pulumi.Output[Any]"]):
    """The native resources of one component, by role."""

    def __init__(self, resource_id: str, roles: tuple[str, ...] | None, promises: Promises) -> None:
        self._resource_id, self._promises = resource_id, promises
        self._any, self._roles = roles is None, roles or ()

    def __getitem__(self, role: str) -> pulumi.Output[Any]:
        if not self._any and role not in self._roles:
            raise KeyError(f'{self._resource_id} has no role "{role}" here; it has {", ".join(self._roles) or "none"}')
        return self._promises.get(f"native:{role}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)


def _told(arguments: Arguments) -> dict[str, Any] | None:
    """What Pulumi is told of a component: policies allow what is public only where somebody said so."""
    public = isinstance(arguments, WorkloadArguments) and arguments.public
    readable = isinstance(arguments, StorageArguments) and arguments.public_read
    return {"public": True} if public or readable else None


def _is_later(value: object) -> bool:
    return isinstance(value, pulumi.Output) or inspect.isawaitable(value)


def _plain(value: Any) -> Any:
    """The value with everything that only the update knows replaced by `Computed`."""
    if _is_later(value):
        return Computed()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
