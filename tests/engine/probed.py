"""One Pulumi stack over the probe provider, and what can be seen of it from outside."""

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pulumi.automation as auto
from engine.probe_programs import Json, Program, Step

PROBE = Path(__file__).parent / "probe"
CHANCE = {"created", "modified", "sourcePosition", "stackTrace", "manifest", "metadata"}
UUID = r"[0-9a-f]{8}-[0-9a-f-]{27}"


@dataclass
class Probed:
    """A stack in a folder of its own. `world` is the provider's."""

    folder: Path
    command: auto.PulumiCommand
    name: str = "s"
    project: str = "probe-test"
    seen: list[Any] = field(default_factory=list)
    stack: auto.Stack = field(init=False)
    error: ClassVar[type[Exception]] = auto.errors.CommandError

    def __post_init__(self) -> None:
        backend = f"file://{self.folder}/backend"
        for part in ("backend", "world"):
            (self.folder / part).mkdir(exist_ok=True)
        self.stack = auto.create_or_select_stack(
            self.name,
            project_name=self.project,
            program=lambda: None,
            opts=auto.LocalWorkspaceOptions(
                work_dir=str(_made(self.folder / f"work-{self.project}")),
                env_vars=environment(self.folder),
                pulumi_command=self.command,
                project_settings=auto.ProjectSettings(self.project, "python", backend=auto.ProjectBackend(backend)),
            ),
        )

    def run(self, do: str, program: Program, **flags: Json) -> Json:
        """Do one operation. Raises what the Automation API raises."""
        self.stack.workspace.program = program
        self.seen.clear()
        return getattr(self.stack, do)(on_event=self.seen.append, color="never", **flags)

    def up(self, program: Program, **flags: Json) -> dict[str, int]:
        """Bring the stack up; what changed, by operation."""
        return dict(self.run("up", program, **flags).summary.resource_changes)

    def failing(self, do: str, program: Program, **flags: Json) -> str:
        """Do one operation that must fail; its whole text."""
        try:
            self.run(do, program, **flags)
        except auto.errors.CommandError as error:
            return str(error)
        message = f"{do} did not fail"
        raise AssertionError(message)

    def calls(self, *ops: str) -> list[tuple[str, str]]:
        """The provider's calls since the last `forget`, each with the name of its resource."""
        rows = [(row["op"], row["name"]) for row in self.log()]
        return [row for row in rows if row[0] in ops] if ops else rows

    def log(self) -> list[dict[str, Any]]:
        path = self.folder / "world" / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def forget(self) -> None:
        (self.folder / "world" / "calls.jsonl").write_text("")

    def world(self) -> dict[str, Any]:
        """What exists at the provider, by id: inputs and serial."""
        return {p.stem: json.loads(p.read_text()) for p in (self.folder / "world" / "things").glob("*.json")}

    def state(self) -> list[dict[str, Any]]:
        """The resources of the state, secrets in the clear."""
        return list((self.stack.export_stack().deployment or {}).get("resources") or [])

    def pending(self) -> list[dict[str, Any]]:
        return list((self.stack.export_stack().deployment or {}).get("pending_operations") or [])

    def resource(self, name: str) -> dict[str, Any]:
        """The one resource of the state with a name."""
        (found,) = [r for r in self.state() if r["urn"].endswith(f"::{name}")]
        return found

    def names(self) -> list[str]:
        """The Things of the state."""
        return sorted(r["urn"].split("::")[-1] for r in self.state() if r["type"] == "probe:index:Thing")

    def steps(self) -> list[tuple[str, str]]:
        """The steps of the last operation in the order in which they ended."""
        found = [e.res_outputs_event.metadata for e in self.seen if e.res_outputs_event]
        return [(m.op.value, m.urn.split("::")[-1]) for m in found]


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(PROBE), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        "PULUMI_BACKEND_URL": f"file://{folder}/backend",
        "PULUMI_CONFIG_PASSPHRASE": "probe",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PROBE_WORLD": str(folder / "world"),
        "PATH": path,
    }


def observed(name: str, steps: Sequence[Step], folder: Path, command: auto.PulumiCommand) -> dict[str, Any]:
    """What a scenario shows outside, as the recordings have it."""
    probed = Probed(folder, command)
    probed.stack.set_config("password", auto.ConfigValue("swordfish", secret=True))
    return {"scenario": name, "steps": [_row(probed, step, ordered=name in ORDERED) for step in steps]}


ORDERED = {"dependencies", "replace-create-first", "replace-delete-first"}
"""Scenarios in which the order of the provider's calls is no chance."""


def _row(probed: Probed, step: Step, *, ordered: bool) -> dict[str, Any]:
    probed.forget()
    row: dict[str, Any] = {"do": step.do}
    try:
        result = probed.run(step.do, step.program, **step.flags)
        summary = getattr(result, "summary", None)
        changes = result.change_summary if summary is None else summary.resource_changes
        row["result"] = {
            "changes": {getattr(k, "value", k): v for k, v in changes.items()},
            "kind": getattr(summary, "kind", None),
            "result": getattr(summary, "result", None),
        }
    except auto.errors.CommandError as error:
        row["failure"] = {"class": type(error).__name__, "says": _told(str(error))}
    calls = probed.log()
    row["events"] = _events(probed.seen)
    row["provider"] = calls if ordered else sorted(calls, key=json.dumps)
    row["outputs"] = {k: {"value": v.value, "secret": v.secret} for k, v in sorted(probed.stack.outputs().items())}
    state = probed.stack.export_stack().deployment or {}
    kept = {k: v for k, v in state.items() if k in {"resources", "pending_operations", "secrets_providers"} and v}
    row["state"] = neutral(kept)
    if "secrets_providers" in row["state"]:
        row["state"]["secrets_providers"] = row["state"]["secrets_providers"]["type"]
    return row


def sorted_states(observation: dict[str, Any]) -> dict[str, Any]:
    """An observation in which resources stand in the order of their URNs: independent ones end in any order."""
    for row in observation["steps"]:
        if resources := row["state"].get("resources"):
            resources.sort(key=lambda r: json.dumps(r, sort_keys=True))
    return observation


def neutral(value: Json, key: str = "") -> Json:
    """Ids and ciphertexts as marks, times and positions left out."""
    if isinstance(value, dict):
        return {k: neutral(v, k) for k, v in value.items() if k not in CHANCE}
    if isinstance(value, list):
        return [neutral(v, key) for v in value]
    if not isinstance(value, str):
        return value
    if key == "id":
        return re.sub(r"-[0-9a-f]{6}$", "-ID", re.sub(UUID, "UUID", value))
    return "CIPHERTEXT" if key == "ciphertext" else re.sub(f"::{UUID}", "::UUID", value)


def _events(seen: list[Any]) -> list[str]:
    rows = []
    for event in seen:
        for kind in ("resource_pre", "res_outputs", "res_op_failed"):
            if detail := getattr(event, f"{kind}_event"):
                m = detail.metadata
                type_token, name = m.urn.split("::")[-2].split("$")[-1], m.urn.split("::")[-1]
                rows.append(f"{kind} {m.op.value} {type_token} {name}")
    return sorted(rows)


def _told(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    told = {line for line in lines if re.match(r"(stderr: )?error:|\w+Error:|`pulumi ", line)}
    return sorted(re.sub(UUID, "UUID", line).removeprefix("stderr: ") for line in told)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
