"""What the stack program talks to: the ResourceMonitor and Engine services over gRPC.

Every call has a thread of its own. Registrations are planned one by one in the order in which they came, and carried
out at once as far as they are independent, which the program itself says by awaiting what they need.
"""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

from alien_iac.engine import goals, urns, values, wire
from alien_iac.engine.defaults import DefaultProviders, Package
from alien_iac.engine.events import Events
from alien_iac.engine.executor import Executor, Gate, Stopped
from alien_iac.engine.goals import Goal
from alien_iac.engine.ledger import Ledger
from alien_iac.engine.model import UNKNOWN, Request, Resource
from alien_iac.engine.planner import Bail, Planner
from alien_iac.engine.providers import Provider, ProviderFailed
from alien_iac.engine.steps import Step
from alien_iac.errors import AlienError

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

GONE = "resource monitor shut down"


class Turns:
    """Lets one at a time in, in the order of arrival."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._waiting: deque[tuple[int, str]] = deque()
        self._moved = gate.moved
        self._tickets = itertools.count()

    @contextmanager
    def turn(self, urn: str) -> Iterator[None]:
        """Wait until all who came before are through. Raises Stopped when the update ends meanwhile."""
        with self._moved:
            mine = (next(self._tickets), urn)
            self._waiting.append(mine)
            while self._waiting[0] != mine and not self._gate.closed.is_set():
                self._moved.wait()
        try:
            if self._gate.closed.is_set():
                raise Stopped
            yield
        finally:
            with self._moved:
                self._waiting.remove(mine)
                self._moved.notify_all()

    def next_urn(self) -> str:
        """The URN of whoever comes after the one whose turn it is; empty if nobody waits."""
        with self._moved:
            return self._waiting[1][1] if len(self._waiting) > 1 else ""


@dataclass(kw_only=True)
class Parts:
    """What the services work with."""

    request: Request
    address: str
    """Where the services listen."""
    ledger: Ledger
    planner: Planner
    executor: Executor
    events: Events
    gate: Gate
    defaults: DefaultProviders
    provider: Callable[[str], Provider | None]
    turns: Turns
    outputs: dict[str, Any] | None = None
    """The outputs of the Pulumi stack itself, recorded when the update ends."""
    root: str = ""
    packages: dict[str, Package] = field(default_factory=dict)
    component_providers: dict[str, Mapping[str, str]] = field(default_factory=dict)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The ResourceMonitor service."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._namer = urns.Namer(parts.request.stack, parts.request.project)
        self._preview = parts.request.dry

    def SupportsFeature(  # noqa: N802 (gRPC's name)
        self,
        request: resource_pb2.SupportsFeatureRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> resource_pb2.SupportsFeatureResponse:
        """Whether the engine has one feature."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURES)

    def GetDeploymentInfo(  # noqa: N802 (gRPC's name)
        self,
        request: empty_pb2.Empty,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> resource_pb2.DeploymentInfo:
        """What is being deployed, and the features of the engine."""
        asked = self._parts.request
        return resource_pb2.DeploymentInfo(
            project=asked.project,
            stack=asked.stack,
            organization=asked.organization,
            config=dict(asked.config),
            configSecretKeys=sorted(asked.secret_keys),
            dryRun=self._preview,
            parallel=asked.parallel,
            supportedFeatures=list(FEATURES.values()),
        )

    def RegisterPackage(  # noqa: N802 (gRPC's name)
        self, request: resource_pb2.RegisterPackageRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterPackageResponse:
        """Remember which plugin serves a package. Parameterized packages need the CLI."""
        if request.HasField("parameterization") or request.HasField("extension"):
            _abort(
                context,
                f"package {request.name!r} is parameterized, which the embedded engine does not support; {goals.CLI}",
            )
        ref = f"{request.name}@{request.version}@{request.download_url}"
        self._parts.packages[ref] = Package(request.name, request.version, request.download_url)
        return resource_pb2.RegisterPackageResponse(ref=ref)

    def RegisterResource(  # noqa: N802 (gRPC's name)
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        """Make a resource what the program wants it to be."""
        with self._answering(context):
            return self._register(request)
        raise AssertionError(GONE)

    def ReadResource(  # noqa: N802 (gRPC's name)
        self, request: resource_pb2.ReadResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ReadResourceResponse:
        """Read a resource that somebody else owns."""
        with self._answering(context):
            return self._read(request)
        raise AssertionError(GONE)

    def RegisterResourceOutputs(  # noqa: N802 (gRPC's name)
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Record a component's outputs. Those of the Pulumi stack are kept until the update ends."""
        outputs = values.downgraded(wire.hashed(wire.properties(request.outputs), self._parts.request.main))
        with self._answering(context):
            if urns.type_of(request.urn) == urns.ROOT:
                self._parts.outputs, self._parts.root = outputs, request.urn
            elif not self._parts.executor.register_outputs(request.urn, outputs):
                raise self._parts.planner.bail(
                    f"cannot complete a resource '{request.urn}' whose registration isn't pending", request.urn
                )
        return empty_pb2.Empty()

    def Invoke(  # noqa: N802 (gRPC's name)
        self, request: resource_pb2.ResourceInvokeRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ResourceInvokeResponse:
        """Call a provider's function."""
        token = request.tok
        try:
            provider = self._invoked(
                token, request.provider, request.version, request.pluginDownloadURL, request.packageRef
            )
            args = values.downgraded(wire.properties(request.args))
            found, failures = provider.invoke(token, args, preview=self._preview)
        except AlienError as error:
            _abort(context, f"invocation of {token} returned an error: {error.message}")
        if not request.acceptResources and token != "pulumi:pulumi:getResource":  # noqa: S105 (a function's token)
            found = values.without_references(found)
        answer = resource_pb2.ResourceInvokeResponse(
            failures=[provider_pb2.CheckFailure(property=p, reason=r) for p, r in failures]
        )
        getattr(answer, "return").CopyFrom(wire.struct(found))
        return answer

    def Call(  # noqa: N802 (gRPC's name)
        self, request: resource_pb2.ResourceCallRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CallResponse:
        """Call a resource's method, by the provider of that resource."""
        forwarded = provider_pb2.CallRequest(
            tok=request.tok,
            args=request.args,
            project=self._parts.request.project,
            stack=self._parts.request.stack,
            organization=self._parts.request.organization,
            config=dict(self._parts.request.config),
            configSecretKeys=sorted(self._parts.request.secret_keys),
            dryRun=self._preview,
            parallel=self._parts.request.parallel,
        )
        for name, given in request.argDependencies.items():
            forwarded.argDependencies[name].urns.extend(given.urns)
        owner = wire.properties(request.args).get("__self__")
        urn = owner.get("urn", "") if isinstance(owner, dict) else ""
        ref = request.provider or (made.provider if (made := self._parts.ledger.made(urn)) else "")
        try:
            provider = self._invoked(request.tok, ref, request.version, request.pluginDownloadURL, request.packageRef)
            return provider.call(forwarded)
        except AlienError as error:
            _abort(context, f"call of {request.tok} returned an error: {error.message}")

    def SignalAndWaitForShutdown(  # noqa: N802 (gRPC's name)
        self,
        request: empty_pb2.Empty,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> empty_pb2.Empty:
        """The program needs not wait: it has no hooks that would run later."""
        return empty_pb2.Empty()

    @contextmanager
    def _answering(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Ends the update on an error, and tells the program that the monitor is gone."""
        parts = self._parts
        try:
            yield
        except Stopped:
            pass
        except Bail:
            parts.gate.end()
        except AlienError as error:
            parts.events.diagnostic("error", str(error))
            parts.gate.end()
        else:
            return
        context.abort(grpc.StatusCode.UNAVAILABLE, GONE)

    def _register(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        parts = self._parts
        goal = goals.parse(request, self._namer, parts.request.main, parts.planner.seen.goals.get(request.parent))
        with parts.turns.turn(goal.urn):
            goal = self._with_provider(goal, request)
            planned = parts.planner.plan(goal)
            following = parts.turns.next_urn()
            if following in parts.planner.seen.urns:
                parts.planner.claim(following, "")
            admitted = parts.executor.admit()
        made, failed = self._carry_out(planned, admitted=admitted)
        outputs = dict(made.outputs)
        if not request.acceptSecrets:
            outputs = values.bare(outputs)
        if not request.acceptResources:
            outputs = values.without_references(outputs)
        if not request.supportsPartialValues:
            outputs = {k: v for k, v in outputs.items() if not values.has_unknown(v)}
        return resource_pb2.RegisterResourceResponse(
            urn=made.urn,
            id="" if made.id == UNKNOWN and not urns.is_provider(made.type) else made.id,
            object=wire.struct(outputs),
            result=resource_pb2.FAIL if failed else resource_pb2.SUCCESS,
            unknown=any(step.skipped for step in planned),
        )

    def _carry_out(self, planned: list[Step], *, admitted: bool) -> tuple[Resource, bool]:
        """Do planned steps. What they made, and whether they failed while the rest of the update goes on."""
        last = next(step for step in reversed(planned) if step.new is not None)
        assert last.new is not None  # noqa: S101 (said by the line above)
        blocked = self._parts.executor.blocked(last.new)
        chain = [] if blocked else planned
        made = self._parts.executor.run(chain, deleted=self._parts.planner.seen.deleted, admitted=admitted)
        if made is None and self._parts.gate.closed.is_set():
            raise Stopped
        return made or last.new, made is None

    def _with_provider(self, goal: Goal, request: resource_pb2.RegisterResourceRequest) -> Goal:
        parts = self._parts
        above = parts.planner.seen.goals.get(goal.parent)
        if not goal.custom:
            inherited = parts.component_providers.get(goal.parent, {})
            parts.component_providers[goal.urn] = {**inherited, **request.providers}
            return goal
        package = parts.packages.get(request.packageRef)
        wanted = package or Package(urns.package_of(goal.type), request.version, request.pluginDownloadURL)
        if urns.is_provider(goal.type):
            return replace(goal, inputs=parts.defaults.with_plugin(goal.inputs, wanted))
        inherited = parts.component_providers.get(goal.parent, {})
        ref = request.provider or request.providers.get(wanted.name) or inherited.get(wanted.name, "")
        if not ref and above and above.provider:
            same = urns.package_of(urns.type_of(urns.referred(above.provider)[0])) == wanted.name
            ref = above.provider if same else ""
        return replace(goal, provider=ref or self._default(wanted))

    def _default(self, wanted: Package) -> str:
        """The reference of the default provider of a package, registered first if need be."""
        parts = self._parts
        known = parts.defaults.find(wanted)
        if known:
            return known
        planned = parts.planner.plan(parts.defaults.goal(wanted, self._namer))
        made, failed = self._carry_out(planned, admitted=False)
        if failed:
            raise Stopped
        return parts.defaults.remember(wanted, made)

    def _invoked(self, token: str, ref: str, version: str, url: str, package: str) -> Provider:
        wanted = self._parts.packages.get(package) or Package(urns.package_of(token), version, url)
        if not ref:
            with self._parts.turns.turn(""):
                ref = self._default(wanted)
        if ref == "denied":
            raise ProviderFailed(
                f"Default provider for '{wanted.name}' disabled. '{token}' must use an explicit provider."
            )
        provider = self._parts.provider(ref)
        if provider is None:
            raise ProviderFailed(f"unknown provider '{ref}'")
        return provider

    def _read(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        parts = self._parts
        package = parts.packages.get(request.packageRef)
        wanted = package or Package(urns.package_of(request.type), request.version, request.pluginDownloadURL)
        urn = self._namer.urn(request.parent, request.type, request.name)
        inputs = values.downgraded(wire.properties(request.properties))
        with parts.turns.turn(urn):
            new = Resource(
                urn=urn,
                type=request.type,
                custom=True,
                external=True,
                id=request.id,
                parent=request.parent,
                provider=request.provider or self._default(wanted),
                inputs=inputs,
                dependencies=tuple(dict.fromkeys(request.dependencies)),
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
            )
            planned = parts.planner.read(new)
            admitted = parts.executor.admit()
        made, failed = self._carry_out(planned, admitted=admitted)
        outputs: Any = dict(made.outputs) if request.acceptSecrets else values.bare(dict(made.outputs))
        outputs = outputs if request.acceptResources else values.without_references(outputs)
        result = resource_pb2.FAIL if failed else resource_pb2.SUCCESS
        return resource_pb2.ReadResourceResponse(
            urn=made.urn, id=made.id, properties=wire.struct(outputs), result=result
        )


class Engine(engine_pb2_grpc.EngineServicer):
    """The Engine service: log lines of the program and the plugins, and which resource is the root."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002
        """Say something to the user."""
        severity = {0: "debug", 1: "info", 2: "warning", 3: "error"}[request.severity]
        farewell = severity == "error" and not request.urn and self._parts.gate.closed.is_set()
        if severity != "debug" and not farewell:  # a program that was stopped says that the monitor is gone
            self._parts.events.diagnostic(
                severity, request.message, request.urn, request.streamId, ephemeral=request.ephemeral
            )
        return empty_pb2.Empty()

    def GetRootResource(  # noqa: N802 (gRPC's name)
        self,
        request: engine_pb2.GetRootResourceRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> engine_pb2.GetRootResourceResponse:
        """The Pulumi stack's own resource."""
        return engine_pb2.GetRootResourceResponse(urn=self._parts.root)

    def SetRootResource(  # noqa: N802 (gRPC's name)
        self,
        request: engine_pb2.SetRootResourceRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> engine_pb2.SetRootResourceResponse:
        """Remember the Pulumi stack's own resource."""
        self._parts.root = request.urn
        return engine_pb2.SetRootResourceResponse()


def _abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError(message)
