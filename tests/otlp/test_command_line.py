"""`alien logs`, `metrics` and `traces` against a control plane that runs."""

import json
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.command_line import ALIEN, Shell
from control.control_process import Process
from otlp.otlp_samples import SECRET, TRACE, made

from alien_iac.cli.telemetry import waterfall
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.answers import Trace
from alien_iac.protocol.telemetry.levels import SIGNALS, Signal


class World:
    """A control plane with one deployment, and a terminal of its vendor's."""

    def __init__(self, folder: Path) -> None:
        self.server = Process(folder / "plane")
        self.server.start()
        body = {"customer": "acme", "platform": "local"}
        self.deployment = self.server.call("POST", "/enrolment-codes", body)["deploymentId"]
        scoped = {"name": "t", "scopes": ["telemetry"], "deploymentId": self.deployment}
        self.token = self.server.call("POST", "/auth/tokens", scoped)["token"]
        environment = {
            "ALIEN_CONTROL_PLANE": f"http://127.0.0.1:{self.server.port}",
            "ALIEN_TOKEN_FILE": str(folder / "plane" / "admin-token"),
        }
        self.shell = Shell(folder, folder, environment)

    def send(self, signal_: Signal) -> None:
        with self.server.client(self.token) as http:
            headers = {"content-type": otlp.PROTOBUF}
            assert http.post(f"/{signal_}", content=otlp.written(made(signal_)), headers=headers).is_success


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    for signal_ in SIGNALS:
        world.send(signal_)
    yield world
    world.server.stop()


def test_logs_metrics_and_traces_are_shown(world: World) -> None:
    logs = world.shell.alien("logs", "--deployment", "acme", "--since", "20000d", "--level", "error")
    assert (logs.returncode, logs.stdout.count("ERROR")) == (0, 1), logs.stderr
    assert "    main.py:12 handle" in logs.stdout
    metrics: Any = world.shell.done("metrics", "acme", "orders.placed", "--since", "20000d")
    assert [point["value"] for point in metrics] == [3.0]
    (trace,) = world.shell.done("traces", world.deployment, "--since", "20000d")
    shown = world.shell.alien("traces", "acme", TRACE.hex())
    assert "5.0 ms  server" in shown.stdout
    assert trace["spans"] == 1
    assert SECRET not in logs.stdout + shown.stdout


def test_what_is_wrong_is_said(world: World) -> None:
    assert world.shell.alien("metrics", "acme", "--since", "yesterday").returncode == 2
    assert world.shell.alien("traces", "acme", "0" * 32).returncode == 3
    assert world.shell.alien("logs").returncode == 2


def test_logs_are_followed_until_interrupted(world: World) -> None:
    words = [str(ALIEN), "logs", "--deployment", "acme", "-f", "-n", "0", "--json"]
    process = subprocess.Popen(words, env=world.shell.environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for _ in range(50):  # until it listens, what is sent is of before
        world.send("logs")
        time.sleep(0.2)
        if process.poll() is not None or world.server.process is None:
            break
        if select.select([process.stdout], [], [], 0.1)[0]:
            break
    assert process.stdout.readline() == "{\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


def test_a_trace_is_drawn_as_a_tree() -> None:
    base = {"number": 1, "deploymentId": "d", "customer": "c", "traceId": "t", "kind": "server"}
    spans = [
        {**base, "workload": "api", "name": "GET /a", "spanId": "1", "at": "2026-01-01T00:00:00Z", "ms": 100.0},
        {**base, "workload": "worker", "name": "message jobs", "spanId": "2", "parentId": "1", "failed": True}
        | {"at": "2026-01-01T00:00:00.050Z", "ms": 50.0, "attributes": {"alien.outcome": "HANDLER_ERROR"}},
    ]
    lines = waterfall(Trace.model_validate_json(json.dumps({"traceId": "t", "spans": spans}))).splitlines()
    assert lines[1].startswith("######")
    assert lines[1].endswith("GET /a (api)")
    assert lines[2].startswith("............############")
    assert lines[2].endswith("  message jobs (worker)  failed HANDLER_ERROR")
