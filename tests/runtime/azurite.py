"""azurite, Microsoft's emulator of Azure's Blob and Table, over HTTPS, for tokens of an identity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from runtime import npm_tools
from runtime.loopback import Certificate

PACKAGE = "azurite@3.35.0"
ACCOUNT, KEY = "alientest", "YWxpZW4tdGVzdC1rZXk="
_LISTENING = re.compile(r"Azurite (Blob|Table) service is successfully listening at https://127\.0\.0\.1:(\d+)")


@contextmanager
def running(certificate: Certificate) -> Iterator[dict[str, int]]:
    """The ports of `Blob` and `Table`."""
    program = npm_tools.installed(PACKAGE) / "azurite/dist/src/azurite.js"
    command = [str(program), "--inMemoryPersistence", "--disableTelemetry", "--oauth", "basic"]
    command += ["--cert", str(certificate.chain), "--key", str(certificate.key)]
    for service in ("blob", "queue", "table"):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
    env = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    with npm_tools.running(command, _LISTENING, 2, certificate.root.parent, env) as said:
        yield {service: int(port) for service, port in said}
