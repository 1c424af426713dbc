"""What is done to one Pulumi stack, through Pulumi's Automation API, with the CLI or with the embedded engine.

| function | Pulumi's lock | writes state | may be repeated |
|---|---|---|---|
| preview | no | no | yes |
| up, refresh | yes | yes | yes |
| destroy | yes | yes | yes; data that outlives the stack stays |
| outputs | no | no | yes |
| cancel | removes it | no | only when the process that held it is dead |

This is the one door to `pulumi.automation`: above it there are frozen data and errors of our own tree.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pulumi import automation as pulumi_automation
from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError
from pulumi.automation.events import EngineEvent, StepEventMetadata

from alien_iac import errors, programs, projects, steps
from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.models.platform import Platform
from alien_iac.programs import Program
from alien_iac.protocol import outputs as deployment_outputs
from alien_iac.protocol.outputs import DeploymentOutputs, Kept
from alien_iac.steps import Journal, Observer, Step, quiet

ENGINE = "ALIEN_ENGINE"
"""Environment variable that chooses the engine: `cli` or `embedded`. Unset: the CLI where it is on PATH."""
PARALLEL = 16
PLUGIN = "pulumi-resource-alien"
_LOCAL = frozenset({"--exec-kind", "auto.local"})


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One Pulumi stack: where its project is, which engine serves it, and what engine and program are given."""

    folder: Path
    """The folder of `Pulumi.yaml`."""
    name: str
    program: Program
    command: PulumiCommand = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Over the environment of this process: the state's place, the passphrase's file, credentials of a cloud."""
    home: Path | None = None
    """The engine's own folder, where it is not to be that of the user."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an update or a preview did: steps by operation, the stack's outputs, and what was said on the way."""

    changes: Mapping[str, int]
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    messages: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    """The Pulumi packages whose resources the program has: `alien`, `aws`."""
    touched: frozenset[str] = frozenset()
    """The ids of our components that were there before and of which something changes."""

    @property
    def deployment(self) -> DeploymentOutputs | None:
        """What the planner says of the deployment; None where the program has no component of ours."""
        told = self.outputs.get(deployment_outputs.KEY)
        return DeploymentOutputs.model_validate(told) if told else None


def find_engine(platform: str, environment: Mapping[str, str] = os.environ) -> PulumiCommand:
    """The engine for a platform. Keep it: it holds keys that take a while to derive.

    Raises Missing where a cloud platform has no Pulumi CLI, InvalidInput for an unknown choice.
    """
    wanted = environment.get(ENGINE, "")
    if wanted not in {"", "cli", "embedded"}:
        raise errors.InvalidInput(f'{ENGINE} is "{wanted}"', hint="set it to cli or embedded, or leave it unset")
    if wanted != "embedded":
        if shutil.which("pulumi", path=environment.get("PATH")):
            return PulumiCommand()
        if (installed_cli() / "bin" / "pulumi").exists():
            return PulumiCommand(root=str(installed_cli()))
    if wanted == "cli" or platform != "local":
        why = f"{ENGINE} asks for it" if wanted == "cli" else f"deployments to {platform} need it"
        raise errors.Missing(f"the Pulumi CLI is not on PATH, and {why}", hint="install it: alien doctor --install")
    return EmbeddedPulumi()


def installed_cli() -> Path:
    """Where the SDK's own installer puts the CLI of its version."""
    return Path.home() / ".pulumi" / "versions" / metadata.version("pulumi")


def install_cli(root: Path | None = None) -> Path:
    """Install the Pulumi CLI by the SDK's installer, and return its folder. Raises Unavailable where that fails."""
    place = root or installed_cli()
    try:
        PulumiCommand.install(root=str(place))
    except Exception as error:  # the installer raises whatever its download or its shell raises
        raise errors.Unavailable(
            f"the Pulumi CLI could not be installed in {place}: {error}",
            hint="install it by hand as Pulumi's documentation says, and put it on PATH",
        ) from error
    return place


def open_stack(folder: Path, name: str) -> Stack:
    """The Pulumi stack of a customer in a developer's checkout; its program's child gets this process's environment.

    Raises NotFound where there is no project or no `Pulumi.<name>.yaml`, ConfigInvalid where no platform is set.
    """
    project = projects.find(folder)
    settings = project.stack_file(name)
    if not settings.is_file():
        raise errors.NotFound(f"there is no {settings}", hint=f"make it: alien init {name} --platform local")
    platform = projects.read_config(settings).get("alien:platform")
    if not isinstance(platform, str) or platform not in set(Platform):
        told = "has no alien:platform" if platform is None else f'has the alien:platform "{platform}"'
        raise errors.ConfigInvalid(f"{settings} {told}", hint=f"set it to one of {', '.join(Platform)}")
    given = projects.local_environment(project.folder, os.environ)
    return Stack(
        folder=project.folder,
        name=name,
        program=Program(folder=project.main, environment={**os.environ, **given}),
        command=find_engine(platform),
        environment=given,
    )


def preview(stack: Stack, *, observe: Observer = quiet, parallel: int = PARALLEL, **flags: Any) -> Outcome:
    """What `up` would do. `flags` are those of `pulumi.automation.Stack.preview` (`target`, `diff`, …)."""
    journal = Journal(observe)
    with _opened(stack, journal) as opened:
        result = opened.preview(parallel=parallel, on_event=_into(journal), color="never", **flags)
    return _outcome(dict(result.change_summary), {}, journal)


def up(stack: Stack, *, observe: Observer = quiet, parallel: int = PARALLEL, **flags: Any) -> Outcome:
    """Bring the deployment to what its program says, making the Pulumi stack where it is new.

    Raises InvalidInput where the stack program's checks refuse it (nothing was changed), Conflict where another update
    holds the stack, UpdateFailed where a resource or the program failed.
    """
    journal = Journal(observe)
    with _opened(stack, journal) as opened:
        result = opened.up(parallel=parallel, on_event=_into(journal), color="never", **flags)
    return _outcome(dict(result.summary.resource_changes or {}), _plain(result.outputs), journal)


def refresh(stack: Stack, *, observe: Observer = quiet, parallel: int = PARALLEL, **flags: Any) -> Outcome:
    """Bring the state to what really exists. Raises as `up` does."""
    journal = Journal(observe)
    with _opened(stack, journal) as opened:
        result = opened.refresh(parallel=parallel, on_event=_into(journal), color="never", **flags)
        found = _plain(opened.outputs())
    return _outcome(dict(result.summary.resource_changes or {}), found, journal)


def destroy(stack: Stack, *, observe: Observer = quiet, parallel: int = PARALLEL, **flags: Any) -> Outcome:
    """Take the deployment down and leave its data: what is protected is released in the state, and stays in place.

    `kept` says before what will stay. Raises as `up` does.
    """
    journal = Journal(observe)
    with _opened(stack, journal, make=False) as opened:
        for urn in _protected_data(opened):
            _run(stack, ["state", "unprotect", urn, "--yes", "--stack", stack.name])
        result = opened.destroy(parallel=parallel, on_event=_into(journal), color="never", **flags)
    return _outcome(dict(result.summary.resource_changes or {}), {}, journal)


def kept(stack: Stack) -> tuple[Kept, ...]:
    """The data that stays when the deployment is destroyed."""
    told = outputs(stack).deployment
    return told.kept if told else ()


def outputs(stack: Stack) -> Outcome:
    """The stack's outputs as the last update left them. Raises NotFound where there is no such Pulumi stack."""
    with _opened(stack, Journal(quiet), make=False) as opened:
        return Outcome(changes={}, outputs=_plain(opened.outputs()))


def cancel(stack: Stack) -> None:
    """Remove the stack's lock. Only for who knows that the process that took it is dead."""
    with _opened(stack, Journal(quiet)) as opened:
        opened.cancel()


class HostedProgram(PulumiCommand):
    """An engine whose stack program is served by a child of ours instead of being run by the engine itself."""

    def __init__(self, engine: PulumiCommand, program: Program) -> None:
        self.command = engine.command
        self.version = engine.version
        self._engine = engine
        self._program = program

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """As the engine's own; a command that runs the program has it served for as long as it takes."""
        if not _runs_program(args):
            return self._engine.run(args, cwd, additional_env, on_output, on_error)

        def meanwhile() -> None:
            if isinstance(self._engine, EmbeddedPulumi):
                self._engine.unlock(args, cwd, additional_env)

        with programs.serve(self._program, on_output or quiet, meanwhile) as address:
            return self._engine.run(served_at(address, args), cwd, additional_env, on_output, on_error)


def served_at(address: str, args: list[str]) -> list[str]:
    """A command line that has its program run by the language server at an address, where it runs the program."""
    if not _runs_program(args):
        return args
    return [*(word for word in args if word not in _LOCAL), f"--client={address}", "--exec-kind", "auto.inline"]


def _runs_program(args: list[str]) -> bool:
    """Whether a command line runs the stack program: `up` and `preview` do, the others where they are asked to."""
    verb = next((word for word in args if not word.startswith("-")), "")
    asked = any(word in {"--run-program", "--run-program=true"} for word in args)
    return verb in {"up", "preview"} or (verb in {"refresh", "destroy"} and asked)


@contextmanager
def _opened(stack: Stack, journal: Journal, *, make: bool = True) -> Iterator[pulumi_automation.Stack]:
    """The stack in the Automation API. Failures inside leave as errors of our tree."""
    hosted = HostedProgram(stack.command, stack.program)
    try:
        workspace = pulumi_automation.LocalWorkspace(
            work_dir=str(stack.folder),
            pulumi_home=str(stack.home) if stack.home else None,
            env_vars={"PULUMI_SKIP_UPDATE_CHECK": "true", **stack.environment},
            pulumi_command=hosted,
        )
        select = pulumi_automation.Stack.create_or_select if make else pulumi_automation.Stack.select
        yield select(stack.name, workspace)
    except (CommandError, pulumi_automation.InvalidVersionError) as error:
        raise _translated(error, stack, journal) from error


def _run(stack: Stack, args: list[str]) -> None:
    home = {"PULUMI_HOME": str(stack.home)} if stack.home else {}
    stack.command.run(args, str(stack.folder), {**home, **stack.environment})


def _protected_data(opened: pulumi_automation.Stack) -> list[str]:
    """What is protected and would be left in place all the same. The program's own protected resources stay so."""
    resources = (opened.export_stack().deployment or {}).get("resources") or []
    return [r["urn"] for r in resources if r.get("protect") and r.get("retainOnDelete")]


def _into(journal: Journal) -> Callable[[EngineEvent], None]:
    """A listener of the Automation API that writes an engine's events into a journal as steps."""

    def listen(event: EngineEvent) -> None:
        if step := _step(event):
            journal.add(step)

    return listen


def _step(event: EngineEvent) -> Step | None:
    if said := event.diagnostic_event:
        ours = said.message.startswith(f"using {PLUGIN} from $PATH")  # it is on PATH because we put it there
        text = "" if said.ephemeral or ours else said.message.strip()
        return Step(kind="said", urn=said.urn or "", text=text, severity=said.severity) if text else None
    if event.resource_pre_event:
        return _resource_step("begun", event.resource_pre_event.metadata)
    if event.res_outputs_event:
        return _resource_step("done", event.res_outputs_event.metadata)
    if event.res_op_failed_event:
        return _resource_step("failed", event.res_op_failed_event.metadata)
    return None


def _resource_step(kind: Literal["begun", "done", "failed"], about: StepEventMetadata) -> Step:
    state = about.new or about.old
    parent = state.parent if state else ""
    return Step(kind=kind, operation=about.op.value, urn=about.urn, type=about.type, parent=parent or "")


def _translated(error: Exception, stack: Stack, journal: Journal) -> errors.AlienError:
    """The error of our tree for what Pulumi raised."""
    if isinstance(error, StackNotFoundError):
        return errors.NotFound(f"there is no Pulumi stack {stack.name} yet", hint=f"make it: alien up {stack.name}")
    if isinstance(error, ConcurrentUpdateError):
        return errors.Conflict(
            f"another update holds the Pulumi stack {stack.name}",
            hint="wait for it to end; if its process is dead, `alien cancel` removes the lock",
        )
    told = error.__cause__  # the embedded engine says itself what is missing, locked or not supported
    if isinstance(told, errors.AlienError) and not isinstance(told, errors.UpdateFailed):
        return told
    failures = journal.failures() or steps.stderr_lines(str(error))
    return steps.as_error(stack.name, failures)


def _outcome(changes: Mapping[Any, int], found: Mapping[str, Any], journal: Journal) -> Outcome:
    counts = {str(getattr(operation, "value", operation)): count for operation, count in changes.items()}
    return Outcome(
        changes=counts,
        outputs=found,
        messages=journal.messages(),
        packages=journal.packages(),
        touched=journal.touched(),
    )


def _plain(found: Mapping[str, pulumi_automation.OutputValue]) -> dict[str, Any]:
    return {name: output.value for name, output in found.items()}
