"""The life of a command, by any order of events, on the real tables: nothing ends twice, nothing is lost."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from control.control_plane import MovedClock
from control.control_vendor import Json
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from alien_iac.control import commands, refusals
from alien_iac.control.commands import Command
from alien_iac.control.store import commands as store
from alien_iac.control.store import deployments, migrations
from alien_iac.control.store.commands import Delivery, Origin, Params, Wanted
from alien_iac.control.store.engine import Database
from alien_iac.control.store.sqlite import SqliteStore
from alien_iac.control.vault import Vault
from alien_iac.protocol import arc
from alien_iac.protocol.api import NewDeployment

TARGET = arc.Target(resource_id="worker", resource_type="worker")
LEASE_S = 30
ALLOWED = {
    "PENDING_UPLOAD": {"PENDING", "EXPIRED", "FAILED"},
    "PENDING": {"DISPATCHED", "EXPIRED", "FAILED"},
    "DISPATCHED": {"PENDING", "DISPATCHED", "SUCCEEDED", "FAILED", "EXPIRED"},
    "SUCCEEDED": set(),
    "FAILED": set(),
    "EXPIRED": set(),
}


@dataclass
class Known:
    """What the test knows of a command: its last look, and the result that was taken."""

    command: Command
    result: arc.Response | None = None


class Life(RuleBasedStateMachine):
    """Commands of one deployment, and every event that may come to them."""

    sent = Bundle("sent")
    leases = Bundle("leases")

    database: ClassVar[Database]
    clock: ClassVar[MovedClock]
    deployments = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.deployment = f"dep_{next(self.deployments)}"
        new = NewDeployment(customer="c", platform="local")
        self.database.write_now(lambda transaction: deployments.add(transaction, self.deployment, new))
        self.known: dict[str, Known] = {}
        self.active: dict[str, tuple[str, datetime]] = {}

    @rule(target=sent, upload=st.booleans(), life=st.sampled_from([None, 20, 100]), attempts=st.integers(1, 3))
    def send(self, *, upload: bool, life: int | None, attempts: int) -> str:
        command_id = f"{self.deployment}_{len(self.known)}"
        deadline = self.clock() + timedelta(seconds=life) if life else None
        request = arc.CreateCommand(
            deployment_id=self.deployment,
            command="x",
            params=arc.Inline(inline_base64=""),
            deadline=deadline,
            max_attempts=attempts,
        )
        made = commands.new(command_id, request, TARGET, self.clock(), upload=upload)
        origin = Origin(actor="test", request_hash="")
        self.database.write_now(lambda transaction: store.add(transaction, made, Params(inline=b""), origin))
        self.known[command_id] = Known(made)
        return command_id

    @rule(target=leases, count=st.integers(1, 3))
    def lease(self, count: int) -> list[Delivery]:
        found = self.database.write_now(
            lambda transaction: store.acquire(
                transaction, Wanted(deployment_id=self.deployment, count=count, seconds=LEASE_S)
            )
        )
        now = self.clock()
        for delivery in found:
            command = delivery.command
            held = self.active.get(command.id)
            assert held is None or held[1] <= now, "a command was given to two at once"
            assert command.attempt <= command.max_attempts
            assert command.expires_at > now
            self.active[command.id] = (str(command.lease_id), now + timedelta(seconds=LEASE_S))
        return found

    @rule(taken=leases, good=st.booleans())
    def answer(self, taken: list[Delivery], *, good: bool) -> None:
        for delivery in taken:
            response: arc.Response = (
                arc.Success(response=arc.Inline(inline_base64="MQ==")) if good else arc.Failure(code="X", message="")
            )
            before = self._look(delivery.command.id)
            try:
                after = self._change(
                    delivery.command.id,
                    lambda old, now, given=response, lease=delivery.command.lease_id: commands.answer(
                        old, given, lease, now
                    ),
                )
            except (refusals.LeaseSuperseded, refusals.WrongState):
                assert not before.ended
                assert before.lease_id != delivery.command.lease_id or before.state != "DISPATCHED"
                continue
            if not before.ended:
                assert after.response == response
                self.known[after.id].result = response
            self.active.pop(after.id, None)

    @rule(taken=consumes(leases), back=st.booleans())
    def release(self, taken: list[Delivery], *, back: bool) -> None:
        for delivery in taken:
            old = self._look(delivery.command.id)
            if old.state != "DISPATCHED" or old.lease_id != delivery.command.lease_id:
                continue
            after = self._change(
                old.id, lambda old, now: commands.give_back(old) if back else commands.release(old, now)
            )
            assert after.attempt == old.attempt + (0 if back or after.ended else 1)
            self.active.pop(after.id, None)

    @rule(command=sent)
    def upload(self, command: str) -> None:
        before = self._look(command)
        if before.ended:
            with pytest.raises(refusals.WrongState):
                self._change(command, lambda old, now: commands.uploaded(commands.overdue(old, now)))
        else:
            self._change(command, lambda old, now: commands.uploaded(commands.overdue(old, now)))

    @rule(command=sent)
    def cancel(self, command: str) -> None:
        assert self._change(command, commands.cancel).ended
        self.active.pop(command, None)

    @rule(seconds=st.sampled_from([1, 10, 31, 90]))
    def time_goes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.database.write_now(store.end_overdue)

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        now = self.clock()
        for known in self.known.values():
            seen = self._look(known.command.id)
            if known.command.ended:
                assert seen == known.command, "what has ended changed"
            elif seen.state != known.command.state:
                assert _reachable(known.command.state, seen.state)
            if known.result is not None:
                assert seen.response == known.result
            if seen.expires_at <= now:
                assert seen.ended, "a command outlived its time"
            known.command = seen

    def _look(self, command_id: str) -> Command:
        return self.database.read_now(lambda transaction: store.get(transaction, command_id))

    def _change(self, command_id: str, how: Json) -> Command:
        def work(transaction: Json) -> Command:
            old = store.change(transaction, command_id)
            new: Command = how(old, transaction.now)
            store.save(transaction, old, new)
            return new

        return self.database.write_now(work)


def _reachable(before: str, after: str) -> bool:
    """Whether some steps lead from one state to the other: several may have happened between two looks."""
    seen, todo = set[str](), [before]
    while todo:
        state = todo.pop()
        todo += [each for each in ALLOWED[state] if each not in seen]
        seen |= ALLOWED[state]
    return after in seen


def test_any_order_of_events(tmp_path: Path) -> None:
    Life.clock = MovedClock()
    Life.database = Database(SqliteStore(tmp_path / "c.sqlite"), Life.clock, lambda _topics: None, Vault.fresh())
    migrations.upgrade(Life.database.engine)
    run_state_machine_as_test(
        Life,
        settings=settings(max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=[*HealthCheck]),
    )
    Life.database.close()
