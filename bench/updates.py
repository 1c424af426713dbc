"""How long an update of an unchanged deployment takes: the embedded engine beside the Pulumi CLI, where there is one.

Two programs go through the Automation API, each served by a child that has loaded it, as `alien` has programs served:
twenty plain components, and twenty of ours on `local`. `alien up` of an example is timed as a whole process.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pulumi import automation

from alien_iac import programs
from alien_iac.automation import served_at
from alien_iac.engine.command import EmbeddedPulumi
from figure import Figure

EXAMPLE = Path(__file__).parents[1] / "examples" / "01-remote-worker"
ALIEN = str(Path(sys.executable).with_name("alien"))
RESOURCES = 20
THREADS = 20
ROUNDS = 5
CONFIG = {"alien:platform": "local", "alien:prefix": "bench-a1b2c3", "alien:retain": "false"}

Engines = Mapping[str, automation.PulumiCommand]
PLAIN = f"""
import pulumi

for number in range({RESOURCES}):
    made = pulumi.ComponentResource("bench:index:Thing", f"thing-{{number}}", {{"size": number}})
    made.register_outputs({{"size": number}})
"""
"""Components that no provider stands behind."""
STORES = f"""
import alien_iac as alien

for number in range({RESOURCES}):
    alien.Kv(f"kv-{{number}}")
"""
"""Ours, each with one resource of the plugin."""
PROGRAMS: Mapping[str, str] = {"plain components": PLAIN, "of ours on local": STORES}


class Served(automation.PulumiCommand):
    """An engine whose programs are run by the language server at an address."""

    def __init__(self, engine: automation.PulumiCommand, address: str) -> None:
        self.command = engine.command
        self.version = engine.version
        self._engine = engine
        self._address = address

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> automation.CommandResult:
        """As the engine's own."""
        return self._engine.run(served_at(self._address, args), cwd, additional_env, on_output, on_error)


@dataclass(frozen=True)
class Place:
    """A folder with a project for each program and engine; `children` ends what serves the programs."""

    folder: Path
    children: ExitStack

    def open(self, program: str, engine: automation.PulumiCommand, name: str) -> automation.Stack:
        """A Pulumi stack of its own, updated once, so that the next update changes nothing."""
        folder = self.folder / name
        (folder / "backend").mkdir(parents=True)
        (folder / "__main__.py").write_text(program)
        plugin = f"plugins:\n  providers:\n    - name: alien\n      path: {Path(sys.executable).parent}\n"
        (folder / "Pulumi.yaml").write_text(f"name: bench\nruntime: python\n{plugin}")
        stack = self.select(engine, name)
        stack.set_all_config({key: automation.ConfigValue(value) for key, value in CONFIG.items()})
        stack.up()
        return stack

    def select(self, engine: automation.PulumiCommand, name: str) -> automation.Stack:
        """The Pulumi stack in this folder, made where there is none, with a child that serves its program."""
        folder = self.folder / name
        program = programs.Program(folder=folder, environment=os.environ)
        address = self.children.enter_context(programs.serve(program, lambda _: None))
        environment = {
            "PULUMI_BACKEND_URL": f"file://{folder}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        workspace = automation.LocalWorkspace(
            work_dir=str(folder), env_vars=environment, pulumi_command=Served(engine, address)
        )
        return automation.Stack.create_or_select("bench", workspace)


def measure() -> Iterator[Figure]:
    """Medians of rounds that take the engines and programs in turn."""
    engines: Engines = {"embedded": EmbeddedPulumi(), **_cli()}
    with tempfile.TemporaryDirectory(prefix="alien-bench-") as folder, ExitStack() as children:
        yield from _unchanged(Place(Path(folder), children), engines)
        yield _parallel(Place(Path(folder, "parallel"), children), engines["embedded"])
    yield _whole_process()


def _cli() -> Engines:
    return {"cli": automation.PulumiCommand()} if shutil.which("pulumi") else {}


def _unchanged(place: Place, engines: Engines) -> Iterator[Figure]:
    stacks = {
        (what, engine): place.open(program, command, f"{engine}-{what.split()[0]}")
        for what, program in PROGRAMS.items()
        for engine, command in engines.items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in stacks}
    for _ in range(ROUNDS):
        for key, stack in stacks.items():
            times[key].append(_seconds(stack.up))
    for what in PROGRAMS:
        ours = statistics.median(times[what, "embedded"])
        theirs = statistics.median(times[what, "cli"]) if "cli" in engines else None
        yield _beside(f"unchanged update, {RESOURCES} {what}", ours, theirs)


def _beside(what: str, ours: float, theirs: float | None) -> Figure:
    if theirs is None:
        return Figure(what, f"{1000 * ours:.0f} ms (no CLI here)", "CLI / ours >= 20")
    ratio = theirs / ours
    return Figure(what, f"{1000 * ours:.0f} ms, CLI / ours = {ratio:.1f}", "CLI / ours >= 20", ratio >= 20)  # noqa: PLR2004 - the target


def _parallel(place: Place, engine: automation.PulumiCommand) -> Figure:
    """Copies of one project: their Pulumi stacks share a key, as nothing here is to measure how keys are made."""
    place.open(PLAIN, engine, "embedded-0")
    for number in range(1, THREADS):
        shutil.copytree(place.folder / "embedded-0", place.folder / f"embedded-{number}")
    stacks = [place.select(engine, f"embedded-{number}") for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:

        def all_at_once() -> None:
            for _ in pool.map(lambda stack: stack.up(), stacks):
                pass

        seconds = statistics.median(_seconds(all_at_once) for _ in range(3))
    return Figure(f"{THREADS} such updates in parallel threads", f"{1000 * seconds:.0f} ms")


def _whole_process() -> Figure:
    with _deployed_example() as project:
        up = [ALIEN, "up", "bench", "--yes", "--project", str(project)]
        seconds = statistics.median(_seconds(lambda: _run(up)) for _ in range(ROUNDS))
    return Figure("alien up of examples/01 unchanged, whole process", f"{seconds:.2f} s")


@contextmanager
def _deployed_example() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="alien-bench-") as folder:
        project = shutil.copytree(EXAMPLE, Path(folder, "example"), ignore=shutil.ignore_patterns(".alien", "*.bench*"))
        where = ["--project", str(project)]
        _run([ALIEN, "init", "bench", "--platform", "local", *where])
        try:
            _run([ALIEN, "up", "bench", "--yes", *where])
            yield project
        finally:
            _run([ALIEN, "destroy", "bench", "--yes", *where])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
