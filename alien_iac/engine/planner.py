"""Decides, one registration after the other, which steps make the state what the program wants.

It asks providers to check and to compare, and changes nothing; the executor carries the steps out. Its methods are
called by one thread at a time: the monitor lets registrations in one by one.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from alien_iac.engine import deletes, steps, urns, values
from alien_iac.engine.dependents import Dependents
from alien_iac.engine.events import Events
from alien_iac.engine.goals import Goal
from alien_iac.engine.ledger import Ledger
from alien_iac.engine.model import Properties, Request, Resource
from alien_iac.engine.providers import Diff, Failures, Provider
from alien_iac.engine.registry import Registry
from alien_iac.engine.steps import Step
from alien_iac.errors import UpdateFailed


class Bail(UpdateFailed):
    """The update ends, and why has been said already."""


@dataclass
class Seen:
    """What the update has decided so far, by URN."""

    goals: dict[str, Goal] = field(default_factory=dict)
    urns: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    """Registered or read: neither to be deleted nor to be found among the dependents of something replaced later."""
    replaced: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    """Not targeted and not there: whatever needs one of these cannot be made."""
    renamed: dict[str, str] = field(default_factory=dict)
    """New URN to the alias under which the state had the resource."""
    claimed: dict[str, str] = field(default_factory=dict)
    """The alias to the new URN."""
    unchanged_providers: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    """Targeted, or excluded, because they depend on something that is."""
    to_delete: list[str] = field(default_factory=list)
    """What `destroy --run-program` registered, to be deleted in the end."""


class Planner:
    """The decisions of one update."""

    def __init__(self, request: Request, ledger: Ledger, registry: Registry, events: Events) -> None:
        self._request, self._ledger, self._registry, self._events = request, ledger, registry, events
        self._preview = request.dry
        self._destroying = request.kind == "destroy"
        self._namer = urns.Namer(request.stack, request.project)
        self._targets, self._excludes = urns.Targets(request.targets), urns.Targets(request.excludes)
        self._replace = urns.Targets(request.replace)
        self._dependents = Dependents(registry, self.provider)
        self.seen = Seen()
        self.failed = False
        self._olds: dict[str, Resource] = {}
        self.reload()

    def reload(self) -> None:
        """Take the old state as it is now, after a refresh."""
        self._olds = {r.urn: r for r in self._ledger.base() if not r.delete}

    def claim(self, urn: str, parent: str) -> None:
        """Take a URN for a registration. Raises Bail if it is taken, UpdateFailed if its parent is not there."""
        if urn in self.seen.urns:
            raise self.bail(f"Duplicate resource URN '{urn}'; try giving it a unique name", urn)
        if parent and parent not in self.seen.urns:
            raise UpdateFailed(f"could not find parent resource {parent}")
        self.seen.urns.add(urn)

    def bail(self, message: str, urn: str = "") -> Bail:
        """Say an error; what is returned is to be raised."""
        self._events.diagnostic("error", message, urn)
        return Bail(message)

    def plan(self, goal: Goal) -> list[Step]:
        """The steps for one registration. Raises UpdateFailed."""
        self.claim(goal.urn, goal.parent)
        old, alias = self._old(goal.urn, goal.parent, goal.aliases)
        self.seen.goals[goal.urn] = goal
        new = goal.resource(old, alias)
        if self._destroying:
            early = self._destroy(goal, old, new)
            if early is not None:
                return early
        planned = self._same_or(goal, old, new)
        self.seen.done.add(goal.urn)
        self._refuse_missing(planned)
        return planned

    def read(self, new: Resource) -> list[Step]:
        """The steps for reading a resource that somebody else owns."""
        self.claim(new.urn, new.parent)
        old, alias = self._old(new.urn, new.parent, ())
        new = replace(new, aliases=(alias,) if alias else ())
        self.seen.done.add(new.urn)
        if old is not None and not old.external and old.id != new.id:
            self.seen.replaced.add(new.urn)
            read = Step(op="read-replacement", old=old, new=new, keeps_old=True)
            return [read, Step(op="replace", old=old, new=new)]
        if self._destroying:
            self.seen.to_delete.append(new.urn)
        return [Step(op="read", old=old, new=new)]

    def _old(self, urn: str, parent: str, given: Iterable[urns.Alias]) -> tuple[Resource | None, str]:
        if urn in self.seen.claimed:
            by = self.seen.claimed[urn]
            raise self.bail(f"Duplicate resource URN '{urn}' conflicting with alias on resource with URN '{by}'", urn)
        for name in (urn, *self._namer.aliases(urn, parent, given, self.seen.renamed)):
            old = self._olds.get(name)
            if old is None:
                continue
            if name == urn:
                return old, ""
            taken = name if name in self.seen.urns else self.seen.claimed.get(name)
            if taken:
                raise self.bail(
                    f"Duplicate resource alias '{name}' applied to resource with URN '{urn}' "
                    f"conflicting with resource with URN '{urn if taken == name else taken}'",
                    urn,
                )
            self.seen.claimed[name], self.seen.renamed[urn] = urn, name
            if urns.is_provider(old.type):
                self._registry.same(replace(old, urn=urn))
                self._registry.alias(urns.reference(urn, old.id), urns.reference(name, old.id))
            return old, name
        return None, ""

    def _destroy(self, goal: Goal, old: Resource | None, new: Resource) -> list[Step] | None:
        """While a program runs to be destroyed, no resource is made; providers and components are, to be deleted."""
        kept = goal.custom and not urns.is_provider(goal.type)
        if deletes.dependencies(new) & self.seen.skipped or (kept and old is None):
            self.seen.skipped.add(goal.urn)
            outputs = old.outputs if old else {}
            return [Step(op="same", new=replace(new, outputs=outputs), skipped=True)]
        self.seen.to_delete.append(goal.urn)
        if kept and old is not None:
            self.seen.done.add(goal.urn)
            return [Step(op="same", old=old, new=replace(new, inputs=old.inputs, id=old.id, outputs=old.outputs))]
        return None

    def _same_or(self, goal: Goal, old: Resource | None, new: Resource) -> list[Step]:
        included = self._included(new)
        if old is not None and included and self._is_same(goal, old, new):
            return self._same(old, new)
        if not included:
            return self._untargeted(old, new)
        recreating = goal.urn in self.seen.deleted
        new = self._checked(goal, old, new, fresh=recreating)
        if old is None:
            return [Step(op="create", new=new)]
        if recreating:
            self.seen.deleted.discard(goal.urn)
            self.seen.replaced.add(goal.urn)
            return steps.replacement(replace(old, pending_replacement=True), new, Diff(changes=True), before=True)
        if old.external:
            return steps.replacement(old, new, Diff(changes=True), before=False)
        return self._compared(goal, old, new)

    def _is_same(self, goal: Goal, old: Resource, new: Resource) -> bool:
        wanted = replace(new, inputs=values.ignoring(goal.ignore_changes, old.inputs, new.inputs))
        forced = goal.urn in self._replace or goal.urn in self.seen.deleted or self._replaced_with(new)
        provider_same = not new.provider or (
            new.provider == old.provider and urns.referred(new.provider)[0] in self.seen.unchanged_providers
        )
        trigger = new.rest.get("replacementTrigger") == old.rest.get("replacementTrigger")
        return not forced and provider_same and trigger and steps.is_same(wanted, old)

    def _same(self, old: Resource, new: Resource) -> list[Step]:
        if urns.is_provider(new.type):
            self.seen.unchanged_providers.add(new.urn)
        return [Step(op="same", old=old, new=replace(new, inputs=old.inputs, id=old.id, outputs=old.outputs))]

    def _included(self, resource: Resource) -> bool:
        """Whether `--target` and `--exclude` let the update touch a resource."""
        if urns.is_provider(resource.type) or resource.type == urns.ROOT:
            return True
        needs = deletes.dependencies(resource)
        if self._targets:
            named = resource.urn in self._targets
            found = named or (self._request.target_dependents and bool(needs & self.seen.reached))
            if found:
                self.seen.reached.add(resource.urn)
            return found
        named = resource.urn in self._excludes
        excluded = named or (self._request.exclude_dependents and bool(needs & self.seen.reached))
        if excluded:
            self.seen.reached.add(resource.urn)
        return not excluded

    def _untargeted(self, old: Resource | None, new: Resource) -> list[Step]:
        if old is None:
            self.seen.skipped.add(new.urn)
            return [Step(op="same", new=new, skipped=True)]
        found: list[Step] = []
        self._with_requirements(old, found)
        return found

    def _with_requirements(self, old: Resource, found: list[Step]) -> None:
        """Keep an untargeted resource, and before it all that it needs and that nobody registered."""
        self.seen.urns.add(old.urn)
        self.seen.done.add(old.urn)
        for urn in sorted(deletes.dependencies(old)):
            known = self.seen.claimed.get(urn, urn) in self.seen.done or urn in self.seen.done
            if not known and (needed := self._olds.get(urn)):
                self._with_requirements(needed, found)
        found.append(steps.untargeted(old))

    def _checked(self, goal: Goal, old: Resource | None, new: Resource, *, fresh: bool) -> Resource:
        """The new state with inputs as the provider completed them."""
        fresh = fresh or old is None or old.external or goal.urn in self._replace
        before: Properties = {} if fresh or old is None else old.inputs
        wanted = dict(new.inputs) if old is None else values.ignoring(goal.ignore_changes, old.inputs, new.inputs)
        if not new.custom:
            return replace(new, inputs=wanted)
        if urns.is_provider(new.type):
            inputs, failures = self._registry.check(new.urn, before, wanted)
        else:
            given = new.inputs if fresh else wanted
            inputs, failures = self.provider(new).check(new.urn, before, given, secrets.token_bytes(32))
        self._refuse(new, failures)
        return replace(new, inputs=inputs)

    def _refuse(self, new: Resource, failures: Failures) -> None:
        name = urns.name_of(new.urn)
        for key, reason in failures:
            shown = f"property {key} value {_shown(new.inputs.get(key))}"
            where = f"resource '{name}': {shown}" if key else f"resource '{name}'"
            self._events.diagnostic("error", f"{new.type} {where} has a problem: {reason}", new.urn)
        if failures:
            raise Bail(f"resource {new.urn} is invalid")

    def provider(self, resource: Resource) -> Provider:
        """The provider of a custom resource, also if only the old state has it. Raises UpdateFailed."""
        if resource.provider == "denied":
            package = urns.package_of(resource.type)
            raise self.bail(
                f"Default provider for '{package}' disabled. '{resource.urn}' must use an explicit provider.",
                resource.urn,
            )
        found = self._registry.get(resource.provider)
        if found is None and (known := self._ledger.find(resource.provider)):
            self._registry.same(replace(known, urn=urns.referred(resource.provider)[0]))
            found = self._registry.get(resource.provider)
        if found is None:
            raise self.bail(f"unknown provider '{resource.provider}' for resource '{resource.urn}'", resource.urn)
        return found

    def _compared(self, goal: Goal, old: Resource, new: Resource) -> list[Step]:
        diff = self._diff(goal, old, new)
        diff = steps.with_replace_on_changes(diff, goal.replace_on_changes, init_errors=bool(old.init_errors))
        if old.pending_replacement or (diff.changes and diff.replaces):
            return self._replacement(goal, old, new, diff)
        if diff.changes or old.init_errors:
            return [Step(op="update", old=old, new=new, diff=diff)]
        kept = replace(new, id=old.id, outputs=old.outputs)
        if urns.is_provider(new.type):
            self.seen.unchanged_providers.add(new.urn)
        return [Step(op="same", old=old, new=kept)]

    def _diff(self, goal: Goal, old: Resource, new: Resource) -> Diff:
        if goal.urn in self._replace:
            return Diff(changes=True, replaces=("id",))
        if key := self._replaced_with(new):
            return Diff(changes=True, replaces=(key,))
        if new.rest.get("replacementTrigger") != old.rest.get("replacementTrigger"):
            return Diff(changes=True, replaces=("replacementTrigger",))
        if self._provider_changed(old, new):
            return Diff(changes=True, replaces=("provider",))
        if not new.custom:
            return Diff(changes=bool(values.changed_keys(old.inputs, new.inputs)))
        return self._dependents.diff(old, new, new.inputs)

    def _replaced_with(self, new: Resource) -> str:
        if new.deleted_with in self.seen.replaced:
            return "deletedWith"
        return "replaceWith" if self.seen.replaced & set(new.rest.get("replaceWith", ())) else ""

    def _provider_changed(self, old: Resource, new: Resource) -> bool:
        if old.provider == new.provider:
            return False
        if not old.provider or not new.provider:
            return True
        urn, (before, _) = urns.referred(new.provider)[0], urns.referred(old.provider)
        if self.seen.claimed.get(before) == urn:
            return False
        was, now = self._ledger.find(old.provider), self._ledger.find(new.provider)
        if was is None or now is None:
            raise UpdateFailed(f"failed to resolve provider reference: {old.provider!r}")
        return bool(
            self.provider(new)
            .diff_config(urn, was, {k: v for k, v in now.inputs.items() if k != "__internal"})
            .replaces
        )

    def _replacement(self, goal: Goal, old: Resource, new: Resource, diff: Diff) -> list[Step]:
        if new.protect and old.protect:
            self._refuse_protected(
                f'unable to replace resource "{goal.urn}"\nas it is currently marked for protection. To unprotect the '
                "resource, remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`",
                goal.urn,
            )
        self.seen.replaced.add(goal.urn)
        if new.custom and goal.urn not in self._replace:
            unignored = goal.resource(old, new.aliases[0] if new.aliases else "")
            new = replace(new, inputs=self._checked(goal, None, unignored, fresh=True).inputs)
        before = diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
        if not before:
            return steps.replacement(old, new, diff, before=False)
        first = self._delete_dependents(old)
        self.seen.deleted.add(old.urn)
        return [*first, *steps.replacement(old, new, diff, before=True)]

    def _refuse_protected(self, message: str, urn: str) -> None:
        self._events.diagnostic("error", message, urn)
        self.failed = True
        if not self._preview:
            raise Bail(message)

    def _delete_dependents(self, root: Resource) -> list[Step]:
        """Delete, before a resource is, all that its deletion would force to be replaced."""
        found: list[Step] = []
        among = [r for r in self._olds.values() if r.urn not in self.seen.deleted]
        ignore = self.seen.done - {root.urn}
        for resource in reversed(self._dependents.forced(root, among, ignore=ignore)):
            if resource.urn in self.seen.deleted:
                continue
            if resource.protect:
                self.bail_protected(resource, root)
            self.seen.deleted.add(resource.urn)
            found.append(steps.delete_replaced(resource, pends=True))
        return found

    def bail_protected(self, resource: Resource, root: Resource) -> None:
        """Refuse a replacement that would need a protected resource to be deleted. Raises Bail."""
        self.failed = True
        raise self.bail(
            f'unable to replace resource "{resource.urn}" as part of replacing "{root.urn}" as it is currently marked '
            "for protection. To unprotect the resource, remove the `protect` flag from the resource in your Pulumi "
            f"program and run `pulumi up`, or use the command:\n`pulumi state unprotect '{resource.urn}'`",
            root.urn,
        )

    def _refuse_missing(self, planned: list[Step]) -> None:
        """A targeted resource that needs one which is not there and not targeted cannot be made."""
        if not (self._targets or self._replace):
            return
        for step in planned:
            if step.new is None or step.skipped:
                continue
            for urn in sorted(deletes.dependencies(step.new) & self.seen.skipped):
                message = f"Resource '{step.new.urn}' depends on '{urn}' which was was not specified in --target list."
                self._events.diagnostic("error", message, step.new.urn)
                self.failed = True
                if not self._preview:
                    raise Bail(message)
                self.seen.skipped.discard(urn)


def _shown(value: object) -> str:
    """A property value as the CLI prints it in errors."""
    known: dict[object, str] = {None: "<nil>", True: "true", False: "false"}
    shown = values.masked(value)
    return "{" + (known[shown] if shown is None or isinstance(shown, bool) else str(shown)) + "}"
