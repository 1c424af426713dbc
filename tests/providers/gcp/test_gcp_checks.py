"""What Google Cloud says of a stack before anything is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from providers.gcp.gcp_stacks import IMAGE, KEY, errors, run

import alien_iac as alien


def function(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Function("worker", **{"source": "./worker", **arguments})


def container(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Container("api", **{"source": "./api", "port": 8080, **arguments})


def consumed(timeout: str) -> Callable[[], Any]:
    def program() -> None:
        jobs = alien.Queue("jobs")
        alien.Function("worker", source="./worker", timeout=timeout, triggers=[jobs.on_message()])

    return program


def apart() -> None:
    index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/data")])
    alien.Function("worker", source="./worker", network="customer", link=[index])


def many_listeners() -> None:
    files = alien.Storage("files")
    for number in range(11):
        alien.Function(f"worker-{number}", source="./worker", link=[files], triggers=[files.on_created()])


@pytest.mark.parametrize(
    ("program", "config", "codes"),
    [
        (function(), {"gcp:project": None}, ("CONFIG_MISSING",)),
        (function(), {"gcp:project": "Acme"}, ("CONFIG_INVALID",)),
        (function(), {"gcp:region": None}, ("CONFIG_MISSING",)),
        (function(), {"gcp:region": "europe"}, ("CONFIG_INVALID",)),
        (function(), {"gcp:zone": "us-central1-a"}, ("CONFIG_INVALID",)),
        (function(), {"prefix": "google-x1y2z3"}, ("GCP_NAME",)),
        (lambda: alien.Storage("from-google"), {}, ("GCP_NAME",)),
        (function(env={"GCP_REGION": "x", "K_SERVICE": "y", "X_GOOGLE_A": "z"}), {}, ("ENV_RESERVED",) * 3),
        (function(), {"encryptionKey": "arn:aws:kms:x"}, ("CONFIG_INVALID",)),
        (function(), {"encryptionKey": KEY.replace("europe-west1", "global")}, ("CONFIG_INVALID",)),
        (function(network="customer"), {"network": None}, ("CONFIG_MISSING",)),
        (function(network="customer"), {"network": "default"}, ("CONFIG_INVALID",)),
        (function(public=True, domain="api"), {}, ("CONFIG_MISSING",)),
        (function(image="docker.io/vendor/app:1", source=None), {}, ("GCP_IMAGE",)),
        (function(image=IMAGE, source=None, architecture="arm64"), {}, ("UNSUPPORTED",)),
        (function(triggers=[alien.schedule("0 3 */2 * 1")]), {}, ("GCP_SCHEDULE",)),
        (function(timeout="1h", triggers=[alien.schedule("0 3 * * 1")]), {}, ("GCP_LIMIT",)),
        (consumed("11m"), {}, ("GCP_LIMIT",)),
        (container(cpu=9.0), {}, ("GCP_LIMIT",)),
        (container(protocol="tcp", cpu=65.0), {}, ("ARGUMENT_INVALID",)),
        (container(protocol="tcp", scale=alien.Scale(max=2)), {}, ("UNSUPPORTED",)),
        (container(protocol="tcp", public=True), {}, ("UNSUPPORTED",)),
        (container(volumes=[alien.Volume("/data")], public=True), {}, ("UNSUPPORTED",)),
        (container(volumes=[alien.Volume("/data", shared=True)]), {}, ("UNSUPPORTED",)),
        (apart, {}, ("GCP_NETWORK",)),
        (many_listeners, {}, ("GCP_LIMIT",)),
    ],
)
def test_what_google_cloud_cannot_do_is_refused(
    tmp_path: Path, program: Callable[[], Any], config: dict[str, Any], codes: tuple[str, ...]
) -> None:
    recording = run(program, tmp_path, **config)
    assert errors(recording) == codes
    assert not [r for r in recording.resources if r.custom]


@pytest.mark.parametrize(
    ("program", "config", "words"),
    [
        (function(memory="128Mi"), {}, 'memory "128Mi" is 512Mi: Cloud Run starts no less [GCP_ROUNDED]'),
        (container(), {}, "Cloud Run has no 0.5 CPU with 1024Mi; it gets 1 CPU and 1024Mi [GCP_ROUNDED]"),
        (container(protocol="tcp"), {}, "a machine of its own, e2-small"),
        (container(volumes=[alien.Volume("/data", size="1Gi")]), {}, 'the volume /data of "1Gi" is 10Gi'),
        (container(port=None, scale=alien.Scale(min=2, max=5)), {}, "so 2 copies run, and never more"),
        (lambda: alien.Queue("jobs"), {}, "may have had a few more than 5 [GCP_RECEIVES]"),
        (lambda: alien.Storage("files", expire_after="36h"), {}, 'expire_after "36h" is 2d'),
        (function(), {"encryptionKey": KEY}, "have their key from the day they are made, and keep it"),
        (function(), {"encryptionKey": KEY}, "logs and schedules are encrypted with Google's own key"),
        (function(), {"labels": '{"1st": "x"}'}, "1st: not a label here"),
        (function(triggers=[alien.schedule("0 3 1 * 5")]), {}, "starts it twice on days that match both"),
        (
            function(network="customer"),
            {"network": "projects/host/regions/europe-west1/subnetworks/apps"},
            "the network is shared by host",
        ),
    ],
)
def test_what_is_done_otherwise_is_said(
    tmp_path: Path, program: Callable[[], Any], config: dict[str, Any], words: str
) -> None:
    recording = run(program, tmp_path, **config)
    assert recording.error is None
    assert [m for m in recording.messages if words in m]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    def program() -> None:
        container(cpu=9.0)()
        consumed("1h")()

    assert sorted(errors(run(program, tmp_path, **{"gcp:region": None}))) == [
        "CONFIG_MISSING",
        "GCP_LIMIT",
        "GCP_LIMIT",
    ]
