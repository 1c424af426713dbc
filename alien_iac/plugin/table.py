"""The table of the plugin: type token -> the kind of resource that serves it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from alien_iac.plugin.artifact import ArtifactKind
from alien_iac.plugin.directory import DirectoryKind
from alien_iac.plugin.image import ImageKind
from alien_iac.plugin.kind import Kind
from alien_iac.plugin.kv import KvKind
from alien_iac.plugin.process import ProcessKind
from alien_iac.plugin.queue import QueueKind
from alien_iac.plugin.secret import SecretKind

_ALL: tuple[Kind[Any], ...] = (
    ArtifactKind(),
    DirectoryKind(),
    ImageKind(),
    KvKind(),
    ProcessKind(),
    QueueKind(),
    SecretKind(),
)
KINDS: Mapping[str, Kind[Any]] = MappingProxyType({kind.token: kind for kind in _ALL})
