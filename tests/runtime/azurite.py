"""azurite, Microsoft's emulator of Azure's Blob and Table, from npm: installed once, beside this environment."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import filelock
import pytest
from runtime.loopback import Certificate

VERSION = "3.35.0"
ACCOUNT, KEY = "alientest", "YWxpZW4tdGVzdC1rZXk="
_LISTENING = re.compile(r"Azurite (Blob|Table) service is successfully listening at https://127\.0\.0\.1:(\d+)")


@contextmanager
def running(certificate: Certificate) -> Iterator[dict[str, int]]:
    """The ports of `Blob` and `Table`, over HTTPS, for tokens of an identity. Skips the test where there is no node."""
    command = ["node", str(_installed()), "--inMemoryPersistence", "--disableTelemetry", "--oauth", "basic"]
    command += ["--cert", str(certificate.chain), "--key", str(certificate.key)]
    for service in ("blob", "queue", "table"):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
    env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, cwd=certificate.root.parent
    )
    try:
        yield _ports(process)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def _installed() -> Path:
    """azurite's program."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("azurite needs node and npm, and they are not here")
    folder = Path(sys.prefix) / "tools" / f"azurite-{VERSION}"
    folder.parent.mkdir(exist_ok=True)
    with filelock.FileLock(folder.with_suffix(".lock")):
        if not (folder / "ready").exists():
            install = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
            subprocess.run([*install, f"azurite@{VERSION}"], check=True, timeout=300)
            (folder / "ready").touch()
    return folder / "node_modules/azurite/dist/src/azurite.js"


def _ports(process: subprocess.Popen[str]) -> dict[str, int]:
    """Read what it says until it has said both ports; and go on reading, so that it never waits for a reader."""
    said: Queue[str] = Queue()

    def read() -> None:
        for line in process.stdout or ():
            said.put(line)

    threading.Thread(target=read, daemon=True).start()
    ports: dict[str, int] = {}
    lines: list[str] = []
    while len(ports) < 2:
        try:
            lines.append(said.get(timeout=30))
        except Empty:
            raise RuntimeError(f"azurite did not start:\n{''.join(lines)}") from None
        found = _LISTENING.search(lines[-1])
        if found:
            ports[found[1]] = int(found[2])
    return ports
