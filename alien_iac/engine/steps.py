"""Steps, and which ones lead from an old resource to a new one. Pure: nothing here calls a provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from alien_iac.engine import values
from alien_iac.engine.model import Operation, Resource
from alien_iac.engine.providers import Diff

Op = Literal[
    "same",
    "create",
    "update",
    "delete",
    "replace",
    "create-replacement",
    "delete-replaced",
    "read",
    "read-replacement",
    "refresh",
    "discard",
    "discard-replaced",
    "remove-pending-replace",
]

COUNTED = frozenset({"same", "create", "update", "delete", "replace", "read", "discard"})
"""Steps that stand for a change by themselves; the others are halves of one."""

INIT_ERROR = "#initerror"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do with one resource."""

    op: Op
    old: Resource | None = None
    new: Resource | None = None
    diff: Diff = field(default_factory=lambda: Diff(changes=None))
    keeps_old: bool = False
    """A replacement whose old resource is deleted at the end of the update."""
    pends: bool = False
    """A deletion whose resource stays in the state as a pending replacement until the new one is made."""
    skipped: bool = False
    """A `same` for a resource that is not targeted and does not exist: it is neither made nor recorded."""
    untargeted: bool = False

    @property
    def resource(self) -> Resource:
        """The resource that the step is about."""
        found = self.new or self.old
        assert found is not None  # noqa: S101 (a step has one of the two)
        return found

    @property
    def operation(self) -> Operation | None:
        """What is pending while the step runs."""
        if self.op in ("create", "create-replacement"):
            return Operation(self.resource, "creating")
        if self.op == "update":
            return Operation(self.resource, "updating")
        if self.op in ("read", "read-replacement"):
            return Operation(self.resource, "reading")
        deleting = self.op in ("delete", "delete-replaced", "discard", "discard-replaced")
        return Operation(self.resource, "deleting") if deleting else None


def delete(old: Resource) -> Step:
    """Delete what is no longer wanted."""
    return Step(op="discard" if old.external else "delete", old=old)


def delete_replaced(old: Resource, *, pends: bool) -> Step:
    """Delete what is replaced: before its replacement is made (`pends`) or at the end."""
    return Step(op="discard-replaced" if old.external else "delete-replaced", old=old, pends=pends)


def untargeted(old: Resource) -> Step:
    """Leave alone what is not targeted."""
    return Step(op="same", old=old, new=old, untargeted=True)


def replacement(old: Resource, new: Resource, diff: Diff, *, before: bool) -> list[Step]:
    """Replace a resource. `before`: the old one is deleted first, unless that was done already."""
    replaced = Step(op="replace", old=old, new=new, diff=diff)
    created = Step(op="create-replacement", old=old, new=new, diff=diff, keeps_old=not before)
    if not before:
        return [created, replaced]
    first = [] if old.pending_replacement else [delete_replaced(old, pends=True)]
    return [*first, replaced, created]


def is_same(goal: Resource, old: Resource) -> bool:
    """Whether a resource needs no asking: its inputs are those of the state, and the state shows no drift from them.

    A provider would then be given exactly what it was given before, so it is not even started.
    """
    return (
        dict(goal.inputs) == dict(old.inputs)
        and (not goal.custom or bool(old.id))
        and goal.custom == old.custom
        and not (old.external or old.pending_replacement or old.init_errors or old.delete)
        and not values.has_unknown(dict(goal.inputs))
        and all(old.outputs[k] == v for k, v in old.inputs.items() if k in old.outputs)
    )


def is_counted(step: Step) -> bool:
    """Whether a step that was done stands in the summary. A read does if it found something else than before."""
    if step.op != "read":
        return step.op in COUNTED
    return step.old is not None and step.new is not None and dict(step.old.outputs) != dict(step.new.outputs)


def is_noteworthy(old: Resource, new: Resource) -> bool:
    """Whether an unchanged resource differs so that the state must be written at once, not just at the end."""
    as_before = replace(
        new,
        source_position=old.source_position,
        created=old.created,
        modified=old.modified,
        init_errors=old.init_errors,
        property_dependencies=old.property_dependencies,
    )
    return as_before != old


def with_replace_on_changes(diff: Diff, paths: Sequence[str], *, init_errors: bool) -> Diff:
    """A diff in which changes under `replaceOnChanges` replace. `init_errors`: the last attempt failed half-way."""
    if not paths or not (diff.changes or init_errors):
        return diff
    parsed = [values.parse_path(path) for path in paths]

    def replaces(key: str) -> bool:
        return any(values.contains(path, values.parse_path(key)) for path in parsed)

    keys = dict.fromkeys((*diff.replaces, *(k for k in diff.changed if replaces(k))))
    detailed = {k: _to_replace(v) if replaces(k) else v for k, v in diff.detailed.items()}
    broken = init_errors and replaces(INIT_ERROR)
    if broken:
        keys[INIT_ERROR] = None
    return replace(diff, changes=diff.changes or broken, replaces=tuple(keys), detailed=detailed)


def _to_replace(change: Mapping[str, Any]) -> dict[str, Any]:
    kind = change["diffKind"]
    return {**change, "diffKind": kind if kind.endswith("-replace") else f"{kind}-replace"}
