"""How long an update of an unchanged deployment takes: the embedded engine beside the Pulumi CLI, where there is one.

Two inline programs go through the Automation API in this process: twenty plain components, which is the engine alone,
and twenty of ours on `local`, which starts the plugin too. `alien up` of an example is timed as a whole process.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi import automation

import alien_iac as alien
from alien_iac.engine.command import EmbeddedPulumi
from figure import Figure

EXAMPLE = Path(__file__).parents[1] / "examples" / "01-remote-worker"
ALIEN = str(Path(sys.executable).with_name("alien"))
RESOURCES = 20
THREADS = 20
ROUNDS = 5
CONFIG = {"alien:platform": "local", "alien:prefix": "bench-a1b2c3", "alien:retain": "false"}

Program = Callable[[], None]
Engines = Mapping[str, automation.PulumiCommand]


def plain() -> None:
    """Components that no provider stands behind."""
    for number in range(RESOURCES):
        made = pulumi.ComponentResource("bench:index:Thing", f"thing-{number}", {"size": number})
        made.register_outputs({"size": number})


def stores() -> None:
    """Ours, each with one resource of the plugin."""
    for number in range(RESOURCES):
        alien.Kv(f"kv-{number}")


@dataclass(frozen=True)
class Place:
    """A folder with a project for each program and engine."""

    folder: Path

    def open(self, program: Program, command: automation.PulumiCommand, name: str) -> automation.Stack:
        """A Pulumi stack of its own, updated once, so that the next update changes nothing."""
        folder = self.folder / name
        (folder / "backend").mkdir(parents=True)
        plugin = f"plugins:\n  providers:\n    - name: alien\n      path: {Path(sys.executable).parent}\n"
        (folder / "Pulumi.yaml").write_text(f"name: bench\nruntime: python\n{plugin}")
        stack = self.select(program, command, name)
        stack.set_all_config({key: automation.ConfigValue(value) for key, value in CONFIG.items()})
        stack.up()
        return stack

    def select(self, program: Program, command: automation.PulumiCommand, name: str) -> automation.Stack:
        """The Pulumi stack in this folder, made where there is none."""
        folder = self.folder / name
        environment = {
            "PULUMI_BACKEND_URL": f"file://{folder}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        workspace = automation.LocalWorkspace(
            work_dir=str(folder), program=program, env_vars=environment, pulumi_command=command
        )
        return automation.Stack.create_or_select("bench", workspace)


def measure() -> Iterator[Figure]:
    """Medians of rounds that take the engines and programs in turn."""
    engines: Engines = {"embedded": EmbeddedPulumi(), **_cli()}
    with tempfile.TemporaryDirectory(prefix="alien-bench-") as folder:
        yield from _unchanged(Place(Path(folder)), engines)
        yield _parallel(Place(Path(folder, "parallel")), engines["embedded"])
    yield _whole_process()


def _cli() -> Engines:
    return {"cli": automation.PulumiCommand()} if shutil.which("pulumi") else {}


def _unchanged(place: Place, engines: Engines) -> Iterator[Figure]:
    programs: Mapping[str, Program] = {"plain components": plain, "of ours on local": stores}
    stacks = {
        (what, engine): place.open(program, command, f"{engine}-{program.__name__}")
        for what, program in programs.items()
        for engine, command in engines.items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in stacks}
    for _ in range(ROUNDS):
        for key, stack in stacks.items():
            times[key].append(_seconds(stack.up))
    for what in programs:
        ours = statistics.median(times[what, "embedded"])
        theirs = statistics.median(times[what, "cli"]) if "cli" in engines else None
        yield _beside(f"unchanged update, {RESOURCES} {what}", ours, theirs)


def _beside(what: str, ours: float, theirs: float | None) -> Figure:
    if theirs is None:
        return Figure(what, f"{1000 * ours:.0f} ms (no CLI here)", "CLI / ours >= 20")
    ratio = theirs / ours
    return Figure(what, f"{1000 * ours:.0f} ms, CLI / ours = {ratio:.1f}", "CLI / ours >= 20", ratio >= 20)  # noqa: PLR2004 - the target


def _parallel(place: Place, command: automation.PulumiCommand) -> Figure:
    """Copies of one project: their Pulumi stacks share a key, as nothing here is to measure how keys are made."""
    place.open(plain, command, "embedded-0")
    for number in range(1, THREADS):
        shutil.copytree(place.folder / "embedded-0", place.folder / f"embedded-{number}")
    stacks = [place.select(plain, command, f"embedded-{number}") for number in range(THREADS)]
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
