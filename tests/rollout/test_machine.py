"""Any fleet, any luck, any order of events: what must hold of every rollout."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rollout.rollout_world import T0, deployment, policy, release

from alien_iac.protocol.api import Report, RolloutAction
from alien_iac.rollout import timers
from alien_iac.rollout.decide import decide
from alien_iac.rollout.events import Acted, Effect, Event, Reported, Return, Seen, SetDesired, Started, TimerDue
from alien_iac.rollout.plan import Order, plan
from alien_iac.rollout.policy import Approval, Policy, Wave
from alien_iac.rollout.state import FAILURES, IN_FLIGHT, Mode, Stage, State, TargetState

NAMES = [f"d{n}" for n in range(7)]


@dataclass
class Agent:
    """What an agent does, in small: it works on the newest desired revision, if it can hear of it."""

    release: str = "v1"
    revision: int = 0
    desired: str = "v1"
    done: int = 0
    working: bool = False
    online: bool = True
    healthy: bool = True


def waves(shape: int, tolerance: int, bake: int, *, gated: bool) -> tuple[Wave, ...]:
    baked = timedelta(minutes=bake)
    rest = Wave(name="rest", failure_tolerance=tolerance, approval=Approval() if gated else None)
    all_shapes = (
        (rest,),
        (Wave(name="canary", size=1, canary=True, bake=baked), rest),
        (Wave(name="canary", size=1, canary=True), Wave(name="half", size="50%", bake=baked), rest),
    )
    return all_shapes[shape]


class Rollout(RuleBasedStateMachine):
    state: State
    policy: Policy

    @initialize(
        shape=st.integers(0, 2),
        tolerance=st.integers(0, 2),
        bake=st.integers(0, 2),
        gated=st.booleans(),
        concurrent=st.integers(1, 4),
        mode=st.sampled_from(["soft", "strict"]),
        on_failure=st.sampled_from(["return-deployment", "return-wave", "halt", "continue"]),
        offline=st.sets(st.sampled_from(NAMES), max_size=3),
    )
    def begin(  # noqa: PLR0913 - each is one thing that hypothesis chooses
        self,
        *,
        shape: int,
        tolerance: int,
        bake: int,
        gated: bool,
        concurrent: int,
        mode: str,
        on_failure: str,
        offline: set[str],
    ) -> None:
        self.now = T0
        self.retried = False
        self.last: Event | None = None
        self.agents = {key: Agent(online=key not in offline) for key in NAMES}
        chosen = waves(shape, tolerance, bake, gated=gated)
        self.policy = policy(*chosen, max_concurrent=concurrent, concurrency_mode=mode, on_failure=on_failure)
        fleet = [deployment(key, last_seen=T0 if agent.online else None) for key, agent in self.agents.items()]
        self.state = plan(Order(rollout_id="r", release=release(), policy=self.policy, selector={}), fleet, T0)
        self.feed(Started(actor="ann"))

    def feed(self, event: Event) -> None:
        before = self.state
        decision = decide(before, event, self.now)
        self.check_starts(decision.state, decision.effects)
        self.state = decision.state.settled()
        self.last = event
        for effect in decision.effects:
            self.carry_out(effect)
        again = decide(self.state, event, self.now)
        if not isinstance(event, Acted):
            assert not [each for each in again.effects if isinstance(each, SetDesired | Return)]

    def carry_out(self, effect: Effect) -> None:
        if isinstance(effect, SetDesired | Return):
            agent = self.agents[effect.deployment_id]
            agent.revision += 1
            agent.desired = effect.release or "none"
            agent.working = False

    def check_starts(self, after: State, effects: tuple[Effect, ...]) -> None:
        """Nothing is told to start while too many have failed, while paused, or for a wave whose turn it is not."""
        told = [after.targets[each.deployment_id] for each in effects if isinstance(each, SetDesired)]
        started = [target for target in told if target.state is TargetState.STARTING]
        if not started:
            return
        assert after.header.mode is Mode.RUNNING
        assert not after.header.paused
        if self.policy.on_failure != "continue":
            for index in range(after.header.wave + 1):
                assert after.count(*FAILURES, wave=index) <= after.header.waves[index].tolerance
        assert all(target.wave <= after.header.wave for target in started)

    def online(self, key: str) -> Agent | None:
        agent = self.agents[key]
        return agent if agent.online else None

    def report(self, key: str, phase: str, **facts: str) -> None:
        agent = self.agents[key]
        own = {"id": "x", "revision": agent.revision, "phase": phase, "release": agent.release}
        self.feed(Reported(deployment_id=key, report=Report.model_validate(own | facts)))

    @rule(key=st.sampled_from(NAMES))
    def takes_up(self, key: str) -> None:
        agent = self.online(key)
        if agent and agent.done < agent.revision and not agent.working:
            agent.working = True
            self.report(key, "accepted")

    @rule(key=st.sampled_from(NAMES), luck=st.sampled_from(["good", "good", "good", "bad", "network", "no", "wait"]))
    def finishes(self, key: str, luck: str) -> None:
        agent = self.online(key)
        if not (agent and agent.working):
            return
        if luck == "wait":
            self.report(key, "waiting", reason="window")
            return
        agent.working, agent.done = False, agent.revision
        if luck == "good":
            agent.release = agent.desired
        codes = {"network": "UNAVAILABLE", "no": "FORBIDDEN"}
        phases = {"good": "succeeded", "bad": "returned", "network": "failed", "no": "refused"}
        self.report(key, phases[luck], error_code=codes.get(luck, ""))

    @rule(key=st.sampled_from(NAMES))
    def beats(self, key: str) -> None:
        self.now += timedelta(seconds=1)
        if self.online(key):
            self.feed(self.sign(key))

    def sign(self, key: str) -> Seen:
        agent = self.agents[key]
        health = "healthy" if agent.healthy else "unhealthy"
        return Seen(deployment_id=key, release=agent.release, health=health, at=self.now)

    @rule(key=st.sampled_from(NAMES), online=st.booleans(), healthy=st.booleans())
    def luck_changes(self, key: str, *, online: bool, healthy: bool) -> None:
        self.agents[key].online, self.agents[key].healthy = online, healthy

    @rule(minutes=st.sampled_from([1, 5, 130]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.ring()

    def ring(self) -> None:
        signs = tuple(self.sign(key) for key in timers.watched(self.state) if self.agents[key].online)
        self.feed(TimerDue(health=signs))
        wake_at = self.state.header.wake_at
        assert wake_at is None or wake_at > self.now

    @rule(
        action=st.sampled_from(
            ["pause", "resume", "promote", "approve", "approve", "skip", "abort", "retry", "rollback"]
        ),
        key=st.sampled_from(NAMES),
    )
    def person(self, action: str, key: str) -> None:
        self.retried = self.retried or action == "retry"
        named = {"action": action, "deployment_id": key if action == "skip" else None}
        self.feed(Acted(action=RolloutAction.model_validate(named), actor="ann"))

    @precondition(lambda self: self.last is not None and not isinstance(self.last, Acted | TimerDue))
    @rule()
    def the_same_again(self) -> None:
        before = self.state
        if self.last:
            decision = decide(before, self.last, self.now)
            assert decision.state.targets == before.targets

    @rule()
    def crash_and_restart(self) -> None:
        loaded = State.from_json(self.state.to_json())
        assert loaded == self.state
        self.state = loaded

    @invariant()
    def never_more_in_flight_than_allowed(self) -> None:
        told = self.state.ids(TargetState.STARTING, TargetState.RETRYING)
        assert len(told) <= self.state.header.max_concurrent

    @invariant()
    def no_wave_begins_before_its_turn(self) -> None:
        if self.retried or self.state.header.outcome is not None:
            return
        for target in self.state.targets.values():
            if target.wave > self.state.header.wave:
                assert target.attempt == 0 or target.state not in IN_FLIGHT

    @invariant()
    def the_groups_are_those_of_the_targets(self) -> None:
        assert _sets(self.state.groups) == _sets(State.of(self.state.header, self.state.targets.values()).groups)

    @invariant()
    def it_ends_or_waits_for_something_named(self) -> None:
        header = self.state.header
        if header.outcome is not None or header.paused:
            return
        in_time = self.state.count(*IN_FLIGHT) or header.stage in {Stage.BAKING, Stage.APPROVAL}
        assert in_time
        assert header.wake_at is not None

    def teardown(self) -> None:
        """With good luck from here on, every rollout ends, and nobody is left in between."""
        for agent in self.agents.values():
            agent.online = agent.healthy = True
        for _ in range(300):
            if self.state.header.outcome is not None:
                break
            self.person("resume", NAMES[0])
            self.person("approve", NAMES[0])
            for key in NAMES:
                self.takes_up(key)
                self.finishes(key, "good")
                self.beats(key)
            self.time_passes(1)
        assert self.state.header.outcome is not None
        assert not self.state.count(*IN_FLIGHT, TargetState.PENDING)


def _sets(groups: Mapping[tuple[int, TargetState], Mapping[str, None]]) -> dict[tuple[int, TargetState], set[str]]:
    return {place: set(keys) for place, keys in groups.items() if keys}


TestRollout = Rollout.TestCase
TestRollout.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
