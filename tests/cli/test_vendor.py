"""The vendor's side against a real control plane: keys and their rotation, tokens, signed configs, the audit log."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cli.command_line import ALIEN, Shell

PASSPHRASE = "correct horse"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A project, and a control plane that knows nothing yet."""
    root = tmp_path_factory.mktemp("vendor")
    shell = Shell(root, root, {"ALIEN_KEY_PASSPHRASE": PASSPHRASE})
    with (root / "told").open("w") as told:
        words = [str(ALIEN), "serve", "--data", "control", "--port", "0", "--json"]
        serving = subprocess.Popen(words, cwd=root, env=shell.environment, stdout=told, text=True)
    try:
        while not (text := (root / "told").read_text()).rstrip().endswith("}"):
            assert serving.poll() is None
        facts = json.loads(text)
        more = {"ALIEN_CONTROL_PLANE": facts["url"], "ALIEN_TOKEN_FILE": facts["adminTokenFile"]}
        shell = replace(shell, more={**shell.more, **more})
        shell.done("init")
        shell.done("key", "init", "--vendor", "shop")
        yield shell
    finally:
        serving.terminate()
        assert serving.wait(20) == 0


def test_keys_are_made_once_and_encrypted(vendor: Shell) -> None:
    again = vendor.alien("key", "init", "--vendor", "shop")
    assert again.returncode == 4
    assert "`alien key rotate`" in again.stderr
    keys = list((vendor.folder / ".alien" / "vendor").rglob("*.pem"))
    assert len(keys) == 2
    assert all(b"ENCRYPTED" in key.read_bytes() and key.stat().st_mode & 0o077 == 0 for key in keys)


def test_a_wrong_passphrase_signs_nothing(vendor: Shell) -> None:
    other = replace(vendor, more={**vendor.more, "ALIEN_KEY_PASSPHRASE": "wrong"})
    refused = other.alien("release", "0", "--no-rollout")
    assert refused.returncode == 5
    assert "does not open with this passphrase" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_releases_before_and_after_rotations(vendor: Shell) -> None:
    first = vendor.done("release", "1", "--no-rollout")
    assert vendor.done("key", "rotate") == {"root": 2}
    second = vendor.done("release", "2", "--no-rollout")
    assert vendor.done("key", "rotate") == {"root": 3}
    assert vendor.done("key", "send") == {"root": 3}
    assert [first["sequence"], second["sequence"]] == [1, 2]
    assert vendor.done("release", "2", "--no-rollout")["sequence"] == 2  # recorded already, and left as it is


def test_a_release_that_was_cut_short_after_it_was_published(vendor: Shell) -> None:
    folder = vendor.folder / ".alien" / "vendor"
    before = {path: path.read_bytes() for path in folder.glob("*.json")}
    made = vendor.done("release", "3", "--no-rollout")
    for path, content in before.items():
        path.write_bytes(content)
    following = vendor.done("release", "4", "--no-rollout")
    assert following["sequence"] == made["sequence"] + 1


def test_a_signed_config_reaches_its_deployment_and_holds_no_secret(vendor: Shell) -> None:
    deployment = vendor.done("token", "enrol", "acme", "--platform", "local")["deploymentId"]
    file = vendor.folder / "acme.yaml"
    file.write_text("config:\n  app:size: large\n")
    config = vendor.done("deployments", "configure", "acme", "acme.yaml")
    assert (config["serial"], config["deploymentId"], config["values"]) == (1, deployment, {"app:size": "large"})
    assert vendor.done("deployments", "configure", "acme", "acme.yaml")["serial"] == 2
    file.write_text("config:\n  app:password: {secure: v1:abc}\n")
    refused = vendor.alien("deployments", "configure", "acme", "acme.yaml")
    assert refused.returncode == 2
    assert "app:password" in refused.stderr


def test_tokens_are_shown_once_and_revoked(vendor: Shell) -> None:
    made = vendor.done("token", "make", "dashboard", "--scope", "read")
    reader = replace(vendor, more={**vendor.more, "ALIEN_TOKEN": made["token"], "ALIEN_TOKEN_FILE": ""})
    assert isinstance(reader.done("deployments", "ls"), list)
    assert reader.alien("token", "enrol", "eve", "--platform", "local").returncode == 5
    assert made["token"] not in json.dumps(vendor.done("token", "ls"))
    vendor.done("token", "revoke", made["id"])
    assert reader.alien("deployments", "ls").returncode == 5


def test_the_audit_log_names_who_did_what(vendor: Shell) -> None:
    assert vendor.done("audit", "verify")["whole"]
    for _ in range(2):
        assert vendor.done("audit", "verify", "--anchor", "head")["whole"]
    anchor = vendor.folder / "head"
    number, noted = anchor.read_text().split()
    anchor.write_text(f"{int(number) + 1} {noted}")
    assert vendor.alien("audit", "verify", "--anchor", "head").returncode == 9, "the newest entry was removed"
    anchor.write_text("something else")
    assert vendor.alien("audit", "verify", "--anchor", "head").returncode == 2
    actions = {entry["action"] for entry in vendor.done("audit", "ls")}
    assert {"tuf.root", "release.publish", "deployment.create", "deployment.config"} <= actions
