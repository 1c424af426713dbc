"""What Azure says of a stack before anything is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from providers.azure.azure_stacks import IMAGE, KEY, codes, run

import alien_iac as alien

LOCATION, SUBSCRIPTION = "azure-native:location", "azure-native:subscriptionId"
CLIENT, APPLICATION = "azure-native:clientId", "alien-azure:application"


def function(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Function("worker", **{"source": "./worker", **arguments})


def container(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Container("api", **{"source": "./api", "port": 8080, **arguments})


def apart() -> None:
    index = alien.Container("index", source="./api", port=7700)
    alien.Function("worker", source="./worker", network="customer", link=[index])


def one_port() -> None:
    alien.Container("one", source="./api", port=5432, protocol="tcp")
    alien.Container("two", source="./api", port=5432, protocol="tcp")


def called() -> None:
    helper = alien.Function("helper", source="./worker")
    alien.Function("worker", source="./worker", link=[helper])


@pytest.mark.parametrize(
    ("program", "config", "expected"),
    [
        (function(), {LOCATION: None}, ("CONFIG_MISSING",)),
        (function(), {LOCATION: "West-Europe"}, ("CONFIG_INVALID",)),
        (function(), {SUBSCRIPTION: None}, ("CONFIG_MISSING",)),
        (function(), {SUBSCRIPTION: "Acme"}, ("CONFIG_INVALID",)),
        (function(commands=True), {APPLICATION: None}, ("CONFIG_MISSING",)),
        (function(commands=True), {CLIENT: None}, ("CONFIG_MISSING",)),
        (called, {APPLICATION: None}, ("CONFIG_MISSING",)),
        (function(), {"permissionsBoundary": "x"}, ("CONFIG_INVALID",)),
        (function(), {"encryptionKey": "arn:aws:kms:x"}, ("CONFIG_INVALID",)),
        (function(), {"labels": '{"azure-tier": "gold"}'}, ("CONFIG_INVALID",)),
        (function(network="customer"), {"network": None}, ("CONFIG_MISSING",)),
        (function(network="customer"), {"network": "vnet"}, ("CONFIG_INVALID",)),
        (function(network="customer"), {"network": "{}"}, ("CONFIG_INVALID",)),
        (function(public=True, domain="api"), {}, ("CONFIG_MISSING",)),
        (function(memory="5Gi"), {}, ("AZURE_LIMIT",)),
        (function(memory="9Gi", source=None, image=IMAGE), {}, ("AZURE_LIMIT",)),
        (function(image="docker.io/vendor/app:1", source=None), {}, ("AZURE_IMAGE",)),
        (function(image=IMAGE, source=None, architecture="arm64"), {}, ("UNSUPPORTED",)),
        (function(env={"AzureWebJobsStorage": "x", "AZURE_CLIENT_ID": "y"}), {}, ("ENV_RESERVED", "ENV_RESERVED")),
        (container(env={"AZURE_CLIENT_ID": "y"}), {}, ("ENV_RESERVED",)),
        (container(cpu=5.0), {}, ("AZURE_LIMIT",)),
        (container(protocol="tcp", port=443), {}, ("AZURE_LIMIT",)),
        (container(protocol="tcp", public=True, domain="db.example.com"), {}, ("UNSUPPORTED",)),
        (one_port, {}, ("AZURE_LIMIT",)),
        (apart, {}, ("AZURE_NETWORK",)),
    ],
)
def test_what_cannot_be_is_found_before_anything_is_made(
    program: Callable[[], Any], config: dict[str, Any], expected: tuple[str, ...], tmp_path: Path
) -> None:
    recording = run(program, tmp_path, **config)
    assert codes(recording) == expected
    assert not [r for r in recording.resources if r.custom]
    assert all(f.hint for f in recording.findings if f.severity == "error")


@pytest.mark.parametrize(
    ("program", "config", "code"),
    [
        (function(memory="1Gi"), {}, "AZURE_ROUNDED"),
        (function(timeout="10m", public=True), {}, "AZURE_HTTP_WAIT"),
        (function(public=True, domain="api.example.com"), {}, "AZURE_CONTAINER_APP"),
        (container(public=True, domain="api.example.com"), {}, "AZURE_DOMAIN"),
        (container(cpu=0.3), {}, "AZURE_ROUNDED"),
        (container(volumes=[alien.Volume("/data", size="1Gi", shared=True)]), {}, "AZURE_ROUNDED"),
        (container(volumes=[alien.Volume("/data", size="200Gi")]), {}, "AZURE_OVERLAP"),
        (container(), {"resourceGroup": "theirs"}, "AZURE_FLOW_LOGS"),
        (container(), {"encryptionKey": KEY}, "AZURE_KEY"),
    ],
)
def test_what_is_other_than_asked_for_is_said(
    program: Callable[[], Any], config: dict[str, Any], code: str, tmp_path: Path
) -> None:
    recording = run(program, tmp_path, **config)
    assert recording.error is None
    assert any(f"[{code}]" in message for message in recording.messages)
