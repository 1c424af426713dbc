"""`alien command` as a person runs it, against a real control plane whose agent is this test."""

import json
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cli.command_line import ALIEN, Shell
from control.control_fleet import Robot, trusted
from control.control_plane import inline
from control.control_process import Process
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

pytestmark = pytest.mark.slow


class World:
    """A control plane, a customer `acme`, and the vendor's terminal."""

    def __init__(self, folder: Path) -> None:
        self.process = Process(folder / "data")
        self.process.start()
        trusted(self.process)
        self.agent = Robot(self.process, frozenset())
        self.agent.enrol("acme")
        self.agent.stop()
        self.token = self.agent.token()
        targets = [{"resourceId": "worker", "resourceType": "worker"}]
        self._ask("/agent/reports", {"id": "0", "revision": 0, "phase": "unchanged", "targets": targets})
        url = f"http://127.0.0.1:{self.process.port}"
        more = {"ALIEN_CONTROL_PLANE": url, "ALIEN_TOKEN_FILE": str(folder / "data" / "admin-token")}
        self.shell = Shell(folder, folder, more)

    def _ask(self, path: str, body: object, **query: Any) -> Any:
        return self.process.call("POST", path, body, self.token, params=query)

    def lease(self) -> dict[str, Any]:
        """The next command; it must come."""
        body = {"deploymentId": self.agent.deployment_id}
        (lease,) = self._ask("/commands/leases", body, wait=20)["leases"]
        found: dict[str, Any] = lease
        return found

    def answer(self, response: dict[str, Any]) -> dict[str, Any]:
        lease = self.lease()
        base = httpx.URL(f"http://127.0.0.1:{self.process.port}/v1/commands/leases")
        url = base.join(lease["envelope"]["responseHandling"]["submitResponseUrl"])
        assert httpx.put(url, json=response).is_success
        return lease


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("commands"))
    yield world
    world.process.kill()


def good(value: object) -> dict[str, Any]:
    return {"status": "success", "response": inline(value)}


def test_a_result_is_all_of_standard_output_and_how_it_stood_goes_to_standard_error(world: World) -> None:
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(world.shell.alien, "command", "invoke", "acme", "read", '{"a": 1}', "--priority", "3")
        lease = world.answer(good({"rows": 5}))
        done = asked.result()
    assert (done.returncode, json.loads(done.stdout)) == (0, {"rows": 5})
    assert f"{lease['commandId']}: SUCCEEDED, attempt 1" in done.stderr
    shown = world.shell.done("command", "show", lease["commandId"])
    assert (shown["state"], shown["result"]) == ("SUCCEEDED", {"rows": 5})
    assert world.shell.done("command", "ls", "acme", "--last", "1")[0]["priority"] == 3


def test_a_failure_and_a_deadline_have_their_own_exit_codes_and_facts(world: World) -> None:
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(world.shell.alien, "command", "invoke", "acme", "read", "--json")
        world.answer({"status": "error", "code": "NO_TABLE", "message": "no such table"})
        failed = asked.result()
    told = json.loads(failed.stdout)["error"]
    assert failed.returncode == 11
    assert (told["context"]["commandCode"], told["context"]["state"]) == ("NO_TABLE", "FAILED")
    expired = world.shell.alien("command", "invoke", "acme", "read", "--timeout", "1s", "--json")
    told = json.loads(expired.stdout)["error"]
    assert (expired.returncode, told["code"], told["context"]["state"]) == (7, "COMMAND_EXPIRED", "EXPIRED")
    assert world.shell.done("command", "show", told["context"]["commandId"])["state"] == "EXPIRED"


def test_who_does_not_wait_gets_the_id_and_may_cancel(world: World) -> None:
    sent = world.shell.alien("command", "invoke", "acme", "read", "--no-wait")
    command = sent.stdout.strip()
    assert [one["commandId"] for one in world.shell.done("command", "ls", "acme", "--state", "PENDING")] == [command]
    assert "FAILED (COMMAND_CANCELLED)" in world.shell.alien("command", "cancel", command).stdout


def test_an_interrupt_cancels_the_command_and_ends_cleanly(world: World) -> None:
    words = [str(ALIEN), "command", "invoke", "acme", "read"]
    environment = world.shell.environment
    running = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    command = world.lease()["commandId"]
    running.send_signal(signal.SIGINT)
    said, told = running.communicate(timeout=30)
    assert (running.returncode, said) == (130, "")
    assert "Traceback" not in told
    assert f"{command}: FAILED (COMMAND_CANCELLED)" in told
    assert world.process.call("GET", f"/commands/{command}")["response"]["code"] == "COMMAND_CANCELLED"


def test_a_signature_travels_with_the_command(world: World, tmp_path: Path) -> None:
    key = tmp_path / "alice.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(pem)
    half = world.shell.alien("command", "invoke", "acme", "wipe", "--signer", "alice")
    assert (half.returncode, "--signing-key" in half.stderr) == (2, True)
    words = ("command", "invoke", "acme", "wipe", "--no-wait", "--signer", "alice", "--signing-key", str(key))
    assert world.shell.alien(*words).returncode == 0
    assert world.lease()["envelope"]["signature"]["signer"] == "alice"
