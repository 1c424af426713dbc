"""Machines: their disks outlive them, one writes at a time, and what they start is exactly what was meant."""

import base64
import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from providers.gcp.gcp_stacks import IMAGE, KEY, run

import alien_iac as alien
from alien_iac.testing.recording import Recording
from alien_iac_gcp.cloud_init import START, Program, user_data
from alien_iac_gcp.sizes import MACHINES, SYSTEM_MIB, Size, machine, run_size


def index() -> None:
    volumes = [alien.Volume("/meili_data", size="20Gi"), alien.Volume("/logs")]
    alien.Container("index", image=IMAGE, command=["serve", "--all"], port=7700, volumes=volumes, env={"A": "b c"})


@pytest.fixture
def made(tmp_path: Path) -> Recording:
    return run(index, tmp_path)


def test_disks_are_data_and_the_machine_is_not(made: Recording) -> None:
    kept = {r.name for r in made.resources if r.protect and r.retain_on_delete}
    assert kept == {"index-meili-data", "index-logs"}
    assert made.one("gcp:compute/disk:Disk", "index-meili-data").inputs["size"] == 20


def test_the_old_machine_is_gone_before_the_new_one_starts(made: Recording) -> None:
    policy = made.one("gcp:compute/instanceGroupManager:InstanceGroupManager", "index").inputs["updatePolicy"]
    assert (policy["replacementMethod"], policy["maxSurgeFixed"], policy["maxUnavailableFixed"]) == ("RECREATE", 0, 1)


def test_disks_and_address_stay_with_the_machine(made: Recording) -> None:
    state = made.one("gcp:compute/perInstanceConfig:PerInstanceConfig", "index-instance").inputs["preservedState"]
    assert [(d["deviceName"], d["deleteRule"]) for d in state["disks"]] == [("meili-data", "NEVER"), ("logs", "NEVER")]
    assert state["internalIps"][0]["autoDelete"] == "NEVER"


def script(text: str) -> str:
    head, _, body = text.partition("\n")
    assert head == "#cloud-config"
    (found,) = (f for f in json.loads(body)["write_files"] if f["path"] == START)
    return base64.b64decode(found["content"]).decode()


def test_a_machine_starts_the_image_with_its_disks_and_variables(made: Recording) -> None:
    template = made.one("gcp:compute/instanceTemplate:InstanceTemplate", "index-template").inputs
    lines = script(template["metadata"]["user-data"]).splitlines()
    assert "export A='b c'" in lines
    assert "export PORT=7700" in lines
    assert "export ALIEN_VOLUME_MEILI_DATA=/meili_data" in lines
    words = shlex.split(lines[-1])
    assert "--volume=/mnt/disks/meili-data:/meili_data" in words
    assert "@sha256:" in words[-3]
    assert words[-2:] == ["serve", "--all"]


def program(**changed: Any) -> Program:
    plain: dict[str, Any] = {"image": "i", "registry": "r", "env": {}, "command": (), "disks": {}, "port": None}
    return Program(**{**plain, **changed})


def test_a_script_is_one_that_bash_reads() -> None:
    whole = script(user_data(program(disks={"data": "/data"}, port=80, env={"A": "it's\n$(x)"}, command=("a", "b c"))))
    subprocess.run(["/bin/bash", "-n", "-c", whole], check=True)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_whatever_a_variable_holds_arrives(value: str) -> None:
    before, _, line = script(user_data(program(env={"PATH": value}))).partition("export PATH=")
    assert "docker pull" in before
    assert shlex.split(line)[:3] == [value, "exec", "/usr/bin/docker"]


def test_only_an_empty_disk_gets_a_file_system() -> None:
    """The script's own lines, with stand-ins for the tools of a machine: what `blkid` answers decides."""
    lines = script(user_data(program(disks={"data": "/data"}))).splitlines()
    start = next(number for number, line in enumerate(lines) if "probed=0" in line)
    part = "\n".join(lines[start : start + 3])
    for answer, formats in ((0, False), (2, True), (4, False), (8, False)):
        tools = f"blkid() {{ return {answer}; }}; mkfs.ext4() {{ echo made; }};"
        told = subprocess.run(["/bin/bash", "-euc", tools + part], capture_output=True, text=True, check=True)
        assert (told.stdout == "made\n") is formats


sizes = st.builds(Size, st.floats(0.1, 64), st.integers(128, 32 * 1024))


@given(sizes)
def test_a_machine_has_room_for_what_was_asked(size: Size) -> None:
    chosen = machine(size)
    assert chosen is not None
    (_, cpu, mib, _) = next(m for m in MACHINES if m[0] == chosen.type)
    assert cpu >= size.cpu
    assert mib >= size.mib + SYSTEM_MIB


@given(sizes)
def test_cloud_run_gets_a_size_that_it_has(size: Size) -> None:
    chosen = run_size(size)
    assert (chosen is None) == (size.cpu > 8)
    if chosen is not None:
        assert chosen.cpu in {1, 2, 4, 6, 8}
        assert chosen.cpu >= size.cpu
        assert size.mib <= chosen.mib <= chosen.cpu * 4096
        assert chosen.mib >= {1: 512, 2: 512, 4: 2048, 6: 4096, 8: 4096}[int(chosen.cpu)]


def test_the_customers_key_encrypts_everything_that_holds_data(tmp_path: Path) -> None:
    def stack() -> None:
        files, sessions, jobs, crm = alien.Storage("files"), alien.Kv("kv"), alien.Queue("jobs"), alien.Secret("crm")
        alien.Function("worker", source="./worker", link=[files, sessions, crm, jobs])
        index()

    recording = run(stack, tmp_path, encryptionKey=KEY)
    encrypted = {
        r.type.rpartition(":")[2] for r in recording.resources if KEY in str(r.inputs) and "Member" not in r.type
    }
    assert encrypted == {"Bucket", "Database", "Topic", "Secret", "Disk", "InstanceTemplate", "Repository", "Service"}
    granted = [r for r in recording.resources if r.type == "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"]
    assert {r.inputs["role"] for r in granted} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    assert sorted(r.inputs["member"].partition("@")[2].partition(".")[0] for r in granted) == [
        "compute-system",
        "gcp-sa-artifactregistry",
        "gcp-sa-firestore",
        "gcp-sa-pubsub",
        "gcp-sa-secretmanager",
        "gs-project-accounts",
        "serverless-robot-prod",
    ]
    bucket = recording.one("gcp:storage/bucket:Bucket", "files")
    assert any(urn.endswith("storage-key") for urn in bucket.depends_on)
