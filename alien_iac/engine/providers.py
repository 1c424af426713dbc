"""Resource providers: the ResourceProvider protocol spoken to a plugin, with the values in the form that it accepts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from alien_iac.engine import urns, values, wire
from alien_iac.engine.model import Properties, Resource
from alien_iac.errors import UpdateFailed


class ProviderFailed(UpdateFailed):
    """A provider refused or broke. `partial` is what there is nevertheless, after a failed initialisation."""

    def __init__(self, message: str, *, partial: "Live | None" = None, unsure: bool = False) -> None:
        super().__init__(message)
        self.partial = partial
        self.unsure = unsure


@dataclass(frozen=True)
class Live:
    """A resource as its provider has it. An empty id: it is not known yet, or the resource is gone."""

    id: str
    outputs: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] | None = None
    init_errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diff:
    """What a provider says of a change. `changes` None: it cannot tell."""

    changes: bool | None
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False
    detailed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


Failures = list[tuple[str, str]]
"""Property (may be empty) and reason."""


class Provider(Protocol):
    """What the engine asks of a provider. All raise ProviderFailed."""

    def check(self, urn: str, old: Properties, new: Properties, seed: bytes) -> tuple[dict[str, Any], Failures]: ...
    def diff(self, old: Resource, new: Properties, ignore: Sequence[str]) -> Diff: ...
    def create(self, new: Resource, *, preview: bool) -> Live: ...
    def read(self, resource: Resource) -> Live: ...
    def update(self, old: Resource, new: Resource, *, preview: bool) -> Live: ...
    def delete(self, old: Resource) -> None: ...
    def invoke(self, token: str, args: Properties, *, preview: bool) -> tuple[dict[str, Any], Failures]: ...
    def call(self, request: provider_pb2.CallRequest) -> provider_pb2.CallResponse: ...
    def check_config(self, urn: str, old: Properties, new: Properties) -> tuple[dict[str, Any], Failures]: ...
    def diff_config(self, urn: str, old: Resource, new: Properties) -> Diff: ...
    def configure(self, urn: str, identity: str, inputs: Properties) -> None: ...
    def cancel(self) -> None: ...


class PluginProvider:
    """A provider in a plugin process. `close` ends that process."""

    def __init__(self, channel: grpc.Channel, close: Callable[[], None]) -> None:
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self._channel, self._close = channel, close
        self._secrets = self._references = self._previews = False
        self._configured = False

    def handshake(self, engine: str) -> None:
        """Tell the plugin which engine this is, if it wants to know."""
        request = provider_pb2.ProviderHandshakeRequest(engine_address=engine, configure_with_urn=True)
        self._ask(self._stub.Handshake, request, optional=True)

    def check_config(self, urn: str, old: Properties, new: Properties) -> tuple[dict[str, Any], Failures]:
        request = provider_pb2.CheckRequest(**_named(urn), olds=wire.struct(old), news=wire.struct(new))
        answer = self._ask(self._stub.CheckConfig, request, optional=True)
        return (wire.properties(answer.inputs), _failures(answer)) if answer else (dict(new), [])

    def diff_config(self, urn: str, old: Resource, new: Properties) -> Diff:
        inputs, outputs = wire.struct(config(old.inputs)), wire.struct(old.outputs)
        request = provider_pb2.DiffRequest(
            **_named(urn), id=old.id, old_inputs=inputs, olds=outputs, news=wire.struct(new)
        )
        answer = self._ask(self._stub.DiffConfig, request, optional=True)
        return _diff(answer) if answer else Diff(None)

    def configure(self, urn: str, identity: str, inputs: Properties) -> None:
        """Give the plugin its configuration, once. With unknowns in it (in previews) it stays unconfigured."""
        if values.has_unknown(dict(inputs)):
            return
        package = urns.package_of(urns.type_of(urn))
        variables = {f"{package}:config:{k}": wire.text(values.bare(v)) for k, v in inputs.items() if k != "version"}
        request = provider_pb2.ConfigureRequest(
            **_named(urn),
            id=identity,
            variables=variables,
            args=wire.struct(inputs),
            acceptSecrets=True,
            acceptResources=True,
            sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
        )
        answer = self._ask(self._stub.Configure, request)
        self._secrets, self._references = answer.acceptSecrets, answer.acceptResources
        self._previews, self._configured = answer.supportsPreview, True

    def check(self, urn: str, old: Properties, new: Properties, seed: bytes) -> tuple[dict[str, Any], Failures]:
        if not self._configured:
            return dict(new), []
        request = provider_pb2.CheckRequest(**_named(urn), olds=self._out(old), news=self._out(new), randomSeed=seed)
        answer = self._ask(self._stub.Check, request)
        return self._in(answer.inputs, new), _failures(answer)

    def diff(self, old: Resource, new: Properties, ignore: Sequence[str]) -> Diff:
        if not self._configured:
            return Diff(None)
        request = provider_pb2.DiffRequest(**self._before(old), news=self._out(new), ignoreChanges=ignore)
        return _diff(self._ask(self._stub.Diff, request))

    def create(self, new: Resource, *, preview: bool) -> Live:
        if preview and not (self._configured and self._previews):
            return Live("", dict(new.inputs) if self._configured else {})
        timeout = new.custom_timeouts.get("create", 0)
        request = provider_pb2.CreateRequest(
            **_named(new.urn), properties=self._out(new.inputs), timeout=timeout, preview=preview
        )
        answer = self._ask(self._stub.Create, request, new.inputs)
        if not answer.id and not preview:
            raise ProviderFailed("provider did not return an ID from Create", unsure=True)
        return Live(answer.id, self._in(answer.properties, new.inputs))

    def update(self, old: Resource, new: Resource, *, preview: bool) -> Live:
        if preview and not (self._configured and self._previews):
            return Live(old.id, dict(new.inputs) if self._configured else {})
        request = provider_pb2.UpdateRequest(
            **self._before(old) | _named(new.urn),
            news=self._out(new.inputs),
            timeout=new.custom_timeouts.get("update", 0),
            ignoreChanges=new.ignore_changes,
            preview=preview,
        )
        answer = self._ask(self._stub.Update, request, new.inputs)
        return Live(old.id, self._in(answer.properties, new.inputs))

    def read(self, resource: Resource) -> Live:
        timeout = resource.custom_timeouts.get("read", 0)
        state, inputs = self._out(resource.outputs), self._out(resource.inputs)
        request = provider_pb2.ReadRequest(
            **_named(resource.urn), id=resource.id, properties=state, inputs=inputs, timeout=timeout
        )
        answer = self._ask(self._stub.Read, request, resource.inputs)
        found = self._in(answer.inputs, resource.inputs) if answer.HasField("inputs") else None
        return Live(answer.id, self._in(answer.properties, resource.outputs), found)

    def delete(self, old: Resource) -> None:
        before = self._before(old)
        before["properties"] = before.pop("olds")
        self._ask(self._stub.Delete, provider_pb2.DeleteRequest(**before, timeout=old.custom_timeouts.get("delete", 0)))

    def invoke(self, token: str, args: Properties, *, preview: bool) -> tuple[dict[str, Any], Failures]:
        request = provider_pb2.InvokeRequest(tok=token, args=self._out(args), preview=preview)
        answer = self._ask(self._stub.Invoke, request)
        return wire.properties(getattr(answer, "return")), _failures(answer)

    def call(self, request: provider_pb2.CallRequest) -> provider_pb2.CallResponse:
        return cast("provider_pb2.CallResponse", self._ask(self._stub.Call, request))

    def cancel(self) -> None:
        self._ask(self._stub.Cancel, empty_pb2.Empty(), optional=True)

    def end(self) -> None:
        """Cancel what still runs, and end the plugin."""
        try:
            self.cancel()
        except ProviderFailed:
            pass  # it is ended all the same
        finally:
            self._channel.close()
            self._close()

    def _ask(
        self, call: Callable[[Any], Any], request: object, inputs: Properties | None = None, *, optional: bool = False
    ) -> Any:
        """Call the plugin. `inputs`: the call may leave half a resource behind. `optional`: None if it is not known."""
        try:
            return call(request)
        except grpc.RpcError as error:
            if optional and error.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE):
                return None
            raise self._failure(error, inputs) from error

    def _failure(self, error: grpc.RpcError, inputs: Properties | None) -> ProviderFailed:
        half = None if inputs is None else _half(error)
        if half is not None:
            reasons = tuple(half.reasons)
            live = Live(half.id, self._in(half.properties, inputs or {}), self._in(half.inputs, inputs or {}), reasons)
            return ProviderFailed(_listed(reasons), partial=live)
        unsure = error.code() in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)
        return ProviderFailed(error.details() or str(error.code()), unsure=unsure)

    def _before(self, old: Resource) -> dict[str, Any]:
        state, inputs = self._out(old.outputs), self._out(old.inputs)
        return {**_named(old.urn), "id": old.id, "olds": state, "old_inputs": inputs}

    def _out(self, given: Properties) -> struct_pb2.Struct:
        value = dict(given)
        value = value if self._secrets else values.bare(value)
        return wire.struct(value if self._references else values.without_references(value))

    def _in(self, message: struct_pb2.Struct, inputs: Properties) -> dict[str, Any]:
        found = values.downgraded(wire.properties(message))
        return dict(found if self._secrets else values.annotate(found, dict(inputs)))


def config(inputs: Properties) -> dict[str, Any]:
    """A provider's inputs without what is the engine's own business."""
    return {k: v for k, v in inputs.items() if k != "__internal"}


def _named(urn: str) -> dict[str, str]:
    return {"urn": urn, "name": urns.name_of(urn), "type": urns.type_of(urn)}


def _half(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed | None:
    """What a failed initialisation left behind, out of the error's details."""
    for key, raw in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(raw).details:
                half = provider_pb2.ErrorResourceInitFailed()
                if detail.Unpack(half):
                    return half
    return None


def _listed(reasons: Sequence[str]) -> str:
    if not reasons:
        return "resource init failed"
    head = "1 error occurred:" if len(reasons) == 1 else f"{len(reasons)} errors occurred:"
    return "\n".join([head, *(f"\t* {reason}" for reason in reasons), ""])


def _failures(
    answer: provider_pb2.CheckResponse | provider_pb2.InvokeResponse,
) -> Failures:
    return [(failure.property, failure.reason) for failure in answer.failures]


def _diff(answer: provider_pb2.DiffResponse) -> Diff:
    kind = provider_pb2.DiffResponse
    changes = {kind.DIFF_NONE: False, kind.DIFF_SOME: True}.get(answer.changes)
    names = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"]
    detailed = {k: {"diffKind": names[v.kind], "inputDiff": v.inputDiff} for k, v in answer.detailedDiff.items()}
    if not answer.hasDetailedDiff:
        detailed = {}
    return Diff(changes, tuple(answer.diffs), tuple(answer.replaces), answer.deleteBeforeReplace, detailed)
