"""The `ResourceProvider` service: Pulumi's calls turned into those of a kind of resource, and its answers back."""

# The methods have the names and the parameters of the service.
# ruff: noqa: N802, ARG002

import dataclasses
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from alien_iac.errors import ConfigInvalid, NotFound, Unsupported
from alien_iac.plugin import answers, check, schema, values
from alien_iac.plugin.kind import Call, Kind

Context: TypeAlias = grpc.ServicerContext | None
"""None: this process asks itself."""
Request: TypeAlias = (
    pb.CheckRequest | pb.DiffRequest | pb.CreateRequest | pb.ReadRequest | pb.UpdateRequest | pb.DeleteRequest
)


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one engine. `kinds`: type token to kind."""

    def __init__(self, kinds: Mapping[str, Kind[Any]], version: str) -> None:
        self._kinds, self._version = kinds, version
        self._root: Path | None = None
        self._cancelled = threading.Event()

    # What the plugin is

    def Handshake(self, request: pb.ProviderHandshakeRequest, context: Context) -> pb.ProviderHandshakeResponse:
        return pb.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: Context) -> empty_pb2.Empty:
        """An engine that did not start this process joins it. Nothing is asked of the engine, so no more to do."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Context) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._version)

    @answers.errors
    def GetSchema(self, request: pb.GetSchemaRequest, context: Context) -> pb.GetSchemaResponse:
        if request.version:
            raise Unsupported(f"schema version {request.version} is not known; this plugin has version 0")
        return pb.GetSchemaResponse(schema=schema.schema(self._kinds, self._version))

    def GetMapping(self, request: pb.GetMappingRequest, context: Context) -> pb.GetMappingResponse:
        return pb.GetMappingResponse()

    def GetMappings(self, request: pb.GetMappingsRequest, context: Context) -> pb.GetMappingsResponse:
        return pb.GetMappingsResponse()

    # Its configuration

    def CheckConfig(self, request: pb.CheckRequest, context: Context) -> pb.CheckResponse:
        given = values.decode(request.news)
        reason = None if "localDir" in given.unknown else _wrong_root(given.plain.get("localDir"))
        failures = [pb.CheckFailure(property="localDir", reason=reason)] if reason else []
        return pb.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: pb.DiffRequest, context: Context) -> pb.DiffResponse:
        """A folder that moved replaces nothing by itself: the resources' own paths say what moved with it."""
        before, after = (values.decode(one).plain.get("localDir") for one in (_inputs(request), request.news))
        return answers.difference([] if before == after else ["localDir"], replaced=frozenset(), delete_first=False)

    @answers.errors
    def Configure(self, request: pb.ConfigureRequest, context: Context) -> pb.ConfigureResponse:
        root = values.decode(request.args).plain.get("localDir", request.variables.get("alien:config:localDir"))
        if reason := _wrong_root(root):
            raise ConfigInvalid(f"the provider's localDir {reason}")
        self._root = None if root is None else Path(str(root))
        return pb.ConfigureResponse(acceptSecrets=True, acceptResources=True, supportsPreview=True)

    # Its resources

    @answers.errors
    def Check(self, request: pb.CheckRequest, context: Context) -> pb.CheckResponse:
        kind = self._kind(request)
        found = check.failures(kind, values.decode(request.news), self._call(kind))
        failures = [pb.CheckFailure(property=one.property, reason=one.reason) for one in found]
        return pb.CheckResponse(inputs=request.news, failures=failures)

    @answers.errors
    def Diff(self, request: pb.DiffRequest, context: Context) -> pb.DiffResponse:
        kind = self._kind(request)
        before, after = (kind.upgraded(values.decode(one).plain) for one in (_inputs(request), request.news))
        names = check.names(kind.model)
        changed = [key for key in sorted(names - set(request.ignoreChanges)) if before.get(key) != after.get(key)]
        first = bool(kind.replaces.intersection(changed)) and kind.delete_first(check.known(kind, before))
        return answers.difference(changed, replaced=kind.replaces, delete_first=first, stable=kind.stable)

    @answers.errors
    def Create(self, request: pb.CreateRequest, context: Context) -> pb.CreateResponse:
        kind, given = self._kind(request), values.decode(request.properties)
        if request.preview:
            return pb.CreateResponse(properties=answers.foreseen(kind, given, {}))
        with answers.half_made(given):
            live = kind.create(kind.model.model_validate(kind.upgraded(given.plain)), self._call(kind, request.timeout))
        return pb.CreateResponse(id=live.id, properties=answers.outputs(given, live))

    @answers.errors
    def Read(self, request: pb.ReadRequest, context: Context) -> pb.ReadResponse:
        kind = self._kind(request)
        given = values.decode(request.inputs if request.inputs.fields else request.properties)
        given = dataclasses.replace(given, plain=check.ours(kind, given.plain))
        inputs = check.known(kind, given.plain) if given.plain else None
        live = kind.read(request.id, inputs, self._call(kind, request.timeout))
        if live is None:
            return pb.ReadResponse()
        found = answers.refreshed(given, live)
        return pb.ReadResponse(
            id=live.id, inputs=values.encode(found.plain, found.secret), properties=answers.outputs(found, live)
        )

    @answers.errors
    def Update(self, request: pb.UpdateRequest, context: Context) -> pb.UpdateResponse:
        kind, given = self._kind(request), values.decode(request.news)
        new = kind.upgraded(given.plain)
        if request.preview:
            olds = values.decode(request.olds).plain
            return pb.UpdateResponse(properties=answers.foreseen(kind, given, olds))
        old = check.known(kind, values.decode(_inputs(request)).plain)
        with answers.half_made(given):
            live = kind.update(old, kind.model.model_validate(new), self._call(kind, request.timeout))
        return pb.UpdateResponse(properties=answers.outputs(given, live))

    @answers.errors
    def Delete(self, request: pb.DeleteRequest, context: Context) -> empty_pb2.Empty:
        kind = self._kind(request)
        given = values.decode(request.old_inputs if request.old_inputs.fields else request.properties)
        kind.delete(check.known(kind, given.plain), self._call(kind, request.timeout))
        return empty_pb2.Empty()

    @answers.errors
    def Invoke(self, request: pb.InvokeRequest, context: Context) -> pb.InvokeResponse:
        raise NotFound(f"the alien plugin has no function {request.tok!r}; it has resources only")

    # Its end

    def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        """What waits now gives up at once, and leaves what it made on record."""
        self._cancelled.set()
        return empty_pb2.Empty()

    def _kind(self, request: Request) -> Kind[Any]:
        token = request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]
        if token not in self._kinds:
            raise NotFound(f"the alien plugin has no resource type {token!r}; it has {', '.join(sorted(self._kinds))}")
        return self._kinds[token]

    def _call(self, kind: Kind[Any], timeout_s: float = 0) -> Call:
        call = Call(self._root, timeout_s or None, self._cancelled)
        if kind.in_folder:
            _ = call.root  # it raises now, and not in the middle of the work
        return call


def _inputs(request: pb.DiffRequest | pb.UpdateRequest) -> Struct:
    """The inputs that the resource has now; an older engine tells only its outputs, which hold them too."""
    return cast("Struct", request.old_inputs if request.old_inputs.fields else request.olds)


def _wrong_root(root: object) -> str | None:
    if root is None:
        return None  # only the resources of `local` need one, and they say so
    if not isinstance(root, str):
        return f"must be an absolute path, not {root!r}"
    return None if Path(root).is_absolute() and Path(root) != Path("/") else f"must be an absolute path, not {root!r}"
