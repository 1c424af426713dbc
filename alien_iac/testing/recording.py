"""Runs a stack program without an engine, a provider or a cloud, and tells what it would have registered.

    recording = record(program, surroundings(tmp_path, config_for("local")))
    assert recording.codes == ()
    assert recording.one("alien:local:Directory", "files").protect

The program lives its whole life: it runs, and its components are checked and built when it has ended.
"""

import asyncio
import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack

from alien_iac import platforms
from alien_iac.errors import StackInvalid
from alien_iac.models.finding import Finding
from alien_iac.models.purpose import Purpose
from alien_iac.resources import planner
from alien_iac.resources.surroundings import Packager, Surroundings
from alien_iac.testing.monitor import PROJECT, STACK, Messages, Monitor, Outputs, Resource, no_outputs

PREFIX = "acme-x1y2z3"
_SUBNETS = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/network"
    "/providers/Microsoft.Network/virtualNetworks/acme/subnets"
)
KEYS: Mapping[str, Mapping[str, Any]] = {
    "aws": {
        "aws:region": "eu-central-1",
        "aws:allowedAccountIds": '["123456789012"]',
        "alien:network": (
            '{"vpc": "vpc-0a1b2c3d", "private": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],'
            ' "public": ["subnet-2a1b2c3d", "subnet-3a1b2c3d"]}'
        ),
    },
    "azure": {
        "azure-native:location": "westeurope",
        "azure-native:subscriptionId": "00000000-0000-0000-0000-000000000001",
        "azure-native:tenantId": "00000000-0000-0000-0000-000000000002",
        "azure-native:clientId": "00000000-0000-0000-0000-000000000003",
        "alien-azure:application": "00000000-0000-0000-0000-000000000004",
        "alien:network": json.dumps({part: f"{_SUBNETS}/{part}" for part in ("functions", "internal", "public")}),
    },
    "gcp": {
        "gcp:project": "acme-project",
        "gcp:region": "europe-west1",
        "alien:network": "projects/acme-project/regions/europe-west1/subnetworks/apps",
    },
}
"""Keys by platform: a place that every test may say it is in, and a network of the customer's there."""

Program = Callable[[], Any]
Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a stack program did."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    """The stack's outputs."""
    findings: tuple[Finding, ...]
    """Of the checks, where they refused the stack."""
    messages: tuple[str, ...]
    """What was logged: warnings and notes."""
    error: Exception | None = None
    """What ended the program, if something did."""

    def of_type(self, token: str) -> tuple[Resource, ...]:
        """The resources of a type."""
        return tuple(r for r in self.resources if r.type == token)

    def one(self, token: str, name: str) -> Resource:
        """The resource of a type and a name. LookupError, with what there is, where there is none."""
        for resource in self.resources:
            if (resource.type, resource.name) == (token, name):
                return resource
        there = ", ".join(f"{r.type} {r.name}" for r in self.resources)
        raise LookupError(f"there is no {token} {name}; there is {there or 'nothing'}")

    def children(self, parent: Resource) -> tuple[Resource, ...]:
        """The resources right below another."""
        return tuple(r for r in self.resources if r.parent == parent.urn)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the findings, in their order."""
        return tuple(finding.code for finding in self.findings)


@dataclass(frozen=True)
class Artifact:
    """What `package` makes."""

    path: Path
    sha256: str


def package(source: Path, purpose: Purpose, cache: Path) -> Artifact:
    """An artifact by the name of its folder; nothing is read or written."""
    return Artifact(cache / f"{source.name}-{purpose.platform}.zip", source.name.encode().hex().ljust(64, "0")[:64])


def config_for(platform: str, **more: Any) -> dict[str, Any]:
    """A deployment's config: platform, place and prefix, and further `alien:` keys by keyword."""
    ours = {"alien:platform": str(platform), "alien:prefix": PREFIX}
    return {**KEYS.get(platform, {}), **ours, **{f"alien:{key}": value for key, value in more.items()}}


def surroundings(
    program: Path,
    config: Mapping[str, Any],
    *,
    environ: Mapping[str, str] | None = None,
    packager: Packager = package,
    docker: bool = False,
) -> Surroundings:
    """Surroundings of a stack program in a folder: the real files there, and nothing else that is real."""
    return Surroundings(
        config=config,
        environ=environ or {},
        project=PROJECT,
        stack=STACK,
        program=program,
        root=program,
        package=packager,
        has_docker=lambda: docker,
    )


def record(
    program: Program,
    around: Surroundings,
    *,
    preview: bool = False,
    answers: Answers | None = None,
    outputs: Outputs | None = None,
) -> Recording:
    """Run a stack program to its end, and tell what it did. It may be sync or async, and may call `pulumi.run`.

    `preview`: outputs of resources are unknown. `answers`: the outputs of a resource by its type, and of an invoke by
    its token. `outputs`: what tells the outputs of every resource, where the platform's made-up ones will not do.
    """
    monitor = Monitor(answers or {}, preview=preview, synthetic=outputs or _synthetic(around))
    return contextvars.copy_context().run(_record, program, around, monitor, preview=preview)


def _synthetic(around: Surroundings) -> Outputs:
    """What the platform's package makes up for the outputs of its resources, where it does."""
    named = around.config.get("alien:platform")
    for platform in platforms.installed():
        if platform == named and platforms.OFFLINE in platforms.support(platform).kinds:
            made: Outputs = platforms.load(platform, platforms.OFFLINE)(around.config)
            return made
    return no_outputs


def _record(program: Program, around: Surroundings, monitor: Monitor, *, preview: bool) -> Recording:
    messages = Messages()
    settings.configure(
        mocks.MockSettings(  # type: ignore[no-untyped-call]  # Pulumi's own mocks are untyped
            monitor=monitor,
            monitor_features=monitor.features,
            engine=mocks.MockEngine(messages.logger),
            project=around.project,
            stack=around.stack,
            dry_run=preview,
            outputs=set(),
            lock=threading.Lock(),
            callbacks=None,
            package_refs={},
            base_providers_by_ref={},
        )
    )
    settings.set_root_resource(None)  # type: ignore[arg-type]  # a test before may have left one
    pulumi_config.set_all_config({key: str(value) for key, value in around.config.items()})
    error = _run(program, around)
    return Recording(
        resources=monitor.registered,
        outputs=monitor.stack_outputs,
        findings=error.findings if isinstance(error, StackInvalid) else (),
        messages=tuple(messages.texts),
        error=error,
    )


def _run(program: Program, around: Surroundings) -> Exception | None:
    def main() -> Any:
        planner.install(around)
        return program()

    with asyncio.Runner() as runner:
        # The first failure is the result, and what follows from it is not worth a line.
        runner.get_loop().set_exception_handler(lambda *_: None)
        try:
            runner.run(run_in_stack(main))
        except Exception as ended:  # noqa: BLE001 - whatever ended the program is the result
            return ended
    return None
