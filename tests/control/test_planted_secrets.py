"""Secrets planted in a running system are in no list of processes, no log, no listing and no file."""

import base64
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from control.control_fleet import Robot, inline, publish, trusted
from control.control_process import START_S, Process

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="/proc is Linux's")]

VISIBLE = "a-command-by-this-name"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    keys = tmp_path / "vault.keys"
    keys.write_text(base64.b64encode(b"k" * 32).decode())
    keys.chmod(0o600)
    headers = tmp_path / "headers"
    headers.write_text("authorization: planted-in-headers\n")
    headers.chmod(0o600)
    more = ("--key-file", str(keys), "--forward", "http://127.0.0.1:9", "--forward-headers", str(headers))
    made = Process(tmp_path / "data", more=more)
    made.start()
    yield made
    made.kill()


def _used(process: Process) -> Mapping[str, str]:
    """What was planted or came to be, by where; all of it was in use."""
    vendor = trusted(process)
    robot = Robot(process, frozenset())
    robot.enrol("acme")
    robot.stop()
    target = {"resourceId": "worker", "resourceType": "worker"}
    agent = robot.token()
    process.call("POST", "/agent/reports", {"id": "0", "revision": 0, "phase": "unchanged", "targets": [target]}, agent)
    publish(process, vendor, "1.0", 1)
    code = process.call("POST", "/enrolment-codes", {"customer": "other", "platform": "local"})["code"]
    reader = process.call("POST", "/auth/tokens", {"name": "reader", "scopes": ["read"]})["token"]
    sent = {"deploymentId": robot.deployment_id, "command": VISIBLE, "params": inline("planted-in-params")}
    large = {**sent, "params": inline("planted-in-large" * 20_000)}
    urls = []
    for body in (sent, large):
        command = process.call("POST", "/commands", body)["commandId"]
        (lease,) = process.call("POST", "/commands/leases", {"deploymentId": robot.deployment_id}, agent)["leases"]
        urls.append(lease["envelope"]["responseHandling"]["submitResponseUrl"])
        url = httpx.URL(f"http://127.0.0.1:{process.port}/v1/commands/leases").join(urls[-1])
        answer = {"status": "success", "response": inline("planted-in-result")}
        assert httpx.put(url, json=answer).is_success
        assert process.call("GET", f"/commands/{command}")["state"] == "SUCCEEDED"
    _provoke(process)
    return {
        "headers": "planted-in-headers",
        "params": "planted-in-params",
        "large params": "planted-in-large",
        "result": "planted-in-result",
        "query": "planted-in-query",
        "token": "planted-in-token",
        "agent's token": agent,
        "token of a reader": reader,
        "enrolment code": code,
        "URL of a result": httpx.URL(urls[0]).params["response_token"],
    }


def _provoke(process: Process) -> None:
    """Requests that fail in all ways: what is wrong with them is told, and not what was in them."""
    base = f"http://127.0.0.1:{process.port}/v1"
    wrong = {"authorization": "Bearer planted-in-token"}
    assert httpx.get(f"{base}/deployments?cursor=planted-in-query", headers=wrong).status_code == 401
    assert httpx.post(f"{base}/enrol", json={"code": "planted-in-params"}).status_code == 400
    assert httpx.post(f"{base}/token", json={"assertion": "planted-in-token"}).status_code == 401
    assert httpx.get(f"{base}/blobs/cmd_x.params?expires=1&signature=planted-in-query").status_code == 401
    with process.client() as client:
        assert client.post("/commands", json={"params": "planted-in-params"}).status_code == 400


def _forms(secret: str) -> Sequence[bytes]:
    inner = [base64.b64encode(b" " * offset + secret.encode())[4:-4] for offset in range(3)]
    return [secret.encode(), secret.encode("utf-16-le"), *inner]


def test_no_planted_secret_is_where_it_does_not_belong(process: Process, tmp_path: Path) -> None:
    words = _line_of_commands(process)
    planted = {**_used(process), "admin's token": process.admin}
    running = process.process
    assert running is not None
    places = _processes(running.pid)
    os.kill(running.pid, 15)
    out, error = running.communicate(timeout=START_S)
    process.process = None
    places |= {"what it printed": out.encode(), "its log": error.encode(), "a listing": words}
    allowed = {process.data / "admin-token", tmp_path / "headers"}
    places |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path not in allowed}
    assert any(VISIBLE.encode() in content for content in places.values()), "the database was read"
    found = [(what, place) for place, content in places.items() for what in planted if _has(content, planted[what])]
    assert not found


def _has(content: bytes, secret: str) -> bool:
    return any(form in content for form in _forms(secret))


def _processes(server: int) -> dict[str, bytes]:
    """The arguments of everything that runs here, which everybody may see, and the server's environment."""
    found = {f"environment of {server}": Path(f"/proc/{server}/environ").read_bytes()}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            found[str(path)] = path.read_bytes()
    return found


def _line_of_commands(process: Process) -> bytes:
    """A verb of the command line that uses the token and an answer with secrets: its own arguments and output."""
    words = [
        sys.executable,
        "-m",
        "alien_iac",
        "deployments",
        "ls",
        "--control-plane",
        f"http://127.0.0.1:{process.port}",
    ]
    words += ["--token-file", str(process.data / "admin-token"), "--json"]
    done = subprocess.run(words, capture_output=True, timeout=START_S, check=True)
    return " ".join(words).encode() + done.stdout + done.stderr


def test_what_it_keeps_is_its_owners_only(process: Process) -> None:
    trusted(process)
    for path in [process.data, *process.data.rglob("*")]:
        if path.name in {"control.sqlite-wal", "control.sqlite-shm", "lock"} or path.is_relative_to(
            process.data / "rollouts"
        ):
            continue  # within a folder that only its owner may enter
        assert path.stat().st_mode & 0o077 == 0, path
