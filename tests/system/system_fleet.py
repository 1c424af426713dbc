"""A small vendor with three customers: the real command line, real processes, and what can be seen of them."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alien_iac.agent.place import Place
from alien_iac.agent.store import Store
from alien_iac.agent.work import Work
from alien_iac.cli.demonstration.world import World, at_once
from alien_iac.models.units import parse_seconds
from alien_iac.plugin import definition, leftovers
from alien_iac.protocol.api import Deployment, Release, Rollout
from alien_iac.protocol.local import Layout

CUSTOMERS = ("acme", "globex", "initech")
WORKLOADS = ("store", "worker")
ENVIRONMENT = {
    "ALIEN_AGENT_HEARTBEAT_SECONDS": "0.5",
    "ALIEN_AGENT_HEALTH_SECONDS": "8",
    "ALIEN_KEY_PASSPHRASE": "a long passphrase of the vendor",
}
POLICY = """\
waves:
  - {name: canary, size: 1, canary: true, bake: 1s}
  - {name: rest}
verify: {successes: 1, failures: 2, every: 1s, fresh: 10s, deadline: 30s}
retry_pause: 1s
"""
PROJECT = "name: tiny\nruntime: python\nmain: stacks\n"
PROGRAM = """
import alien_iac as alien

jobs = alien.Queue("jobs")
notes = alien.Kv("notes")
store = alien.Container(
    "store", source="./store", port=7700, commands=True, volumes=[alien.Volume("/notes", size="1Gi")]
)
worker = alien.Function(
    "worker", source="./worker", timeout="5s", commands=True, link=[notes, store], triggers=[jobs.on_message()]
)
worker.link(jobs.sender())
"""
WORKER = '''
import asyncio
import os
from alien_iac.runtime import command, current, health, kv, on_message, queue

VERSION = "1"
jobs, notes = queue("jobs"), kv("notes")

@command("version")
def version() -> dict:
    return {"version": VERSION, "release": os.environ["ALIEN_RELEASE"], "pid": os.getpid()}

@command("send")
async def send(text: str, seconds: float = 0) -> None:
    await jobs.send({"text": text, "seconds": seconds})

@command("seen")
async def seen(text: str) -> list[str]:
    """Process and attempt of each time that a message was begun, and of each time that it was ended."""
    return [item.key.split(":", 1)[1] for item in (await notes.scan(f"{text}:")).items]

@on_message("jobs")
async def handle(job: dict) -> None:
    who = f"{os.getpid()}.{current().attempt}"
    await notes.put(f"{job['text']}:begun.{who}", b"1")
    await asyncio.sleep(job["seconds"] if current().attempt == 1 else 0)
    await notes.put(f"{job['text']}:ended.{who}", b"1")

@command("big")
def big(length: int) -> str:
    return "x" * length

@command("fail")
def fail() -> None:
    raise ValueError("the vendor's secret is 1234")

@command("slow")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"

@command("hang")
async def hang() -> None:
    await asyncio.sleep(3600)

@health
def check() -> None:
    return None
'''
STORE = '''
import os
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from alien_iac.runtime import command, serve

FILE = Path(os.environ["ALIEN_VOLUME_NOTES"]) / "count"

@command("count")
def count(by: int = 1) -> int:
    """Add to the counter on the volume."""
    value = by + (int(FILE.read_text()) if FILE.exists() else 0)
    FILE.write_text(str(value))
    return value

async def healthy(_request) -> JSONResponse:
    return JSONResponse({})

if __name__ == "__main__":
    serve(Starlette(routes=[Route("/health", healthy)]))
'''


@dataclass
class Fleet:
    """The vendor's project, the control plane and the customers of one world."""

    world: World
    customers: tuple[str, ...] = CUSTOMERS
    number: int = 0
    """The last release that was made."""
    program: str = PROGRAM

    def start(self) -> None:
        """Start everything, with nothing released yet."""
        self.world.serve()
        self.write("Pulumi.yaml", PROJECT)
        self.write("rollout.yaml", POLICY)
        self.write("stacks/__main__.py", self.program)
        self.write("stacks/worker/main.py", WORKER)
        self.write("stacks/store/main.py", STORE)
        self.world.alien("key", "init", "--vendor", "tiny-inc", "--project", str(self.world.project))
        at_once(self.world.enrol, self.customers)
        for customer in self.customers:
            self.world.run_agent(customer)
        self.until(lambda: all(one.last_seen for one in self.deployments().values()))

    def write(self, path: str, text: str) -> None:
        """Write a file of the vendor's project."""
        file = self.world.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def release(self, *, before: str = "", after: str = "", policy: str = POLICY) -> Rollout:
        """Release the next version, whose worker has one text in place of another, and return its rollout's begin."""
        self.number += 1
        worker = WORKER.replace('VERSION = "1"', f'VERSION = "{self.number}"')
        assert before in worker
        self.write("stacks/worker/main.py", worker.replace(before, after) if before else worker)
        self.write("rollout.yaml", policy)
        words = ("release", str(self.number), "--project", str(self.world.project), "--detach")
        return Rollout.model_validate(self.world.alien(*words))

    def rollout(self, rollout_id: str) -> Rollout:
        return self.world.remote.get(Rollout, f"/rollouts/{rollout_id}")

    def ended(self, rollout: Rollout, seconds: float = 90) -> Rollout:
        """A rollout when it has ended."""
        self.until(lambda: self.rollout(rollout.id).ended_at is not None, seconds)
        return self.rollout(rollout.id)

    def deployments(self) -> dict[str, Deployment]:
        return {one.customer: one for one in self.world.remote.pages(Deployment, "/deployments")}

    def ask(self, customer: str, name: str, target: str = "worker", limit: str = "20s", **parameters: object) -> Any:
        """The result of a command."""
        deployment, seconds = self.deployments()[customer].id, parse_seconds(limit)
        with self.world.remote.commands() as commands:
            return commands.invoke(deployment, name, parameters, timeout=seconds, target=target)

    def data(self, customer: str) -> Path:
        return Place(self.world.agent_dir(customer)).data

    def work(self, customer: str) -> Work | None:
        """What the agent of a customer is at, by its own store."""
        store = Store(Place(self.world.agent_dir(customer)).state)
        try:
            return store.work
        finally:
            store.close()

    def known(self, customer: str) -> list[str]:
        """Every release whose work the agent of a customer has ever reported, by its own store, oldest first."""
        with sqlite3.connect(Place(self.world.agent_dir(customer)).state) as database:
            rows = database.execute("SELECT body FROM reports ORDER BY number").fetchall()
        return [release for (body,) in rows if (release := json.loads(body).get("release"))]

    def common(self) -> str:
        """The one release that everybody runs and is well on."""
        found = {one.release for one in self.deployments().values()}
        assert len(found) == 1, found
        self.until(lambda: all(self.is_well(customer, str(*found)) for customer in self.customers), 30)
        return str(*found)

    def has_bytes_of(self, customer: str, version: str) -> bool:
        """Whether the agent of a customer has fetched the manifest of a release."""
        manifest = self.world.remote.get(Release, f"/releases/{version}").manifest
        blobs = Place(self.world.agent_dir(customer)).releases / "blobs"
        mark = json.dumps(manifest.split("/")[-2])
        return any(f'"version":{mark}' in blob.read_text(errors="replace") for blob in blobs.iterdir())

    def processes(self, customer: str) -> Mapping[str, list[int]]:
        """For each workload its processes that no other one of it has started, by what `/proc` says."""
        layout = Layout(self.data(customer))
        return {one: _roots(leftovers.processes(layout.workload(one))) for one in definition.ids(layout.root)}

    def resources(self, customer: str) -> dict[str, Any]:
        """The state of the Pulumi stack, as its file has it."""
        file = Place(self.world.agent_dir(customer)).backend / ".pulumi/stacks/tiny" / f"{customer}.json"
        latest: dict[str, Any] = json.loads(file.read_text())["checkpoint"]["latest"]
        return latest

    def pending(self, customer: str) -> bool:
        """Whether an operation of a plugin is under way, by the file of the state."""
        return bool(self.resources(customer).get("pending_operations"))

    def until(self, holds: Callable[[], object], seconds: float = 60, pause_s: float = 0.1) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"it did not come to pass within {seconds:.0f} s\n{self.says()}"
            time.sleep(pause_s)

    def says(self) -> str:
        """The ends of all logs."""
        logs = sorted(self.world.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)

    def is_well(self, customer: str, release: str) -> bool:
        one = self.deployments()[customer]
        return (one.release, one.health) == (release, "healthy")

    def assert_whole(self, release: str) -> None:
        """Everybody runs a release and is well; no resource, no process is there twice; nothing is left half done."""
        self.until(lambda: all(self.is_well(customer, release) for customer in self.customers), 30)
        for customer in self.customers:
            answer = self.ask(customer, "version")
            assert answer["release"] == release
            latest = self.resources(customer)
            urns = [one["urn"] for one in latest["resources"]]
            assert sorted(urns) == sorted(set(urns)), customer
            assert not self.pending(customer), customer
            assert not list((Place(self.world.agent_dir(customer)).backend / ".pulumi/locks").rglob("*.json"))
            found = self.processes(customer)
            assert {name: len(pids) for name, pids in found.items()} == dict.fromkeys(
                ("queue-broker", *WORKLOADS), 1
            ), customer
            assert found["worker"] == [answer["pid"]]
            assert len(supervisors(self.data(customer))) == 1, customer

    def assert_no_traceback(self) -> None:
        """No log of a process of ours shows an error that nobody has dealt with."""
        for log in self.world.folder.glob("*.log"):
            _, found, trace = log.read_text(errors="replace").partition("Traceback")
            assert not found, f"{log}: {trace[:3000]}"


def supervisors(data: Path) -> list[int]:
    """The supervisors of a deployment, by what `/proc` says."""
    return [pid for pid in every() if _is_supervisor(pid, Layout(data).supervisor)]


def of_folder(folder: Path) -> list[str]:
    """The command lines of all processes that have to do with a folder."""
    return [line for pid in every() if str(folder) in (line := f"{_read(pid, 'cmdline')} {_cwd(pid)}")]


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [one for one in every() if _parent(one) == pid]


def command_line(pid: int) -> str:
    return _read(pid, "cmdline")


def every() -> list[int]:
    return [int(place.name) for place in Path("/proc").glob("[0-9]*")]


def _roots(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _parent(pid) not in pids]


def _is_supervisor(pid: int, folder: Path) -> bool:
    return "supervisord" in _read(pid, "cmdline") and _cwd(pid) == str(folder)


def _parent(pid: int) -> int:
    told = _read(pid, "stat").rpartition(")")[2].split()
    return int(told[1]) if len(told) > 1 else 0


def _read(pid: int, name: str) -> str:
    try:
        return (Path("/proc") / str(pid) / name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _cwd(pid: int) -> str:
    try:
        return str((Path("/proc") / str(pid) / "cwd").readlink())
    except OSError:
        return ""
