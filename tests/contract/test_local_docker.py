"""An image on `local`: what is asked of Docker, and that it ends with its process."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pulumi
import pytest

import alien_iac as alien
from alien_iac.resources.surroundings import has_docker
from alien_iac.testing.recording import config_for, record, surroundings

FAKE = """\
#!/bin/sh
echo "$@" >> "$DOCKER_LOG"
case $1 in
  run) echo $$ > "$DOCKER_LOG.pid"; exec sleep 60;;
  stop) kill "$(cat "$DOCKER_LOG.pid")";;
esac
"""
ADDRESSES = "docker.io/library/busybox:1.36"


def inputs(folder: Path, image: str, **arguments: Any) -> dict[str, Any]:
    def program() -> None:
        files = alien.Storage("files")
        alien.Storage("others")
        later = pulumi.Output.from_input(image)
        alien.Container("index", image=later, env={"KEY": "hunter2"}, link=[files], **arguments)

    recording = record(program, surroundings(folder, config_for("local"), docker=True))
    assert recording.error is None
    return dict(recording.one("alien:local:Process", "index").inputs)


def started(process: dict[str, Any], environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(process["command"], env={**os.environ, **process["env"], **environ})


def wait_for(path: Path) -> str:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if path.is_file() and path.read_text():
            return path.read_text()
        time.sleep(0.02)
    raise TimeoutError(path)


def test_docker_is_asked_for_the_image_its_port_its_folders_and_names_of_variables(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text(FAKE)
    (tmp_path / "docker").chmod(0o755)
    log = tmp_path / "asked"
    process = inputs(tmp_path, "an/image", port=7700, command=["serve", "it now"], volumes=[alien.Volume("/data")])
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER_LOG": str(log), "PORT": "40123"}
    running = started(process, environ)
    wait_for(Path(f"{log}.pid"))
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) is not None
    removed, run, stop = log.read_text().splitlines()
    assert removed == "rm --force acme-x1y2z3-index"
    assert stop == "stop acme-x1y2z3-index"
    assert run.startswith("run --rm --name acme-x1y2z3-index --publish 127.0.0.1:40123:7700 ")
    assert run.endswith(" an/image serve it now")
    assert "--env KEY " in run
    assert "hunter2" not in run
    root = tmp_path / ".alien" / "acme-x1y2z3"
    assert f"--volume {root}/storage/files:{root}/storage/files" in run
    assert f"--volume {root}/volumes/index/data:/data" in run
    assert "others" not in run
    assert process["env"]["ALIEN_VOLUME_DATA"] == "/data"


def test_a_container_of_docker_that_ends_ends_its_process(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\n[ $1 = run ] && exit 7 || exit 0\n")
    (tmp_path / "docker").chmod(0o755)
    process = inputs(tmp_path, "an/image")
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PORT": "40123"}
    assert started(process, environ).wait(10) == 7


@pytest.mark.docker
@pytest.mark.skipif(not has_docker(), reason="no Docker daemon answers")
@pytest.mark.slow
def test_an_image_answers_on_its_loopback_port(tmp_path: Path) -> None:
    process = inputs(tmp_path, ADDRESSES, port=8000, command=["httpd", "-f", "-p", "8000", "-h", "/etc"])
    running = started(process, {"PORT": "40321"})
    try:
        transport = httpx.HTTPTransport(retries=10)
        assert httpx.Client(transport=transport, timeout=60).get("http://127.0.0.1:40321/passwd").status_code == 200
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)
