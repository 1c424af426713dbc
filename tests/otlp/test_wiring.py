"""How workloads learn where their telemetry goes, on every platform, with nothing that connects to them."""

import json
from pathlib import Path

import pytest

import alien_iac as alien
from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.runtime.telemetry.process import headers
from alien_iac.testing.recording import Recording, config_for, record, surroundings

ENDPOINT, TOKEN = "https://otlp.example.com", "alien_token_planted-in-the-config"
IMAGE = "docker.io/library/busybox@sha256:" + "0" * 64


def built(platform: Platform, folder: Path, env: dict[str, str] | None = None, **config: str) -> Recording:
    (folder / "worker").mkdir(exist_ok=True)
    (folder / "worker" / "main.py").touch()

    def program() -> None:
        alien.Function("worker", source="./worker", env=env or {})
        alien.Container("api", image=IMAGE, port=8080)

    found = record(program, surroundings(folder, config_for(platform, **config), docker=True))
    assert found.error is None, found.findings
    return found


def told(recording: Recording) -> str:
    return json.dumps([dict(resource.inputs) for resource in recording.resources], default=str)


@pytest.mark.parametrize("platform", platforms.installed(), ids=str)
def test_every_workload_is_told_on_every_platform(platform: Platform, tmp_path: Path) -> None:
    text = told(built(platform, tmp_path, telemetryEndpoint=ENDPOINT, telemetryToken=TOKEN))
    assert text.count("OTEL_EXPORTER_OTLP_ENDPOINT") >= 2
    for name in ("worker", "api"):
        assert f"alien-workload={name}" in text
    assert (TOKEN in text) is (platform is not Platform.LOCAL)


def test_nothing_is_told_without_an_endpoint(tmp_path: Path) -> None:
    assert "OTEL_" not in told(built(Platform.LOCAL, tmp_path, telemetryToken=TOKEN))


def test_who_names_another_endpoint_gets_no_token_of_ours(tmp_path: Path) -> None:
    other = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://elsewhere.example"}
    recording = built(Platform.LOCAL, tmp_path, other, telemetryEndpoint=ENDPOINT)
    worker = recording.one("alien:local:Process", "worker").inputs["env"]
    assert worker["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://elsewhere.example"
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in worker


def test_the_headers_are_those_of_the_environment_and_the_token_that_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("new\n")
    env = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20old,alien-workload=api,x-team=a%2Cb"}
    assert headers(env) == {"authorization": "Bearer old", "alien-workload": "api", "x-team": "a,b"}
    assert headers({**env, "ALIEN_WORKLOAD_TOKEN_FILE": str(file)})["authorization"] == "Bearer new"
