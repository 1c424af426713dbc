"""Whatever is wrong with a deployment is said in one report, before anything is made."""

from pathlib import Path
from typing import Any

import pytest

import alien_iac as alien
from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.testing.recording import config_for, record, surroundings

CLOUDS = [each for each in platforms.installed() if each is not Platform.LOCAL]
WRONG_PLACE = {
    Platform.AWS: {"aws:allowedAccountIds": '["12345"]', "aws:region": "Frankfurt"},
    Platform.AZURE: {"azure-native:subscriptionId": "12345", "azure-native:location": ""},
    Platform.GCP: {"gcp:project": "Not A Project", "gcp:region": "Belgium"},
}


COMMON = {
    ("ARGUMENT_INVALID", "api"),
    ("CONFIG_MISSING", "alien:domain"),
    ("CONFIG_UNKNOWN", "alien:nonsense"),
    ("QUEUE_CONSUMERS", "jobs"),
    ("RANGE_INVALID", "first"),
    ("RANGE_INVALID", "jobs"),
    ("TRANSFORM_UNKNOWN", "files"),
    ("UNIT_INVALID", "files"),
}
OWN = {
    Platform.AWS: {
        ("AWS_LIMIT", "first"),
        ("CONFIG_INVALID", "aws:allowedAccountIds"),
        ("CONFIG_INVALID", "aws:region"),
        ("UNSUPPORTED", "api"),
    },
    Platform.AZURE: {
        ("AZURE_LIMIT", "api"),
        ("AZURE_LIMIT", "first"),
        ("CONFIG_INVALID", "azure-native:subscriptionId"),
        ("CONFIG_MISSING", "azure-native:location"),
    },
    Platform.GCP: {
        ("CONFIG_INVALID", "gcp:project"),
        ("CONFIG_INVALID", "gcp:region"),
        ("GCP_LIMIT", "first"),
        ("UNSUPPORTED", "api"),
    },
}


def program() -> None:
    jobs = alien.Queue("jobs", retention="1000d")
    taken: dict[str, Any] = {"source": "./worker", "triggers": [jobs.on_message()]}
    alien.Function("first", timeout="100h", memory="900Gi", public=True, domain="a", **taken)
    alien.Function("second", **taken)
    alien.Container("api", source="./worker", port=80, public=True, protocol="tcp", cpu=500)
    alien.Storage("files", expire_after="soon", transform={"nothing": lambda props, opts: (props, opts)})


@pytest.mark.parametrize("platform", CLOUDS, ids=str)
def test_all_that_is_wrong_is_one_report(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "main.py").touch()
    config: dict[str, Any] = {**config_for(platform, nonsense="1"), **WRONG_PLACE[platform]}
    recording = record(program, surroundings(tmp_path, config))
    found = {(finding.code, finding.resource) for finding in recording.findings if finding.severity == "error"}
    assert found == COMMON | OWN[platform]
    assert not [resource for resource in recording.resources if resource.custom]
