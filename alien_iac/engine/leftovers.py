"""What is left in the state once the program has said all it wants: to be deleted, or to be left alone. Pure."""

from collections.abc import Sequence

from alien_iac.engine import deletes, steps, urns
from alien_iac.engine.model import Request, Resource
from alien_iac.engine.planner import Seen
from alien_iac.engine.steps import Step


def find(
    request: Request, seen: Seen, base: Sequence[Resource], everything: Sequence[Resource]
) -> tuple[list[Step], list[Step]]:
    """Steps that delete, in no order yet, and steps that keep what is not targeted.

    `base`: what this update has not replaced. `everything`: that, and what it made.
    """
    may = deletable(request, everything)
    unseen = [r for r in base if r.delete or seen.claimed.get(r.urn, r.urn) not in seen.done]
    wanted = [_gone(r) for r in unseen if r.urn in may]
    kept = [steps.untargeted(r) for r in unseen if r.urn not in may and not r.delete]
    ran = [r for r in everything if r.urn in seen.to_delete and r.urn in may and not any(r is b for b in base)]
    return [*wanted, *(steps.delete(r) for r in ran)], kept


def _gone(resource: Resource) -> Step:
    if resource.delete:
        return steps.delete_replaced(resource, pends=False)
    if resource.pending_replacement:
        return Step(op="remove-pending-replace", old=resource)
    return steps.delete(resource)


def deletable(request: Request, everything: Sequence[Resource]) -> set[str]:
    """The URNs that `--target` and `--exclude` let be deleted, with what cannot stay without them."""
    targets, excludes = urns.Targets(request.targets), urns.Targets(request.excludes)
    every = {r.urn for r in everything}
    roots = {urn for urn in every if urn in (targets or excludes)}
    if targets:
        return roots | {r.urn for r in deletes.dependents(roots, everything, children=True)}
    if request.exclude_dependents:
        roots |= {r.urn for r in deletes.dependents(roots, everything, children=True)}
    return every - deletes.requirements(roots, everything)


def untargeted(request: Request, wanted: Sequence[Step]) -> list[str]:
    """URNs that would have to be deleted, too, and that nobody named."""
    targets = urns.Targets(request.targets)
    if not targets or request.target_dependents:
        return []
    return [step.resource.urn for step in wanted if step.resource.urn not in targets]
