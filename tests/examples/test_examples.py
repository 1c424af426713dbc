"""Every example is deployed on this machine, does what it is for, and leaves nothing running."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cli.command_line import Shell, processes_below

from alien_iac import projects
from alien_iac.protocol import arc

ROOT = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.parent for path in ROOT.glob("*/Pulumi.yaml"))
Workloads = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def shell(tmp_path: Path, request: pytest.FixtureRequest) -> Shell:
    """A terminal in a copy of the example."""
    folder = copytree(ROOT / request.param, tmp_path / "project", ignore=ignore_patterns("Pulumi.*.yaml", ".alien"))
    (tmp_path / "home").mkdir()
    shell = Shell(folder, tmp_path / "home")
    shell.done("init", "acme", "--platform", "local")
    return shell


def command(shell: Shell, workload: Mapping[str, Any], name: str, **parameters: object) -> object:
    """The result of a command, given to a Function as the agent gives it."""
    project = projects.find(shell.folder).name
    body = base64.b64encode(json.dumps(parameters).encode()).decode()
    envelope = arc.Envelope(
        command_id=f"cmd_{uuid4().hex}",
        deployment_id=f"{project}/acme",
        target=arc.Target(resource_id=workload["id"], resource_type="worker"),
        command=name,
        params=arc.Inline(inline_base64=body),
        attempt=1,
        response_handling=arc.ResponseHandling(
            max_inline_bytes=100_000,
            submit_response_url="http://127.0.0.1:9/response",
            storage_upload_request=arc.PresignedRequest(
                backend=arc.HttpBackend(url="http://127.0.0.1:9/body", method="PUT"),
                operation="put",
                path="body",
                expiration=datetime.now(UTC),
            ),
        ),
    )
    token = Path(workload["tokenFile"]).read_text(encoding="utf-8")
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(workload["invoke"]["url"], json=envelope.dump(), headers=headers).raise_for_status().json()
    assert answer["status"] == "success", answer
    return json.loads(base64.b64decode(answer["response"]["inlineBase64"]))


def place(shell: Shell, *parts: str) -> Path:
    """Where something of the deployment is on the disk."""
    (found,) = shell.folder.glob("/".join((".alien", "acme-*", *parts)))
    return found


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def remote_worker(shell: Shell, workloads: Workloads) -> None:
    (place(shell, "storage", "files") / "note.txt").write_text("a private document")
    assert command(shell, workloads["worker"], "read-file", path="note.txt") == "a private document"
    assert command(shell, workloads["worker"], "add", left=1, right=2) == 3


def data_plane(shell: Shell, workloads: Workloads) -> None:
    url = workloads["counter"]["health"]["url"]
    assert httpx.get(url).json() == {"value": 0}
    (place(shell, "volumes", "counter", "*") / "value").write_text("41")
    assert httpx.get(url).json() == {"value": 41}


def full_app(shell: Shell, workloads: Workloads) -> None:
    url = workloads["web"]["publicUrl"]
    for pieces in (1, 2):
        assert httpx.post(f"{url}/orders", json={"item": "tea", "pieces": pieces}).status_code == 202
    assert until(lambda: httpx.get(f"{url}/sold/tea").json() == {"sold": 3})
    assert command(shell, workloads["worker"], "report") == "tea 3"


WHAT_IT_IS_FOR: Mapping[str, Callable[[Shell, Workloads], None]] = {
    "01-remote-worker": remote_worker,
    "02-data-plane": data_plane,
    "03-full-app": full_app,
}


def test_there_are_examples_and_each_is_played_and_explained() -> None:
    assert len(EXAMPLES) > 2
    assert {path.name for path in EXAMPLES} == set(WHAT_IT_IS_FOR)
    for example in EXAMPLES:
        lines = (example / "README.md").read_text(encoding="utf-8").splitlines()
        assert 10 < len(lines) <= 60
        assert len((example / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "example"), [(name, name) for name in WHAT_IT_IS_FOR], ids=list(WHAT_IT_IS_FOR), indirect=["shell"]
)
def test_an_example_does_what_it_is_for(shell: Shell, example: str) -> None:
    with shell.up("acme") as workloads:
        WHAT_IT_IS_FOR[example](shell, workloads)
    assert not processes_below(shell.folder)
