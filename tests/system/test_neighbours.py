"""Two deployments of different projects on one machine, alike in all their names, do not disturb each other."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from system.system_fleet import of_folder

from alien_iac import projects
from alien_iac.plugin import leftovers
from alien_iac.protocol.local import Layout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PROGRAM = """
import alien_iac as alien

alien.Storage("files")
api = alien.Container("api", source="./api", port=8080, public=True, volumes=[alien.Volume("/data", size="1Gi")])
"""
API = """
import os
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from alien_iac.runtime import serve

async def healthy(_request) -> JSONResponse:
    return JSONResponse({"project": PROJECT})

serve(Starlette(routes=[Route("/health", healthy)]))
"""


class Project:
    """A project of its own, with a customer acme."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "stacks" / "api").mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: same\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n")
        (folder / "stacks" / "__main__.py").write_text(PROGRAM)
        (folder / "stacks" / "api" / "main.py").write_text(API.replace("PROJECT", repr(folder.name)))

    @property
    def place(self) -> Path:
        """Where its deployment keeps its data."""
        return projects.local_dir(self.folder, "acme")

    def alien(self, *words: str) -> Any:
        command = [sys.executable, "-m", "alien_iac.cli", *words, "--project", str(self.folder), "--json"]
        environment = {**os.environ, "HOME": str(self.folder.parent)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)


def running(project: Project) -> list[int]:
    return leftovers.processes(Layout(project.place).workload("api"))


def test_side_by_side(tmp_path: Path) -> None:
    both = one, two = Project(tmp_path / "one"), Project(tmp_path / "two")
    for project in both:
        project.alien("init", "acme", "--platform", "local")
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda project: project.alien("up", "acme", "--yes")["outputs"]["alien"], both))
    urls = [workload["publicUrl"] for told in outputs for workload in told["workloads"]]
    assert len(set(urls)) == 2
    assert [httpx.get(f"{url}/health").json()["project"] for url in urls] == ["one", "two"]
    before = running(two)
    one.alien("destroy", "acme", "--yes")
    assert not running(one)
    assert httpx.get(f"{urls[1]}/health").json()["project"] == "two"
    assert running(two) == before
    two.alien("destroy", "acme", "--yes")
    assert not of_folder(tmp_path)
