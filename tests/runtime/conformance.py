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

Where the public `alienplatform` SDK can reach the same stores, `sdk` of the line says for which kinds, the object has
`for_sdk` too, and `test_interop.py` takes it up.

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
from runtime import stores_aws, stores_azure, stores_gcp, stores_local
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


class ReachedBySdk(Protocol):
    """A platform whose stores the public SDK can reach here."""

    def for_sdk(self, env: Env) -> Env:
        """What of a workload's environment is otherwise where the SDK is to reach the same stores."""
        ...


class StorageOfBoth(MakesStorage, ReachedBySdk, Protocol):
    """A platform whose Storage ours and the SDK reach."""


class KvOfBoth(MakesKv, ReachedBySdk, Protocol):
    """A platform whose Kv ours and the SDK reach."""


class QueueOfBoth(MakesQueue, ReachedBySdk, Protocol):
    """A platform whose Queue ours and the SDK reach."""


@dataclass(frozen=True)
class Covered:
    """One platform, the kinds that can be had here for tests, those for the SDK, and marks such as `slow`."""

    name: str
    open: Callable[[Path, Emulators], AbstractContextManager[Any]]
    kinds: frozenset[Kind] = frozenset({"storage", "kv", "queue", "secret"})
    sdk: frozenset[Kind] = frozenset()
    marks: tuple[pytest.MarkDecorator, ...] = ()


PLATFORMS = (
    Covered("local", stores_local.open_stores, sdk=frozenset({"storage", "kv", "queue"})),
    Covered("aws", stores_aws.open_stores, sdk=frozenset({"storage", "kv", "queue"})),
    Covered("gcp", stores_gcp.open_stores, frozenset({"storage", "kv", "secret"})),
    Covered("gcp", stores_gcp.open_stores, frozenset({"queue"}), marks=(pytest.mark.slow,)),
    Covered(
        "azure", stores_azure.open_stores, frozenset({"storage", "kv", "secret"}), sdk=frozenset({"storage", "kv"})
    ),
    Covered("azure", stores_azure.open_stores, frozenset({"queue"}), marks=(pytest.mark.slow,)),
)


def covering(kind: Kind) -> list[Any]:
    """The platforms that cover a kind, as a fixture's parameters."""
    return [_parameter(platform) for platform in PLATFORMS if kind in platform.kinds]


def reached_by_sdk(kind: Kind) -> list[Any]:
    """The platforms whose stores of a kind the SDK reaches, as a fixture's parameters."""
    return [_parameter(platform) for platform in PLATFORMS if kind in platform.sdk]


def _parameter(platform: Covered) -> Any:
    return pytest.param(platform, id=platform.name, marks=platform.marks)
