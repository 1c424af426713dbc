"""The pack under Pulumi's own policy server, in an environment of its own that uv keeps from run to run."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import uv
from policy.analyzer import BOUNDARY, Analyzer

from alien_iac.policy import pack_folder

ROOT = Path(__file__).parents[2]
POLICY = "pulumi-policy==1.21.0"


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python where there is Pulumi's policy SDK, and nothing of this environment. uv keeps the packages."""
    folder = tmp_path_factory.mktemp("policy") / "venv"
    python = folder / "bin" / "python"
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", str(python), POLICY]
    if subprocess.run(install, check=False, capture_output=True, timeout=300).returncode != 0:
        pytest.skip(f"{POLICY} cannot be installed here")
    return python


@pytest.fixture(scope="session")
def analyzer(interpreter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analyzer]:
    """The pack as the CLI starts it: the folder as a program, the port on its output."""
    config = json.dumps({"alien:permissionsBoundary": BOUNDARY})
    environment = {"PYTHONPATH": str(ROOT), "PULUMI_CONFIG": config}
    command = [str(interpreter), "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack_folder())]
    folder = tmp_path_factory.mktemp("pack")
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Analyzer.over(channel)
        process.terminate()
