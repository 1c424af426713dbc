"""The table of the plugin: type token -> the kind of resource that serves it.

A kind is imported when it is first asked for: a deployment on this machine must not wait for what pushes images.
"""

import functools
import importlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from alien_iac.plugin.kind import Kind
from alien_iac.protocol import code, local

_PLACES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        code.ARTIFACT: ("artifact", "ArtifactKind"),
        local.DIRECTORY: ("directory", "DirectoryKind"),
        code.IMAGE: ("image", "ImageKind"),
        local.KV: ("kv", "KvKind"),
        local.PROCESS: ("process", "ProcessKind"),
        local.QUEUE: ("queue", "QueueKind"),
        local.SECRET: ("secret", "SecretKind"),
    }
)
"""Type token to the module of this package that has the kind, and its class."""


class _Kinds(Mapping[str, Kind[Any]]):
    def __getitem__(self, token: str) -> Kind[Any]:
        return _kind(*_PLACES[token])

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)

    def __contains__(self, token: object) -> bool:
        return token in _PLACES


@functools.cache
def _kind(module: str, name: str) -> Kind[Any]:
    found: Kind[Any] = getattr(importlib.import_module(f"alien_iac.plugin.{module}"), name)()
    return found


KINDS: Mapping[str, Kind[Any]] = _Kinds()
