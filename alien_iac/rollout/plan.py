"""The plan of a rollout: which deployment is in which wave, decided once, stored before the first change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alien_iac.errors import InvalidInput
from alien_iac.protocol.api import Deployment, Release
from alien_iac.rollout.policy import Policy, Wave, count_of
from alien_iac.rollout.state import Header, State, Target, TargetState, WavePlan


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for: this release, to the deployments that carry all of the selector's labels."""

    rollout_id: str
    release: Release
    policy: Policy
    selector: Mapping[str, str]
    reason: str = ""


def plan(order: Order, deployments: Iterable[Deployment], now: datetime) -> State:
    """The frozen plan. Deployments that cannot take part are in it too, as skipped or unreachable, with the reason.

    InvalidInput: nothing matches the selector, or more than the policy's `max_targets`.
    """
    chosen = sorted(
        (each for each in deployments if each.status != "gone" and matches(each, order.selector)),
        key=lambda each: (each.health != "healthy", each.id),
    )
    _check_size(chosen, order)
    verdicts = {each.id: _verdict(each, order, now) for each in chosen}
    ready = [each for each in chosen if verdicts[each.id][0] is TargetState.PENDING]
    assigned = _assign(ready, order.policy)
    last = len(order.policy.waves) - 1
    targets = [_target(each, assigned.get(each.id), verdicts[each.id], last) for each in chosen]
    targets.sort(key=lambda target: target.wave)
    return State.of(_header(order, targets, now), targets)


def matches(deployment: Deployment, selector: Mapping[str, str]) -> bool:
    """Whether a deployment has all these labels; `id`, `customer` and `platform` count as labels."""
    own = {"id": deployment.id, "customer": deployment.customer, "platform": deployment.platform}
    labels = {**deployment.labels, **own}
    return all(labels.get(key) == value for key, value in selector.items())


def _check_size(chosen: Sequence[Deployment], order: Order) -> None:
    wanted = ", ".join(f"{key}={value}" for key, value in order.selector.items()) or "everything"
    if not chosen:
        raise InvalidInput(f"no deployment matches {wanted}", hint="see `alien deployments ls` for the labels")
    limit = order.policy.max_targets
    if limit is not None and len(chosen) > limit:
        raise InvalidInput(
            f"{wanted} matches {len(chosen)} deployments, and the policy's max_targets is {limit}",
            hint="select fewer, or raise max_targets in rollout.yaml",
        )


def _verdict(deployment: Deployment, order: Order, now: datetime) -> tuple[TargetState, str]:
    platform, pinned, version = deployment.platform, deployment.pinned, order.release.version
    current = deployment.release == version and deployment.health == "healthy"
    rules = (
        (platform not in order.release.platforms, TargetState.SKIPPED, f"the release is not for {platform}"),
        (pinned not in {None, version}, TargetState.SKIPPED, f"pinned to {pinned}"),
        (deployment.status == "enrolling", TargetState.SKIPPED, "no agent has enrolled yet"),
        (not _seen_lately(deployment, order.policy, now), TargetState.UNREACHABLE, _last_seen(deployment)),
        (current, TargetState.UNCHANGED, "runs the release already"),
    )
    return next(((state, reason) for applies, state, reason in rules if applies), (TargetState.PENDING, ""))


def _seen_lately(deployment: Deployment, policy: Policy, now: datetime) -> bool:
    return deployment.last_seen is not None and now - deployment.last_seen <= policy.reach_within


def _last_seen(deployment: Deployment) -> str:
    seen = deployment.last_seen
    return f"last seen {seen.isoformat(timespec='seconds')}" if seen else "never seen"


def _assign(ready: Sequence[Deployment], policy: Policy) -> dict[str, int]:
    """Deployment id to the index of its wave; who is in none is in no wave's selector or size."""
    assigned: dict[str, int] = {}
    for index, wave in enumerate(policy.waves):
        free = [each for each in ready if each.id not in assigned and matches(each, wave.selector)]
        assigned.update({each.id: index for each in free[: _room(wave, len(ready))]})
    return assigned


def _room(wave: Wave, total: int) -> int:
    return total if wave.size is None else max(1, count_of(wave.size, total))


def _target(deployment: Deployment, wave: int | None, verdict: tuple[TargetState, str], last: int) -> Target:
    state, message = verdict
    if state is TargetState.PENDING and wave is None:
        state, message = TargetState.SKIPPED, "no wave of the policy takes it"
    return Target(
        deployment_id=deployment.id,
        customer=deployment.customer,
        wave=last if wave is None else wave,
        state=state,
        from_release=deployment.release,
        message=message,
    )


def _header(order: Order, targets: Sequence[Target], now: datetime) -> Header:
    ready = [target.wave for target in targets if target.state is TargetState.PENDING]
    return Header(
        id=order.rollout_id,
        release=order.release.version,
        policy=order.policy,
        waves=tuple(_wave(wave, ready.count(index)) for index, wave in enumerate(order.policy.waves)),
        max_concurrent=max(1, count_of(order.policy.max_concurrent, len(ready))),
        created_at=now,
        reason=order.reason,
    )


def _wave(wave: Wave, size: int) -> WavePlan:
    tolerance = count_of(wave.failure_tolerance, size)
    return WavePlan(name=wave.name, size=size, tolerance=tolerance, canary=wave.canary)
