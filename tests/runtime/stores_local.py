"""Real stores on `local`: folders, files and one broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.emulators import Emulators
from runtime.runtime_workload import Machine, Running, queue_env

from alien_iac.protocol import environment, secretfile
from alien_iac.protocol.bindings import LocalKv, LocalSecret, LocalStorage


class LocalStores:
    """What one test made."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._broker: Running | None = None

    def storage(self, name: str) -> dict[str, str]:
        binding = LocalStorage(storage_path=str(self._folder("storage") / name))
        return {environment.binding_name(name): json.dumps(binding.dump())}

    def kv(self, name: str) -> dict[str, str]:
        binding = LocalKv(data_dir=str(self._folder("kv") / name))
        return {environment.binding_name(name): json.dumps(binding.dump())}

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> dict[str, str]:
        self._broker = self._broker or self._machine.broker()
        self._machine.make_queue(name, visibility=visibility, receives=receives)
        return queue_env(self._broker, name)

    def secret(self, name: str) -> dict[str, str]:
        key = self._folder("secrets") / "key"
        if not key.exists():
            key.write_text(secretfile.key_text(secretfile.new_key()))
        binding = LocalSecret(path=str(key.parent / f"{name}.enc"), key_file=str(key))
        return {environment.binding_name(name): json.dumps(binding.dump())}

    def set_secret(self, name: str, value: bytes) -> None:
        folder = self._folder("secrets")
        key = secretfile.parse_key((folder / "key").read_text())
        fresh = folder / f"{name}.new"
        fresh.write_bytes(secretfile.seal(value, key))
        fresh.rename(folder / f"{name}.enc")

    def for_sdk(self, env: dict[str, str]) -> dict[str, str]:  # noqa: ARG002 - the bindings are all it needs
        return {environment.DEPLOYMENT_TYPE: "local"}

    def _folder(self, name: str) -> Path:
        folder = self._machine.folder / name
        folder.mkdir(exist_ok=True)
        return folder


@contextmanager
def open_stores(folder: Path, emulators: Emulators) -> Iterator[LocalStores]:  # noqa: ARG001 - `local` needs none
    """The stores of one test."""
    machine = Machine(folder)
    try:
        yield LocalStores(machine)
    finally:
        machine.end()
