"""The processes of the demo: a customer's database server, the control plane, three agents. All in one folder."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alien_iac.cli.demonstration.postgres import Postgres
from alien_iac.cli.remote import Remote
from alien_iac.errors import NotFound, Unavailable

ALIEN = (sys.executable, "-m", "alien_iac.cli")
START_S = 30
STOP_S = 30
ENVIRONMENT = {"ALIEN_AGENT_HEARTBEAT_SECONDS": "1", "ALIEN_AGENT_HEALTH_SECONDS": "20"}
"""So that the demo takes a minute: agents show signs of life each second."""
_OURS = ("ALIEN_", "PULUMI_")
"""Variables of the terminal that the demo must not meet."""

Tell = Callable[[str], object]


@dataclass
class World:
    """All that runs. `alien` runs the real command line, as a person would."""

    folder: Path
    tell: Tell
    environment: dict[str, str] = field(repr=False)
    postgres: Postgres
    url: str = ""
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """The vendor's project."""
        return self.folder / "vendor"

    @property
    def remote(self) -> Remote:
        """The control plane, as the vendor's admin sees it."""
        return Remote(self.url, Path(self.environment["ALIEN_TOKEN_FILE"]).read_text(encoding="utf-8").strip())

    def agent_dir(self, customer: str) -> Path:
        """The folder of a customer's agent."""
        return self.folder / "customers" / customer

    def alien(self, *words: str, given: str = "", extra: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Run a command of `alien`, show it, and return its JSON. Raises Unavailable with what it said."""
        self.tell(f"$ alien {' '.join(words)}")
        done = subprocess.run(
            [*ALIEN, *words, "--json"],
            input=given,
            capture_output=True,
            text=True,
            env={**self.environment, **(extra or {})},
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"alien {words[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def start(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        """Run a command of `alien` in the background; its output goes to a log in the folder."""
        self.tell(f"$ alien {' '.join(words)} &")
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [*ALIEN, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        self.running[name] = process
        return process

    def log(self, name: str) -> Path:
        """The log of a background process."""
        return self.folder / f"{name}.log"

    def stop(self, name: str) -> None:
        """End a background process, and wait until it has ended."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def opened(project: Path, folder: Path, tell: Tell) -> Iterator[World]:
    """A world with a database server and a control plane; at the end nothing of it runs."""
    if not (project / "stacks" / "__main__.py").is_file():
        raise NotFound(f"{project} is not the repository of alien-iac", hint="run `make demo` in a clone of it")
    _clear(folder)
    _copy(project, folder / "vendor")
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    world = World(
        folder=folder,
        tell=tell,
        environment={**passed_on, **ENVIRONMENT, "ALIEN_KEY_PASSPHRASE": secrets.token_urlsafe(16)},
        postgres=Postgres(folder / "postgres"),
    )
    with ExitStack() as ending:
        ending.callback(_end, world)
        world.postgres.start()
        _serve(world)
        yield world


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    for customer in sorted((folder / "customers").glob("*")):  # what an interrupted demo left running
        subprocess.run([*ALIEN, "agent", "destroy", "--yes", "--dir", str(customer)], capture_output=True, check=False)
    shutil.rmtree(folder)


def _copy(project: Path, target: Path) -> None:
    target.mkdir(parents=True)
    shutil.copytree(
        project / "stacks", target / "stacks", ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__")
    )
    shutil.copy(project / "Pulumi.yaml", target)


def _serve(world: World) -> None:
    world.start("control-plane", "serve", "--data", str(world.folder / "control"), "--port", "0", "--json")
    deadline = time.monotonic() + START_S
    while not (text := world.log("control-plane").read_text(encoding="utf-8")).rstrip().endswith("}"):
        if world.running["control-plane"].poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"the control plane did not start: {text}")
        time.sleep(0.05)
    told = json.loads(text)
    world.url = told["url"]
    world.environment |= {"ALIEN_CONTROL_PLANE": world.url, "ALIEN_TOKEN_FILE": told["adminTokenFile"]}


def _end(world: World) -> None:
    """Take down whatever runs, in the order in which a person would; go on when a part of it fails."""
    for name in [name for name in world.running if name != "control-plane"]:
        world.stop(name)
    for customer in sorted((world.folder / "customers").glob("*")):
        done = subprocess.run(
            [*ALIEN, "agent", "destroy", "--yes", "--dir", str(customer)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            world.tell(f"{customer.name} could not be taken down: {done.stderr.strip()}")
    if "control-plane" in world.running:
        world.stop("control-plane")
    world.postgres.stop()
