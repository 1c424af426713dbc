"""Stands where Pulumi's engine does, and keeps every request of a stack program.

Pulumi's own mock monitor forgets parents, options and registered outputs, and takes the same URN twice. This one keeps
and refuses as the engine does.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2

PROJECT, STACK = "project", "stack"
ROOT = "pulumi:pulumi:Stack"
SYNTHETIC: Mapping[str, Mapping[str, Any]] = {
    "alien:index:Artifact": {"size": 1_000_000},
    "alien:index:Image": {
        "digest": f"sha256:{'0' * 64}",
        "reference": f"registry.example/image@sha256:{'0' * 64}",
    },
    "alien:local:Process": {"port": 40_000, "url": "http://127.0.0.1:40000", "pid": 1_000},
}
"""Outputs that a resource of `local` has beside its inputs, where a program is told no others."""
Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""Type, logical name and inputs of a resource to the outputs that it has beside its inputs; token, "" and arguments of
an invoke to its result. An `id` among them is the resource's own."""


def no_outputs(_type: str, _name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Nothing beside the inputs."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the engine would have been asked for it."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    """As on Pulumi's wire; secrets are in the clear."""
    parent: str = ""
    """URN of the parent."""
    provider: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    outputs: Mapping[str, Any] | None = None
    """What a component registered in the end; None where it did not."""


class Messages(logging.Handler):
    """What a stack program logs through Pulumi."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.logger = logging.Logger("stack program", logging.INFO)  # noqa: LOG001 - of this one run, in no registry
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


class NoMocks(mocks.Mocks):
    """Pulumi wants mocks; the monitor answers for them."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        return args.args, None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", args.inputs


class Monitor(mocks.MockMonitor):
    """Registers resources as the engine would. Calls come from several threads."""

    def __init__(
        self, answers: Mapping[str, Mapping[str, Any]], *, preview: bool, synthetic: Outputs = no_outputs
    ) -> None:
        super().__init__(NoMocks())
        self._synthetic = synthetic
        self._answers = {**SYNTHETIC, **answers}
        self._preview = preview
        self._guard = threading.Lock()
        self._kept: dict[str, Resource] = {}
        self.stack_outputs: Mapping[str, Any] = {}

    @property
    def features(self) -> set[int]:
        """What Pulumi's runtime may use."""
        info = self.GetDeploymentInfo(empty_pb2.Empty())  # type: ignore[no-untyped-call]  # Pulumi's own is untyped
        return set(info.supportedFeatures)

    @property
    def registered(self) -> tuple[Resource, ...]:
        """All resources but the stack itself, by URN."""
        with self._guard:
            return tuple(self._kept[urn] for urn in sorted(self._kept))

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name and message
        if request.type == ROOT:
            return resource_pb2.RegisterResourceResponse(urn=f"urn:pulumi:{STACK}::{PROJECT}::{ROOT}::{request.name}")
        resource = _resource(request)
        with self._guard:
            if resource.urn in self._kept:
                raise ValueError(f"Duplicate resource URN '{resource.urn}'")
            self._kept[resource.urn] = resource
        made = dict(self._outputs(resource)) if resource.custom else {}
        identity = made.pop("id", f"{resource.name}-id")
        if self._preview:
            # What a provider makes of an input is known before there is anything.
            made = {name: value for name, value in made.items() if name in resource.inputs}
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id=identity if resource.custom and not self._preview else "",
            object=_struct({**resource.inputs, **made}),
        )

    def _outputs(self, resource: Resource) -> Mapping[str, Any]:
        synthetic = self._synthetic(resource.type, resource.name, resource.inputs)
        return {**synthetic, **self._answers.get(resource.type, {})}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - as above
        outputs = json_format.MessageToDict(request.outputs)
        with self._guard:
            if request.urn in self._kept:
                self._kept[request.urn] = replace(self._kept[request.urn], outputs=outputs)
            else:
                self.stack_outputs = outputs
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - as above
        given = self._answers.get(request.tok)
        answer = self._synthetic(request.tok, "", json_format.MessageToDict(request.args)) if given is None else given
        return resource_pb2.ResourceInvokeResponse(**{"return": _struct(answer)})


def _resource(request: Any) -> Resource:
    parent_types = request.parent.split("::")[2] if request.parent else ""
    above = "" if parent_types in {"", ROOT} else f"{parent_types}$"
    return Resource(
        urn=f"urn:pulumi:{STACK}::{PROJECT}::{above}{request.type}::{request.name}",
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=json_format.MessageToDict(request.object),
        parent=request.parent,
        provider=request.provider,
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        ignore_changes=tuple(request.ignoreChanges),
        aliases=tuple(alias.urn or alias.spec.name for alias in request.aliases),
        depends_on=tuple(sorted(request.dependencies)),
    )


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(values), struct_pb2.Struct())
