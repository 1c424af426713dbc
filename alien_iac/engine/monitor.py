"""What the stack program talks to: the ResourceMonitor and Engine services over gRPC, a thread for each call."""

# gRPC names the methods and their arguments:
# ruff: noqa: N802, ARG002

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

from alien_iac.engine import goals, values, wire
from alien_iac.engine.defaults import Package
from alien_iac.engine.planner import Bail
from alien_iac.engine.registrations import Parts, Registrations
from alien_iac.engine.turns import TICKET, Stopped, Turns
from alien_iac.errors import AlienError

T = TypeVar("T")

FEATURES = {
    "secrets": resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    "resourceReferences": resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    "outputValues": resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    "aliasSpecs": resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    "deletedWith": resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    "replaceWith": resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    "replacementTrigger": resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    "parameterization": resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
}
"""What this engine has. Transforms and hooks are missing, and the SDK says so to a program that uses them."""

SEVERITIES = {
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}

GONE = "resource monitor shut down"


class Arrivals(grpc.ServerInterceptor):
    """Notes in which order registrations arrive: it is called one by one, before a thread takes each of them."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """The handler of a call; for a registration, one that takes its turn in the order of arrival."""
        handler = continuation(handler_call_details)
        if not handler_call_details.method.endswith(("/RegisterResource", "/ReadResource")):
            return handler
        ticket = self._turns.arrive()

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            token = TICKET.set(ticket)
            try:
                return handler.unary_unary(request, context)
            finally:
                TICKET.reset(token)
                self._turns.leave(ticket)

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The ResourceMonitor service."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registrations = Registrations(parts)

    def SupportsFeature(
        self, request: resource_pb2.SupportsFeatureRequest, context: grpc.ServicerContext
    ) -> resource_pb2.SupportsFeatureResponse:
        """Whether the engine has one feature."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURES)

    def GetDeploymentInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> resource_pb2.DeploymentInfo:
        """What is being deployed, and the features of the engine."""
        asked = self._parts.request
        return resource_pb2.DeploymentInfo(
            project=asked.project,
            stack=asked.stack,
            organization=asked.organization,
            config=dict(asked.config),
            configSecretKeys=sorted(asked.secret_keys),
            dryRun=asked.dry,
            parallel=asked.parallel,
            supportedFeatures=list(FEATURES.values()),
        )

    def RegisterPackage(
        self, request: resource_pb2.RegisterPackageRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterPackageResponse:
        """Remember which plugin serves a package. Parameterized packages need the CLI."""
        if request.HasField("parameterization") or request.HasField("extension"):
            what = f"package {request.name!r} is parameterized, which the embedded engine does not support"
            _abort(context, f"{what}; {goals.CLI}")
        ref = f"{request.name}@{request.version}@{request.download_url}"
        self._parts.packages[ref] = Package(request.name, request.version, request.download_url)
        return resource_pb2.RegisterPackageResponse(ref=ref)

    def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        """Make a resource what the program wants it to be."""
        return self._answer(context, lambda: self._registrations.register(request))

    def ReadResource(
        self, request: resource_pb2.ReadResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ReadResourceResponse:
        """Read a resource that somebody else owns."""
        return self._answer(context, lambda: self._registrations.read(request))

    def RegisterResourceOutputs(
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Record a component's outputs."""
        self._answer(context, lambda: self._registrations.outputs(request.urn, request.outputs))
        return empty_pb2.Empty()

    def Invoke(
        self, request: resource_pb2.ResourceInvokeRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ResourceInvokeResponse:
        """Call a provider's function."""
        args = values.downgraded(wire.properties(request.args))

        def ask() -> tuple[dict[str, Any], list[tuple[str, str]]]:
            return self._registrations.invoked(request).invoke(request.tok, args, preview=self._parts.request.dry)

        found, failures = _asked(context, f"invocation of {request.tok} returned an error", ask)
        if not request.acceptResources and request.tok != "pulumi:pulumi:getResource":
            found = values.without_references(found)
        refused = [provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in failures]
        answer = resource_pb2.ResourceInvokeResponse(failures=refused)
        getattr(answer, "return").CopyFrom(wire.struct(found))
        return answer

    def Call(
        self, request: resource_pb2.ResourceCallRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CallResponse:
        """Call a resource's method, by the provider of that resource."""
        asked = self._parts.request
        forwarded = provider_pb2.CallRequest(
            tok=request.tok,
            args=request.args,
            project=asked.project,
            stack=asked.stack,
            organization=asked.organization,
            config=dict(asked.config),
            configSecretKeys=sorted(asked.secret_keys),
            dryRun=asked.dry,
            parallel=asked.parallel,
        )
        for name, given in request.argDependencies.items():
            forwarded.argDependencies[name].urns.extend(given.urns)
        what = f"call of {request.tok} returned an error"
        return _asked(context, what, lambda: self._registrations.invoked(request).call(forwarded))

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """The program needs not wait: it has no hooks that would run later."""
        return empty_pb2.Empty()

    def _answer(self, context: grpc.ServicerContext, ask: Callable[[], T]) -> T:
        """The answer. An error ends the update, and the program is told that the monitor is gone."""
        try:
            return ask()
        except Stopped:
            pass  # why was said where it happened
        except Bail:
            self._parts.gate.end()
        except AlienError as error:
            self._parts.events.diagnostic("error", str(error))
            self._parts.gate.end()
        context.abort(grpc.StatusCode.UNAVAILABLE, GONE)
        raise AssertionError(GONE)


class Engine(engine_pb2_grpc.EngineServicer):
    """The Engine service: log lines of the program and the plugins, and which resource is the root."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Say something to the user. A program that was stopped says that the monitor is gone; that is left out."""
        severity = SEVERITIES.get(request.severity)
        farewell = severity == "error" and not request.urn and self._parts.gate.closed.is_set()
        if severity and not farewell:
            self._parts.events.diagnostic(
                severity, request.message, request.urn, request.streamId, ephemeral=request.ephemeral
            )
        return empty_pb2.Empty()

    def GetRootResource(
        self, request: engine_pb2.GetRootResourceRequest, context: grpc.ServicerContext
    ) -> engine_pb2.GetRootResourceResponse:
        """The Pulumi stack's own resource."""
        return engine_pb2.GetRootResourceResponse(urn=self._parts.root)

    def SetRootResource(
        self, request: engine_pb2.SetRootResourceRequest, context: grpc.ServicerContext
    ) -> engine_pb2.SetRootResourceResponse:
        """Remember the Pulumi stack's own resource."""
        self._parts.root = request.urn
        return engine_pb2.SetRootResourceResponse()


def _asked(context: grpc.ServicerContext, what: str, ask: Callable[[], T]) -> T:
    """The answer of a provider to the program. An error is the program's to deal with."""
    try:
        return ask()
    except Stopped:
        _abort(context, GONE, grpc.StatusCode.UNAVAILABLE)
    except AlienError as error:
        _abort(context, f"{what}: {error.message}")


def _abort(context: grpc.ServicerContext, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> NoReturn:
    context.abort(code, message)
    raise AssertionError(message)
