"""What every platform's stores do alike, and how a platform takes part.

The suite is `test_storage.py`, `test_kv.py`, `test_queue.py` and `test_secret.py`. A test there asks for
`storage_platform`, `kv_platform`, `queue_platform` or `secret_platform` (conftest.py), runs once for each platform that
covers the kind, and knows nothing of any of them: what holds on one platform alone is tested elsewhere.

A platform takes part with one module, `stores_<platform>.py`, that has

    @contextmanager
    def open_stores(folder: Path, emulators: Emulators) -> Iterator[…]: ...

and with one line in `PLATFORMS`. It yields an object with the methods of the protocols below for the kinds it covers.
It is opened anew for each test (`folder` is the test's own), so its stores must not share names with those of another
test; an emulator behind it is started once for the session, by `emulators.get(start)`. Each method makes an empty store
and returns the whole environment of a workload linked to it as `name`: the binding, and what the cloud's SDK reads,
such as an endpoint and credentials.

What differs between platforms, a test allows for: a time to live counts in seconds and ends late by up to one; a
receive may bring fewer messages than there are, in any order; the order of a scan is the platform's; a stale receipt
may be refused or ignored; a secret's new value is seen with `fresh=True`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from runtime import stores_aws, stores_local
from runtime.emulators import Emulators

Env = dict[str, str]
Kind = Literal["storage", "kv", "queue", "secret"]


class MakesStorage(Protocol):
    """A platform that has Storage here."""

    def storage(self, name: str) -> Env: ...


class MakesKv(Protocol):
    """A platform that has Kv here."""

    def kv(self, name: str) -> Env: ...


class MakesQueue(Protocol):
    """A platform that has Queue here. `visibility` is in seconds; after `receives` a message is a dead letter."""

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> Env: ...


class MakesSecret(Protocol):
    """A platform that has Secret here. A secret has no value until it is set."""

    def secret(self, name: str) -> Env: ...

    def set_secret(self, name: str, value: bytes) -> None: ...


@dataclass(frozen=True)
class Covered:
    """One platform, the kinds that can be had here for tests, and marks such as `pytest.mark.slow`."""

    name: str
    open: Callable[[Path, Emulators], AbstractContextManager[Any]]
    kinds: frozenset[Kind] = frozenset({"storage", "kv", "queue", "secret"})
    marks: tuple[pytest.MarkDecorator, ...] = ()


PLATFORMS = (
    Covered("local", stores_local.open_stores),
    Covered("aws", stores_aws.open_stores),
)


def covering(kind: Kind) -> list[Any]:
    """The platforms that cover a kind, as a fixture's parameters."""
    return [
        pytest.param(platform, id=platform.name, marks=platform.marks)
        for platform in PLATFORMS
        if kind in platform.kinds
    ]
