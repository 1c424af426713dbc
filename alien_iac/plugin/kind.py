"""What the plugin asks of a kind of resource, so that a further kind is one class and one line in the table.

A kind gets inputs that its model has checked; the servicer does all that is Pulumi's.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from alien_iac.errors import ConfigInvalid, UpdateFailed
from alien_iac.plugin import files
from alien_iac.protocol.local import Layout
from alien_iac.protocol.wire import Wire

Inputs = TypeVar("Inputs", bound=Wire)


@dataclass(frozen=True)
class Call:
    """What a call may use: the deployment's folder, how long it may take, and whether the engine has called it off."""

    folder: Path | None
    timeout_s: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def root(self) -> Path:
        """The deployment's folder. Raises ConfigInvalid where the provider was given none."""
        if self.folder is None:
            raise ConfigInvalid("the alien provider is not configured", hint="give its `localDir` an absolute path")
        return self.folder

    @property
    def layout(self) -> Layout:
        return Layout(self.root)


@dataclass(frozen=True)
class Failure:
    """A property that is wrong, as its path (may be empty: the whole), and why."""

    property: str
    reason: str


@dataclass(frozen=True)
class Live:
    """A resource as it is: its id, and its outputs beside the inputs. `inputs`: what an import found."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] | None = None


class NotReady(UpdateFailed):
    """The resource was made, but did not get ready. `live` is what there is."""

    def __init__(self, message: str, live: Live) -> None:
        super().__init__(message)
        self.live = live


class Kind(ABC, Generic[Inputs]):
    """One type of resource. `create` may meet what an interrupted call left, and `delete` what is gone already."""

    token: ClassVar[str]
    about: ClassVar[str]
    model: type[Inputs]
    replaces: ClassVar[frozenset[str]]
    """Inputs, as they travel, whose change makes a new resource; a change of any other is an update."""
    computed: ClassVar[Mapping[str, str]] = {}
    """Outputs that are not inputs, with their JSON type."""
    in_folder: ClassVar[bool] = True
    """Whether it is in the deployment's folder, so that there has to be one."""
    stable: ClassVar[frozenset[str]] = frozenset()
    """Those of them that an update does not change."""

    def upgraded(self, plain: Mapping[str, Any]) -> Mapping[str, Any]:
        """Inputs as an earlier version wrote them, in today's words: programs and states of before are read too."""
        return plain

    @abstractmethod
    def check(self, inputs: Inputs, call: Call) -> Iterable[Failure]:
        """What is wrong beyond the shape."""

    def delete_first(self, _old: Inputs) -> bool:
        """Whether a replacement has to wait until the old one is gone."""
        return False

    @abstractmethod
    def create(self, inputs: Inputs, call: Call) -> Live:
        """Make it. Raises AlienError; NotReady where it was made and does not work."""

    @abstractmethod
    def read(self, identity: str, inputs: Inputs | None, call: Call) -> Live | None:
        """The resource as it is now, None where it is gone. Without inputs it is looked up to be imported."""

    @abstractmethod
    def update(self, old: Inputs, new: Inputs, call: Call) -> Live:
        """Change it in place. Raises as `create` does."""

    @abstractmethod
    def delete(self, inputs: Inputs, call: Call) -> None:
        """Remove it with all that it holds."""


def within(call: Call, **paths: str) -> list[Failure]:
    """A failure for each path, named by its property, that is not inside the deployment's folder."""
    found = {name: files.outside(path, call.root) for name, path in paths.items()}
    return [Failure(name, reason) for name, reason in found.items() if reason]
