from typing import Any

import pytest

from alien_iac.checks import config
from alien_iac.models.platform import Platform

RIGHT = {"alien:platform": "local", "alien:prefix": "acme-x1y2z3"}


def test_the_keys_are_public() -> None:
    assert config.keys() == (
        "alien:agentUrl",
        "alien:controlPlane",
        "alien:customer",
        "alien:deploymentId",
        "alien:domain",
        "alien:encryptionKey",
        "alien:labels",
        "alien:localDir",
        "alien:network",
        "alien:permissionsBoundary",
        "alien:platform",
        "alien:prefix",
        "alien:resourceGroup",
        "alien:retain",
        "alien:telemetryEndpoint",
        "alien:telemetryToken",
    )


def test_platform_and_prefix_are_enough() -> None:
    read = config.read({**RIGHT, "aws:region": "eu-west-1", "directory:limit": "5"})
    assert read.findings == ()
    assert read.config is not None
    assert (read.config.platform, read.config.retain) == (Platform.LOCAL, True)


def test_values_come_as_text_and_objects_as_json() -> None:
    read = config.read({**RIGHT, "alien:retain": "false", "alien:labels": '{"wave":"canary","region":"eu"}'})
    assert read.findings == ()
    assert read.config is not None
    assert (read.config.retain, read.config.labels) == (False, {"wave": "canary", "region": "eu"})


def test_missing_keys_are_named_with_what_to_do() -> None:
    found = config.read({}).findings
    assert [(f.code, f.resource) for f in found] == [
        ("CONFIG_MISSING", "alien:platform"),
        ("CONFIG_MISSING", "alien:prefix"),
    ]
    assert found[0].hint == "set it to aws, gcp, azure or local"


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    (found,) = config.read({**RIGHT, "alien:controlplan": "https://x.example.com"}).findings
    assert (found.code, found.resource) == ("CONFIG_UNKNOWN", "alien:controlplan")
    assert found.hint == 'did you mean "controlPlane"?'


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("platform", "ibm"),
        ("prefix", "Acme"),
        ("prefix", "a--b"),
        ("controlPlane", "alien.example.com"),
        ("agentUrl", "ftp://x"),
        ("agentUrl", "http://user@host/"),
        ("domain", "not a domain"),
        ("labels", "wave"),
        ("labels", '{"wave": 1}'),
        ("labels", '{"Wave": "x"}'),
        ("retain", "perhaps"),
        ("localDir", ""),
    ],
)
def test_a_wrong_value_is_named(key: str, value: str) -> None:
    (found,) = config.read({**RIGHT, f"alien:{key}": value}).findings
    assert (found.code, found.resource) == ("CONFIG_INVALID", f"alien:{key}")


def test_all_problems_come_at_once_and_the_rest_stands_for_the_other_checks() -> None:
    values: dict[str, Any] = {**RIGHT, "alien:retain": "x", "alien:prefix": "X", "alien:nope": 1, "alien:domain": "."}
    read = config.read(values)
    assert sorted(f.resource for f in read.findings) == ["alien:domain", "alien:nope", "alien:prefix", "alien:retain"]
    assert read.config is not None
    assert (read.config.platform, read.config.domain) == (Platform.LOCAL, None)
    assert config.read({**values, "alien:platform": "ibm"}).config is None


def test_an_address_loses_its_last_slash() -> None:
    read = config.read({**RIGHT, "alien:agentUrl": "http://127.0.0.1:4000/"})
    assert read.config is not None
    assert read.config.agent_url == "http://127.0.0.1:4000"
