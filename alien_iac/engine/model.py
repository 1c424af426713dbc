"""What the engine's parts hand to each other: the resources of a Pulumi stack, one update, and its result.

Property values are JSON as Pulumi's wire has it: a secret is `{SIGNATURE: SECRET, "value": plain}`, an unknown is the
string `UNKNOWN`, and both may stand anywhere in a value. In the state file a secret's `value` is a `ciphertext`;
sealing and opening it is the business of `secrets`, so nothing here holds a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, not one
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Properties = Mapping[str, Any]
Kind = Literal["update", "preview", "refresh", "destroy"]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the state has it. Field names are the checkpoint's, in Python's spelling."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    parent: str = ""
    provider: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delete: bool = False
    external: bool = False
    protect: bool = False
    retain_on_delete: bool = False
    pending_replacement: bool = False
    init_errors: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    deleted_with: str = ""
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    created: str = ""
    modified: str = ""
    source_position: str = ""
    rest: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the checkpoint that this engine does not use, kept so that a stack moves to the CLI and back whole."""


@dataclass(frozen=True)
class Operation:
    """A step that was begun and whose end is not recorded: `creating`, `updating`, `deleting` or `reading`."""

    resource: Resource
    type: Literal["creating", "updating", "deleting", "reading"]


@dataclass(frozen=True)
class Snapshot:
    """All that a stack's state says of its resources, in the order in which they were registered."""

    resources: tuple[Resource, ...] = ()
    pending_operations: tuple[Operation, ...] = ()


class Journal(Protocol):
    """Where an update records what it did. `save` returns when the snapshot is durable."""

    def save(self, snapshot: Snapshot) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Request:
    """One update to run. Flags have the CLI's names and defaults."""

    kind: Kind
    organization: str
    project: str
    stack: str
    work_dir: Path
    main: Path
    """The folder of the program (the project's `main`, or `work_dir`)."""
    snapshot: Snapshot
    journal: Journal
    config: Mapping[str, str] = field(default_factory=dict)
    """Fully qualified key to plain value; objects are JSON text."""
    secret_keys: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    """Address of a language server that runs the program (`--client`); empty: a child Python is started."""
    event_log: str = ""
    plugins: Mapping[str, Path] = field(default_factory=dict)
    """Provider name to the folder or file that `Pulumi.yaml` names for it."""
    parallel: int = 16
    targets: tuple[str, ...] = ()
    target_dependents: bool = False
    excludes: tuple[str, ...] = ()
    exclude_dependents: bool = False
    replace: tuple[str, ...] = ()
    refresh: bool = False
    run_program: bool = False
    dry_run: bool = False
    """Only show what a refresh or destroy would do (`--preview-only`). A preview is always dry."""
    expect_no_changes: bool = False
    continue_on_error: bool = False
    show_secrets: bool = False
    stack_outputs: Callable[[str], Properties] | None = None
    """Outputs of another stack of the same backend by its full name, for stack references."""

    @property
    def dry(self) -> bool:
        """Whether the update only shows what it would do."""
        return self.dry_run or self.kind == "preview"


@dataclass(frozen=True, kw_only=True)
class Result:
    """How an update ended. `changes` counts steps by operation, as the CLI's summary does."""

    snapshot: Snapshot
    changes: Mapping[str, int]
    succeeded: bool
    error: str = ""
    """What stands after `error: ` on the CLI's stderr; empty when it succeeded, or when the output tells it already."""
    cancelled: bool = False
    """Whether it was asked to end before its end."""
