"""What every platform's stores do alike. A platform is an object that makes them; a further one is one more parameter.

`Platform` is all that a suite knows. `LocalStores` is the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from runtime.runtime_workload import Machine, queue_env

from alien_iac.protocol import environment, secretfile
from alien_iac.protocol.bindings import LocalKv, LocalSecret, LocalStorage


class Platform(Protocol):
    """Makes real stores, and the environment of a workload that is linked to them."""

    def storage(self, name: str) -> dict[str, str]: ...

    def kv(self, name: str) -> dict[str, str]: ...

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> dict[str, str]: ...

    def secret(self, name: str) -> dict[str, str]: ...

    def set_secret(self, name: str, value: bytes) -> None: ...


class LocalStores:
    """Folders, files and one broker."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._broker = machine.broker()

    def storage(self, name: str) -> dict[str, str]:
        binding = LocalStorage(storage_path=str(self._folder("storage") / name))
        return {environment.binding_name(name): json.dumps(binding.dump())}

    def kv(self, name: str) -> dict[str, str]:
        binding = LocalKv(data_dir=str(self._folder("kv") / name))
        return {environment.binding_name(name): json.dumps(binding.dump())}

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> dict[str, str]:
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

    def _folder(self, name: str) -> Path:
        folder = self._machine.folder / name
        folder.mkdir(exist_ok=True)
        return folder


@contextmanager
def open_platform(name: str, folder: Path) -> Iterator[Platform]:
    """The stores of a platform, made for one test."""
    machine = Machine(folder)
    try:
        yield {"local": LocalStores}[name](machine)
    finally:
        machine.end()
