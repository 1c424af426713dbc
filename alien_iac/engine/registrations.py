"""Registrations, reads and invokes of a stack program: from the request to the answer.

They are planned one by one in the order in which they came, and carried out at once as far as they are independent,
which the program itself says by awaiting what they need.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.runtime.proto import resource_pb2

from alien_iac.engine import goals, urns, values, wire
from alien_iac.engine.defaults import DENIED, DefaultProviders, Package
from alien_iac.engine.events import Events
from alien_iac.engine.executor import Executor
from alien_iac.engine.goals import Goal
from alien_iac.engine.ledger import Ledger
from alien_iac.engine.model import UNKNOWN, Properties, Request, Resource
from alien_iac.engine.planner import Planner
from alien_iac.engine.providers import Provider, ProviderFailed
from alien_iac.engine.steps import Step
from alien_iac.engine.turns import Gate, Stopped, Turns


@dataclass(kw_only=True)
class Parts:
    """What one update works with."""

    request: Request
    address: str
    """Where the engine's services listen."""
    ledger: Ledger
    planner: Planner
    executor: Executor
    events: Events
    gate: Gate
    turns: Turns
    defaults: DefaultProviders
    provider: Callable[[str], Provider | None]
    outputs: dict[str, Any] | None = None
    """The outputs of the Pulumi stack itself, recorded when the update ends."""
    root: str = ""
    packages: dict[str, Package] = field(default_factory=dict)
    component_providers: dict[str, Mapping[str, str]] = field(default_factory=dict)


class Registrations:
    """What the program asks for, one method a kind of request. Each may be called from any thread.

    All raise UpdateFailed for what goes wrong, and Stopped when the update ends meanwhile.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turns = parts.turns
        self._namer = urns.Namer(parts.request.stack, parts.request.project)

    def register(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        """Make a resource what the program wants it to be."""
        parts = self._parts
        above = parts.planner.seen.goals.get(request.parent)
        folders = {"program": parts.request.main, "root": parts.request.work_dir}
        goal = goals.parse(request, self._namer, above, **folders)
        with self._turns.turn(goal.urn):
            planned = parts.planner.plan(self._with_provider(goal, request))
            following = self._turns.next_urn()
            if following in parts.planner.seen.urns:
                parts.planner.claim(following, "")  # a duplicate is refused before this one begins
            admitted = parts.executor.admit()
        made, failed = self._carry_out(planned, admitted=admitted)
        outputs = _acceptable(made.outputs, secrets=request.acceptSecrets, references=request.acceptResources)
        if not request.supportsPartialValues:
            outputs = {k: v for k, v in outputs.items() if not values.has_unknown(v)}
        return resource_pb2.RegisterResourceResponse(
            urn=made.urn,
            id="" if made.id == UNKNOWN and not urns.is_provider(made.type) else made.id,
            object=wire.struct(outputs),
            result=resource_pb2.FAIL if failed else resource_pb2.SUCCESS,
            unknown=any(step.skipped for step in planned),
        )

    def read(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        """Read a resource that somebody else owns."""
        parts = self._parts
        wanted = self._package(request.type, request.version, request.pluginDownloadURL, request.packageRef)
        new = Resource(
            urn=self._namer.urn(request.parent, request.type, request.name),
            type=request.type,
            custom=True,
            external=True,
            id=request.id,
            parent=request.parent,
            provider=request.provider,
            inputs=values.downgraded(wire.properties(request.properties)),
            dependencies=tuple(dict.fromkeys(request.dependencies)),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )
        with self._turns.turn(new.urn):
            planned = parts.planner.read(replace(new, provider=new.provider or self._default(wanted)))
            admitted = parts.executor.admit()
        made, failed = self._carry_out(planned, admitted=admitted)
        outputs = _acceptable(made.outputs, secrets=request.acceptSecrets, references=request.acceptResources)
        result = resource_pb2.FAIL if failed else resource_pb2.SUCCESS
        return resource_pb2.ReadResourceResponse(
            urn=made.urn, id=made.id, properties=wire.struct(outputs), result=result
        )

    def outputs(self, urn: str, message: Any) -> None:
        """Record a component's outputs. Those of the Pulumi stack are kept until the update ends."""
        parts = self._parts
        outputs = values.downgraded(wire.hashed(wire.properties(message), parts.request.main))
        if urns.type_of(urn) == urns.ROOT:
            parts.outputs, parts.root = outputs, urn
        elif not parts.executor.register_outputs(urn, outputs):
            raise parts.planner.bail(f"cannot complete a resource '{urn}' whose registration isn't pending", urn)

    def invoked(self, request: resource_pb2.ResourceInvokeRequest | resource_pb2.ResourceCallRequest) -> Provider:
        """The provider of a function or a method. Raises ProviderFailed."""
        parts, ref = self._parts, request.provider
        wanted = self._package(request.tok, request.version, request.pluginDownloadURL, request.packageRef)
        if isinstance(request, resource_pb2.ResourceCallRequest) and not ref:
            owner = wire.properties(request.args).get("__self__")
            made = parts.ledger.made(str(owner.get("urn"))) if isinstance(owner, dict) else None
            ref = made.provider if made else ""
        if not ref:
            with self._turns.turn(""):
                ref = self._default(wanted)
        if ref == DENIED:
            what = f"'{request.tok}' must use an explicit provider."
            raise ProviderFailed(f"Default provider for '{wanted.name}' disabled. {what}")
        provider = parts.provider(ref)
        if provider is None:
            raise ProviderFailed(f"unknown provider '{ref}'")
        return provider

    def _carry_out(self, planned: list[Step], *, admitted: bool) -> tuple[Resource, bool]:
        """Do planned steps. What they made, and whether they failed while the rest of the update goes on."""
        parts = self._parts
        last = next(step.new for step in reversed(planned) if step.new is not None)
        blocked = parts.executor.blocked(last)
        chain = [] if blocked else planned
        made = parts.executor.run(chain, deleted=parts.planner.seen.deleted, admitted=admitted)
        if made is None and parts.gate.closed.is_set():
            raise Stopped
        return made or last, made is None

    def _package(self, token: str, version: str, url: str, ref: str) -> Package:
        return self._parts.packages.get(ref) or Package(urns.package_of(token), version, url)

    def _with_provider(self, goal: Goal, request: resource_pb2.RegisterResourceRequest) -> Goal:
        """The goal with its provider: its own, its parents', or the default one."""
        parts = self._parts
        inherited = parts.component_providers.get(goal.parent, {})
        if not goal.custom:
            parts.component_providers[goal.urn] = {**inherited, **request.providers}
            return goal
        wanted = self._package(goal.type, request.version, request.pluginDownloadURL, request.packageRef)
        if urns.is_provider(goal.type):
            return replace(goal, inputs=parts.defaults.with_plugin(goal.inputs, wanted))
        ref = request.provider or request.providers.get(wanted.name) or inherited.get(wanted.name, "")
        above = parts.planner.seen.goals.get(goal.parent)
        if not ref and above and above.provider:
            same = urns.package_of(urns.type_of(urns.referred(above.provider)[0])) == wanted.name
            ref = above.provider if same else ""
        return replace(goal, provider=ref or self._default(wanted))

    def _default(self, wanted: Package) -> str:
        """The reference of the default provider of a package, registered first if need be. Needs the turn."""
        parts = self._parts
        if known := parts.defaults.find(wanted):
            return known
        planned = parts.planner.plan(parts.defaults.goal(wanted, self._namer))
        made, failed = self._carry_out(planned, admitted=False)
        if failed:
            raise Stopped
        return parts.defaults.remember(wanted, made)


def _acceptable(outputs: Properties, *, secrets: bool, references: bool) -> dict[str, Any]:
    """Outputs in the form that the program's SDK understands."""
    known = dict(outputs) if secrets else values.bare(dict(outputs))
    return dict(known if references else values.without_references(known))
