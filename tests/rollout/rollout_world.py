"""Short ways to say what happens to a rollout in a test."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from alien_iac.protocol.api import Deployment, HealthWord, Release, Report, RolloutAction
from alien_iac.rollout.decide import Decision, decide
from alien_iac.rollout.events import (
    Acted,
    Effect,
    Event,
    Reported,
    Return,
    Seen,
    SetDesired,
    Started,
    Superseded,
    TimerDue,
)
from alien_iac.rollout.plan import Order, plan
from alien_iac.rollout.policy import Policy, Wave, parse
from alien_iac.rollout.state import State

T0 = datetime(2026, 1, 1, tzinfo=UTC)
Phase = Literal[
    "accepted", "applying", "verifying", "succeeded", "unchanged", "failed", "returned", "refused", "waiting"
]
Action = Literal["pause", "resume", "promote", "approve", "skip", "abort", "retry", "rollback"]


def release(version: str = "v2", sequence: int = 2, platforms: tuple[str, ...] = ("local",)) -> Release:
    return Release(version=version, sequence=sequence, program="app", platforms=platforms, manifest="m", created_at=T0)


def deployment(key: str, **changes: object) -> Deployment:
    facts: dict[str, object] = {
        "id": key,
        "customer": key.upper(),
        "platform": "local",
        "status": "running",
        "release": "v1",
        "health": "healthy",
        "last_seen": T0,
    }
    return Deployment.model_validate(facts | changes)


def deployments(count: int) -> list[Deployment]:
    return [deployment(f"d{n:04}") for n in range(count)]


def policy(*waves: Wave, **knobs: object) -> Policy:
    quick: dict[str, object] = {"verify": {"successes": 1}}
    if waves:
        quick["waves"] = [wave.model_dump() for wave in waves]
    return parse(quick | knobs)


CANARY = Wave(name="canary", size=1, canary=True)
REST = Wave(name="rest")


class Play:
    """One rollout, event by event, with a clock that the test moves. Keeps all effects."""

    def __init__(self, fleet: list[Deployment], rules: Policy, *, started: bool = True) -> None:
        self.now = T0
        order = Order(rollout_id="r1", release=release(), policy=rules, selector={})
        self.state: State = plan(order, fleet, T0)
        self.effects: list[Effect] = []
        self.revision = 0
        if started:
            self.feed(Started(actor="ann"))

    def feed(self, event: Event) -> Decision:
        decision = decide(self.state, event, self.now)
        self.state = decision.state.settled()
        self.effects.extend(decision.effects)
        return decision

    def report(self, key: str, phase: Phase, **facts: str) -> Decision:
        self.revision += 1
        own = {"id": f"x{self.revision}", "revision": self.revision, "phase": phase}
        report = Report.model_validate(own | facts)
        return self.feed(Reported(deployment_id=key, report=report))

    def hear(self, key: str, health: HealthWord = "healthy", running: str = "v2") -> Decision:
        self.later(seconds=1)
        return self.feed(Seen(deployment_id=key, release=running, health=health, at=self.now))

    def succeed(self, *keys: str) -> None:
        for key in keys:
            self.report(key, "accepted")
            self.report(key, "succeeded", release="v2")
            self.hear(key)

    def act(self, action: Action, key: str | None = None, actor: str = "ann") -> Decision:
        return self.feed(Acted(action=RolloutAction(action=action, deployment_id=key), actor=actor))

    def supersede(self, *keys: str) -> Decision:
        return self.feed(Superseded(by="r2", deployment_ids=keys))

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def due(self, *healthy: str) -> Decision:
        signs = [Seen(deployment_id=key, release="v2", health="healthy", at=self.now) for key in healthy]
        return self.feed(TimerDue(health=tuple(signs)))

    def states(self) -> dict[str, str]:
        return {key: target.state.value for key, target in self.state.targets.items()}

    def kinds(self) -> list[tuple[str, str]]:
        return [(each.kind, each.deployment_id) for each in self.effects if isinstance(each, SetDesired | Return)]
