"""Provider plugins as processes: where they are, how they start, and how they end."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from alien_iac.errors import Missing, Unavailable

GRACE_S = 1.0
"""How long a plugin has after SIGINT before it is killed."""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """The command that starts a plugin. `ambient`: it was found on PATH, of which the CLI warns."""

    command: tuple[str, ...]
    ambient: bool = False


@dataclass(frozen=True)
class Plugin:
    """A running plugin and the port on loopback where it listens."""

    process: "subprocess.Popen[str]"
    port: int

    def end(self) -> None:
        """Interrupt it now; kill it in the background if it does not end by itself. Returns at once."""
        self.process.send_signal(signal.SIGINT)
        # Not a daemon, so that a Python that ends meanwhile waits and leaves no plugin behind.
        threading.Thread(target=self._reap, name=f"end-{self.process.pid}", daemon=False).start()

    def _reap(self) -> None:
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Ahead:
    """Plugins that are started before anything asks for them, while the stack program still loads."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, ...], Future[Plugin]] = {}
        self._pool = ThreadPoolExecutor(thread_name_prefix="plugin-ahead")

    def begin(self, found: Found, starting: Callable[[], Plugin]) -> None:
        """Start one beside everything else."""
        if found.command not in self._begun:
            self._begun[found.command] = self._pool.submit(starting)

    def take(self, found: Found) -> Plugin | None:
        """The one that was begun, for its one user; None where there is none, or where it failed."""
        future = self._begun.pop(found.command, None)
        return None if future is None or future.exception() else future.result()

    def end(self) -> None:
        """End those that nobody took."""
        for command in list(self._begun):
            plugin = self.take(Found(command))
            if plugin:
                plugin.end()
        self._pool.shutdown()


def find(name: str, version: str, named: Mapping[str, Path], env: Mapping[str, str]) -> Found:
    """Where a provider is: what `Pulumi.yaml` names, then PATH, then the CLI's folder of installed plugins.

    Raises Missing.
    """
    binary = f"pulumi-resource-{name}"
    if name in named:
        return Found(_at(named[name], binary))
    if on_path := shutil.which(binary, path=env.get("PATH")):
        return Found((on_path,), ambient=True)
    home = Path(env.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = sorted(home.glob(f"plugins/resource-{name}-v{version or '*'}/{binary}"))
    if installed:
        return Found((str(installed[-1]),))
    raise Missing(
        f"no resource plugin {binary!r}, version {version or 'any'}, in Pulumi.yaml's `plugins`, on PATH, or in {home}",
        hint=f"install the plugin, or the Pulumi CLI and `pulumi plugin install resource {name} {version}`".rstrip(),
    )


def _at(place: Path, binary: str) -> tuple[str, ...]:
    if place.is_file():
        return (str(place),)
    if (place / binary).is_file():
        return (str(place / binary),)
    if (place / "__main__.py").is_file():
        return (sys.executable, str(place))
    raise Missing(f"Pulumi.yaml names {str(place)!r} for a plugin, and there is no {binary!r} in it")


def start(found: Found, engine: str, env: Mapping[str, str], folder: Path, log: Log) -> Plugin:
    """Start a plugin and wait for the port that it prints. All else that it prints goes to `log`. Raises Unavailable.

    It gets a process group of its own, so that ^C in a terminal reaches the engine only.
    """
    process = subprocess.Popen(
        [*found.command, engine],
        env=dict(env),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    )
    assert process.stdout  # noqa: S101 (it is a pipe; told to mypy)
    assert process.stderr  # noqa: S101 (it is a pipe; told to mypy)
    port = process.stdout.readline().strip()
    if not port.isdigit():
        process.kill()
        said = f"{port}\n{process.communicate()[1]}".strip()
        raise Unavailable(f"could not start plugin {found.command[0]!r}: it printed no port, but: {said or 'nothing'}")
    for stream in (process.stdout, process.stderr):
        threading.Thread(target=_drain, args=(stream, log), daemon=True, name=f"log-{process.pid}").start()
    return Plugin(process, int(port))


def _drain(stream: IO[str], log: Log) -> None:
    with stream:
        for line in stream:
            if line.strip():
                log(line.rstrip())


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The process's own environment with the update's over it."""
    return {**os.environ, **given}
