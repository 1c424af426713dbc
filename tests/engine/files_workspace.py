"""A Pulumi project in a folder with its own backend, driven through the Automation API on the embedded engine."""

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pulumi.automation as auto

from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.engine.dialect import Json
from alien_iac.engine.model import Operation, Request, Resource, Result
from alien_iac.engine.secrets import Keyring

RECORDED = Path(__file__).parent / "recorded" / "files"
PROJECT = "probe-test"
PASSPHRASE = "probe"
SALT = "v1:e2QRFEpVDxM=:v1:MdaUBHWjSTNxJ+Hz:mUHDv9Q4ULnsR0VscchDJ/rY7MS3Sw=="


def recorded(name: str) -> Json:
    return json.loads((RECORDED / name).read_text())


def thing(stack: str, name: str, **more: Json) -> Resource:
    return Resource(urn=f"urn:pulumi:{stack}::{PROJECT}::probe:index:Thing::{name}", type="probe:index:Thing", **more)


@dataclass
class Recorder:
    """Stands where the engine proper stands: keeps the requests, records the resources it was given as done."""

    resources: tuple[Resource, ...] = ()
    error: str | None = None
    requests: list[Request] = field(default_factory=list)
    during: Callable[[Request, threading.Event], None] = lambda _request, _cancelled: None

    def __call__(self, request: Request, out: Callable[[str], None], cancelled: threading.Event) -> Result:
        self.requests.append(request)
        out(f"{request.kind} of {request.stack}")
        self.during(request, cancelled)
        snapshot = replace(request.snapshot, resources=() if request.kind == "destroy" else self.resources)
        if request.kind != "preview" and not request.dry_run:
            pending = tuple(Operation(resource, "creating") for resource in self.resources)
            request.journal.save(replace(request.snapshot, pending_operations=pending))
            request.journal.save(snapshot)
        changes = {"create": len(self.resources)} if self.resources else {}
        error = self.error or ""
        ended = error.endswith("cancelled")
        succeeded = self.error is None
        return Result(snapshot=snapshot, changes=changes, succeeded=succeeded, error=error, cancelled=ended)


@dataclass
class Files:
    root: Path
    recorder: Recorder
    command: EmbeddedPulumi
    env: dict[str, str]

    @classmethod
    def below(cls, root: Path, keyring: Keyring | None = None) -> "Files":
        """A new project; its stack `s` has its salt line already, so that keys may be shared."""
        for name in ("backend", "work"):
            (root / name).mkdir()
        recorder = Recorder()
        env = {
            "PULUMI_BACKEND_URL": f"file://{root}/backend",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(root / "home"),
        }
        (root / "work" / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        (root / "work" / "Pulumi.s.yaml").write_text(f"encryptionsalt: {SALT}\n")
        return cls(root, recorder, EmbeddedPulumi(recorder, keyring), env)

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def state(self) -> Path:
        return self.root / "backend" / ".pulumi"

    @property
    def state_file(self) -> Path:
        return self.state / "stacks" / PROJECT / "s.json"

    @property
    def config_file(self) -> Path:
        return self.work / "Pulumi.s.yaml"

    def options(self, env: Mapping[str, str] | None = None) -> auto.LocalWorkspaceOptions:
        return auto.LocalWorkspaceOptions(
            work_dir=str(self.work), env_vars={**self.env, **(env or {})}, pulumi_command=self.command
        )

    def stack(self, name: str = "s", env: Mapping[str, str] | None = None) -> auto.Stack:
        return auto.create_or_select_stack(name, work_dir=str(self.work), opts=self.options(env))

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        return self.command.run(list(args), str(self.work), {**self.env, **(env or {})}).stdout

    def adopt_recorded_stack(self) -> None:
        """Put the recorded stack's files where the CLI had them."""
        self.state_file.parent.mkdir(parents=True)
        shutil.copy(RECORDED / "meta.yaml", self.state / "meta.yaml")
        shutil.copy(RECORDED / "checkpoint.json", self.state_file)
        shutil.copy(RECORDED / "Pulumi.s.yaml", self.config_file)
        history = self.state / "history" / PROJECT / "s"
        history.mkdir(parents=True)
        shutil.copy(RECORDED / "history.json", history / "s-1795400808415561391.history.json")

    def listing(self) -> list[str]:
        paths = (path for path in (self.root / "backend").rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.state)) for path in paths)
