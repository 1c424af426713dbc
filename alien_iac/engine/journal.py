"""The record of a running update: every snapshot goes to the stack's checkpoint before the engine goes on."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alien_iac.engine import checkpoint
from alien_iac.engine.backend import Backend, StackName
from alien_iac.engine.model import Resource, Snapshot
from alien_iac.engine.secrets import PassphraseCipher
from alien_iac.errors import Unavailable


class NoJournal:
    """Of a preview: nothing is recorded."""

    def save(self, snapshot: Snapshot) -> None:
        pass


@dataclass
class CheckpointJournal:
    """Writes the checkpoint of one stack. After `close` nothing is written any more."""

    backend: Backend
    name: StackName
    cipher: PassphraseCipher
    before: Mapping[str, Any]
    _encoded: dict[int, tuple[Resource, dict[str, Any]]] = field(default_factory=dict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _closed: bool = False

    def save(self, snapshot: Snapshot) -> None:
        """Record the snapshot durably. Raises Unavailable after `close`."""
        with self._guard:
            if self._closed:
                raise Unavailable(f"the update of '{self.name}' was ended; nothing more is recorded")
            latest = checkpoint.deployment(snapshot, self.cipher.salt, self.before, self._encode)
            self.backend.save(self.name, checkpoint.text(str(self.name), latest))

    def close(self) -> None:
        """Record nothing more: the update was ended from outside."""
        with self._guard:
            self._closed = True

    def _encode(self, resource: Resource) -> dict[str, Any]:
        """Each resource is sealed once; resources are frozen, so the same object has the same text."""
        kept = self._encoded.get(id(resource))
        if kept is None or kept[0] is not resource:
            kept = resource, checkpoint.encode(resource, self.cipher)
            self._encoded[id(resource)] = kept
        return kept[1]
