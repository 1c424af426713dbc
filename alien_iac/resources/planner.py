"""Plan, then build: components are recorded while the stack program runs, and checked and built when it has ended.

Pulumi's root stack registers its outputs once the program's own code is done, whatever its shape: a plain module, one
with invokes in the middle (which run the event loop early), an async program, `pulumi.run`. The planner stands in for
that one call. There an exception in flight means that the program failed half-way, and nothing is built.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.stack import Stack as RootStack

from alien_iac import platforms
from alien_iac.checks import config as reading
from alien_iac.checks import stack as checks
from alien_iac.checks.catalogue import finding
from alien_iac.errors import Missing, StackInvalid
from alien_iac.models.arguments import Kind, Provider
from alien_iac.models.declared import Declared, Stack, Support
from alien_iac.models.finding import Finding
from alien_iac.models.platform import Platform
from alien_iac.protocol import review
from alien_iac.protocol.outputs import KEY
from alien_iac.resources import artifacts, report
from alien_iac.resources.building import Builder, Site
from alien_iac.resources.context import Recorded
from alien_iac.resources.deployment import Deployment, deployment
from alien_iac.resources.surroundings import Packaged, Surroundings, real

_ATTRIBUTE = "_alien_planner"


class Refused(StackInvalid, pulumi.RunError):
    """The checks found errors. Pulumi's runtime prints a RunError once, and without a traceback."""


class Planner:
    """The components of one run of a stack program."""

    def __init__(self, around: Surroundings, register: Callable[[Any], None], *, planned: bool = False) -> None:
        self._around = around
        self._register = register
        self._planned = planned
        """Whether components that come now are checked and built alone."""
        self._late = False
        self._gave_up: Exception | None = None
        self._recorded: list[Recorded] = []
        self._ground = survey(around)
        deployment = self._ground.deployment
        self._builder = Builder(deployment, Site(deployment), {}) if deployment else None

    def record(self, component: Recorded) -> None:
        """Take a component in. One that comes after the plan is checked and built by itself."""
        self._recorded.append(component)
        if self._gave_up is not None:
            component.refuse(self._gave_up)
        elif self._planned:
            self._add(component)

    @property
    def declared(self) -> tuple[Declared, ...]:
        """The components that were recorded so far."""
        return tuple(component.declared for component in self._recorded)

    def logical_name(self, kind: str, resource_id: str) -> str:
        """The id, or another name where it is taken: a duplicate is a finding, not a clash of URNs in the engine."""
        taken = sum(1 for c in self._recorded if (c.kind, c.resource_id) == (kind, resource_id))
        return f"{resource_id}-{taken + 1}" if taken else resource_id

    def roles(self, kind: str) -> tuple[str, ...] | None:
        """The roles of a kind's native resources on this platform; None where the platform is not known."""
        return self._ground.support.roles.get(kind) if self._ground.support.roles else None

    def token_maker(self, kind: Kind) -> Provider | None:
        """Who makes the token that a workload of this kind asks for commands with; None where no Secret is needed.

        The control plane's are made by the vendor. An agent takes any that its Container shows; on `local` that is in a
        file. A Function asks no agent.
        """
        where = self._ground.deployment
        if where is None:
            return None
        if where.config.is_pushed:
            return "vendor"
        asks_agent = kind == "Container" and where.config.agent_url is not None
        return "generated" if asks_agent and where.platform is not Platform.LOCAL else None

    def provider(self) -> pulumi.ProviderResource:
        """The deployment's pinned provider. Raises Refused where the config does not say which."""
        if self._builder is None:
            raise Refused(self._ground.findings)
        return self._builder.site.provider()

    def plugin(self) -> pulumi.ProviderResource:
        """The deployment's provider of our own plugin. Raises as `provider` does."""
        if self._builder is None:
            raise Refused(self._ground.findings)
        return self._builder.site.plugin()

    def finish(self, outputs: Mapping[str, Any]) -> None:
        """The program has ended: plan and build, and register the stack's outputs. Raises Refused."""
        raised = sys.exc_info()[1]
        if raised is not None:
            self._give_up(raised)
            self._register(outputs)
            return
        try:
            told = self._build(outputs)
        except BaseException as error:
            self._give_up(error)
            if self._review and isinstance(error, Refused):
                report.refused(Path(self._review), error.findings)
            raise
        self._planned = self._late = True
        self._register({**outputs, **told})

    @property
    def _review(self) -> str:
        """The folder of the review that this run is for; empty for any other run."""
        return self._around.environ.get(review.FOLDER, "")

    def _build(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Build all, and return the outputs that we add."""
        stack, made, findings = self._check()
        if KEY in outputs:
            message = f'the stack program exports "{KEY}" itself'
            findings.append(finding("OUTPUT_RESERVED", KEY, message, "export it under another name"))
        builder = self._judge(findings)
        builder.build_all(self._recorded, stack, made)
        told = {review.KEY: report.built(builder.built, findings)} if self._review else {}
        return {KEY: builder.outputs(stack), **told}

    def _add(self, component: Recorded) -> None:
        try:
            stack, made, findings = self._check()
            name = component.resource_id
            about = [f for f in findings if f.resource == name or ":" in f.resource]  # its own, and the config's
            if self._late:
                message = "it was made after the stack was planned, so the agent does not watch it"
                about.append(finding("LATE", name, message, "make it in the program itself, not in an apply"))
            self._judge(about).build(component, stack, made)
        except BaseException as error:
            component.refuse(error)
            raise

    def _check(self) -> tuple[Stack, dict[str, Packaged], list[Finding]]:
        support, where = self._ground.support, self._ground.deployment
        there = artifacts.folders(self._around.program, where.artifacts if where else (), self.declared)
        made = self._gather(where, there) if where else artifacts.Gathered()
        components = self.declared
        images = support.image_needs_docker and any(c.workload and c.workload.image for c in components)
        stack = Stack(
            config=where.config if where else None,
            components=components,
            support=support,
            sources=there.sources,
            images=there.images,
            docker=images and self._around.has_docker(),
        )
        found = [*self._ground.findings, *checks.check(stack), *_of_platform(stack, where), *made.problems]
        return stack, dict(made.sources), found

    def _gather(self, where: Deployment, there: artifacts.Folders) -> artifacts.Gathered:
        """All artifacts; a component whose image was built goes by the image's reference from now on."""
        builds = not self._ground.support.image_needs_docker
        made = artifacts.gather(where, self.declared, there, self._around.package, images=builds)
        for component in self._recorded:
            if component.resource_id in made.images:
                component.settle(made.images[component.resource_id])
        return made

    def _judge(self, findings: list[Finding]) -> Builder:
        if self._builder is None or any(f.severity == "error" for f in findings):
            raise Refused(findings)
        for each in findings:
            (pulumi.log.warn if each.severity == "warning" else pulumi.log.info)(str(each))
        return self._builder

    def _give_up(self, reason: BaseException) -> None:
        ended = reason if isinstance(reason, Exception) else pulumi.RunError("the stack program ended early")
        self._gave_up = ended
        for component in self._recorded:
            component.refuse(ended)


def _of_platform(stack: Stack, where: Deployment | None) -> Iterable[Finding]:
    """What the platform's own checks, where it has some, find in the stack and in Pulumi's keys of its cloud."""
    if where is None or platforms.CHECKS not in stack.support.kinds:
        return ()
    found: Iterable[Finding] = platforms.load(where.platform, platforms.CHECKS)(stack, where.settings)
    return found


@dataclass(frozen=True)
class Ground:
    """Where the stack is to stand, as far as its config says so."""

    deployment: Deployment | None
    support: Support
    findings: tuple[Finding, ...]


def survey(around: Surroundings) -> Ground:
    """Read the config, and what the platform's package says of itself."""
    found = reading.read(around.config)
    if found.config is None:
        return Ground(None, Support(), found.findings)
    where = deployment(found.config, around)
    try:
        return Ground(where, platforms.support(where.platform), found.findings)
    except Missing as error:
        missing = finding("PLATFORM_MISSING", "alien:platform", error.message, error.hint or "")
        return Ground(where, Support(), (*found.findings, missing))


def install(around: Surroundings) -> Planner:
    """A planner for the program that now runs. Raises RunError where none runs."""
    root = pulumi.runtime.get_root_resource()
    if not isinstance(root, RootStack):
        raise pulumi.RunError("a component was made, and no Pulumi program runs; use alien_iac.testing in a test")
    # Tests under `pulumi.runtime.set_mocks` have a root that is finished from the start.
    planned = bool(getattr(root, "_outputs_registered", False))
    planner = Planner(around, root.register_outputs, planned=planned)
    root.register_outputs = planner.finish  # type: ignore[method-assign]  # the one call that Pulumi makes at the end
    setattr(root, _ATTRIBUTE, planner)
    return planner


def current() -> Planner:
    """The planner of the program that now runs, made for its first component."""
    found = getattr(pulumi.runtime.get_root_resource(), _ATTRIBUTE, None)
    return found if isinstance(found, Planner) else install(real())
