"""Workloads of a stack program as real processes: bindings, ports, volumes, mutual links, and a clean end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.engine_project import Project, natives

PROGRAM = """
import pulumi, alien_iac as alien
files, jobs, crm = alien.Storage("files"), alien.Queue("jobs"), alien.Secret("crm", provided_by="generated")
api = alien.Container(
    "api", source="./api", port=8080, public=True, volumes=[alien.Volume("/var/lib/api")], env={"COLOUR": "blue"},
    link=[files.reader(), jobs.sender(), crm],
)
worker = alien.Function(
    "worker", source="./worker", commands=True, link=[files, api], triggers=[alien.schedule("0 3 * * 1")]
)
api.link(worker)
pulumi.export("url", api.url)
pulumi.export("pid", api.native["process"].pid)
"""
API = """
import http.server, json, os

class Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({k: v for k, v in os.environ.items() if k.startswith("ALIEN_") or k == "COLOUR"}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Told).serve_forever()
"""
WORKER = """
from alien_iac.runtime import command, on_schedule, storage

@on_schedule
def weekly() -> None:
    pass

@command("write")
async def write(text: str) -> str:
    await storage("files").put("a.txt", text.encode())
    return "written"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Project]:
    project = Project.below(tmp_path, PROGRAM)
    for name, text in (("api", API), ("worker", WORKER)):
        (tmp_path / "program" / name).mkdir()
        (tmp_path / "program" / name / "main.py").write_text(text)
    yield project
    project.open().destroy()


@pytest.mark.slow
def test_workloads_run_know_each_other_and_leave_nothing(shop: Project) -> None:
    stack = shop.open()
    outputs = stack.up().outputs
    url = outputs["url"].value
    told: dict[str, str] = httpx.get(url).json()
    assert told["COLOUR"] == "blue"
    assert told["ALIEN_RESOURCE_TYPE"] == "container"
    assert told["ALIEN_DEPLOYMENT_ID"] == "shop/acme"
    assert Path(told["ALIEN_VOLUME_VAR_LIB_API"]).is_dir()
    files, jobs, crm, worker = (
        json.loads(told[f"ALIEN_{name}_BINDING"]) for name in ("FILES", "JOBS", "CRM", "WORKER")
    )
    assert Path(files["storagePath"]).is_dir()
    assert Path(crm["path"]).is_file()
    assert httpx.post(jobs["endpoint"], json={}).status_code == 401
    assert httpx.get(worker["workerUrl"] + "/_alien/health").status_code == 200
    assert told_of(outputs, "api")["publicUrl"] == url
    assert told_of(outputs, "worker")["invoke"]["url"] == worker["workerUrl"] + "/_alien/commands"
    assert set(stack.up().summary.resource_changes or {}) == {"same"}
    stack.destroy()
    assert natives(stack) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def told_of(outputs: Any, workload: str) -> dict[str, Any]:
    found: dict[str, Any] = next(w for w in outputs["alien"].value["workloads"] if w["id"] == workload)
    return found
