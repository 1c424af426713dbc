"""What AWS says of Containers before anything is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from providers.aws.aws_stacks import run

import alien_iac as alien

IMAGE = "docker.io/vendor/app@sha256:" + "1" * 64
ONE_ZONE = '{"vpc": "vpc-0a1b2c3d", "private": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"], "public": ["subnet-0a1b2c3f"]}'
CUSTOMERS = {"network": "customer", "public": True, "domain": "api.example.com"}


def container(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Container("api", **{"source": "./api", "port": 8080, **arguments})


def in_two_networks() -> None:
    alien.Container("api", source="./api", port=8080, network="customer")
    alien.Container("index", source="./api", port=7700)


@pytest.mark.parametrize(
    ("program", "config", "codes"),
    [
        (container(cpu=17.0), {}, ("AWS_LIMIT",)),
        (container(public=True, protocol="tcp"), {}, ("UNSUPPORTED",)),
        (container(public=True, domain="api"), {}, ("CONFIG_MISSING",)),
        (container(**CUSTOMERS), {"network": ONE_ZONE}, ("CONFIG_INVALID",)),
        (container(network="customer"), {"alien:network": None}, ("CONFIG_MISSING",)),
        (container(source=None, image="docker.io/vendor/app:1"), {}, ("AWS_IMAGE",)),
        (in_two_networks, {}, ("AWS_NETWORK",)),
    ],
)
def test_what_fargate_cannot_do_is_refused(
    tmp_path: Path, program: Callable[[], Any], config: dict[str, Any], codes: tuple[str, ...]
) -> None:
    recording = run(program, tmp_path, **config)
    errors = tuple(f.code for f in recording.findings if f.severity == "error")
    assert errors == codes
    assert not [r for r in recording.resources if r.custom]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            container(cpu=0.3, memory="3Gi"),
            "Fargate has no 0.3 CPU and 3Gi; it gets 0.5 CPU and 3Gi [AWS_ROUNDED]",
        ),
        (container(public=True), "API Gateway ends a request after 30 s, and takes no body above 10 MiB and no gRPC"),
        (container(source=None, image=IMAGE), "nothing on AWS asks its /health"),
        (container(volumes=[alien.Volume("/data", size="5Gi")]), "its size of 5Gi is no limit here [IGNORED]"),
        (container(), "in the deployment's own network these reach the internet over https only: api"),
    ],
)
def test_what_is_done_otherwise_is_said(tmp_path: Path, program: Callable[[], Any], words: str) -> None:
    recording = run(program, tmp_path)
    assert recording.error is None
    assert [m for m in recording.messages if words in m]


def test_what_fits_needs_no_word(tmp_path: Path) -> None:
    recording = run(container(network="customer"), tmp_path)
    assert recording.error is None
    assert not recording.messages
