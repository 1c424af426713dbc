"""The rollouts' tables, as `rollout.store.Store` wants them. Every method is one transaction, from any thread."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, bindparam, insert, select, update

from alien_iac.control.store import audit, deployments, desired, paging
from alien_iac.control.store.engine import Database, Transaction
from alien_iac.control.store.tables import OUTBOX, ROLLOUT_TARGETS, ROLLOUTS
from alien_iac.control.tokens import fresh
from alien_iac.errors import Conflict, NotFound
from alien_iac.rollout.events import Effect, Return, Seen, SetDesired
from alien_iac.rollout.state import Header, State, Target
from alien_iac.rollout.store import Change, Pending, Stored, Write

_SWAP = update(ROLLOUTS).where(ROLLOUTS.c.id == bindparam("this"), ROLLOUTS.c.version == bindparam("expected"))
_TARGET = update(ROLLOUT_TARGETS).where(
    ROLLOUT_TARGETS.c.rollout_id == bindparam("this"), ROLLOUT_TARGETS.c.deployment_id == bindparam("deployment")
)
_OUTBOX = insert(OUTBOX)
_VERSION = select(ROLLOUTS.c.version).where(ROLLOUTS.c.id == bindparam("this"))
_EFFECT: TypeAdapter[Effect] = TypeAdapter(Effect)


def topic(rollout_id: str) -> str:
    """What wakes who follows a rollout."""
    return f"rollout:{rollout_id}"


class RolloutStore:
    """`rollout.store.Store` on the control plane's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self, rollout_id: str) -> int:
        return self._database.read_now(lambda transaction: version(transaction, rollout_id))

    def load(self, rollout_id: str) -> Stored:
        return self._database.read_now(lambda transaction: load(transaction, rollout_id))

    def commit(self, writes: Sequence[Write]) -> None:
        def work(transaction: Transaction) -> None:
            for mine in _by_rollout(writes):
                _write(transaction, mine)
            for write in writes:
                _record(transaction, write.rollout_id, write.change)

        self._database.write_now(work)

    def running(self) -> Sequence[str]:
        query = select(ROLLOUTS.c.id).where(ROLLOUTS.c.outcome.is_(None)).order_by(ROLLOUTS.c.created_at)
        return self._database.read_now(lambda transaction: [row["id"] for row in transaction.all(query)])

    def overtaken_by(self, rollout_id: str) -> str | None:
        return self._database.read_now(lambda transaction: _overtaken_by(transaction, rollout_id))

    def pending(self, limit: int) -> Sequence[Pending]:
        query = select(OUTBOX).where(OUTBOX.c.done.is_(False)).order_by(OUTBOX.c.sequence).limit(limit)
        return self._database.read_now(lambda transaction: [_pending(row) for row in transaction.all(query)])

    def done(self, effect_ids: Sequence[str]) -> None:
        query = update(OUTBOX).where(OUTBOX.c.id.in_(list(effect_ids))).values(done=True)
        self._database.write_now(lambda transaction: transaction.run(query))

    def set_desired(self, effects: Sequence[tuple[Pending, SetDesired | Return]]) -> None:
        def work(transaction: Transaction) -> None:
            for pending, effect in effects:
                _set_desired(transaction, pending, effect)

        self._database.write_now(work)

    def seen(self, deployment_ids: Iterable[str]) -> Sequence[Seen]:
        return self._database.read_now(lambda transaction: deployments.seen(transaction, deployment_ids))


def version(transaction: Transaction, rollout_id: str) -> int:
    """A rollout's version. NotFound for an unknown one."""
    found = transaction.scalar(_VERSION, {"this": rollout_id})
    if found is None:
        raise NotFound(f'there is no rollout "{rollout_id}"', hint="`alien rollout ls` lists them")
    return int(found)


def load(transaction: Transaction, rollout_id: str) -> Stored:
    """A rollout and its version. NotFound for an unknown one."""
    row = transaction.one(select(ROLLOUTS).where(ROLLOUTS.c.id == rollout_id))
    if row is None:
        raise NotFound(f'there is no rollout "{rollout_id}"', hint="`alien rollout ls` lists them")
    return _stored(transaction, row)


def rows(transaction: Transaction, cursor: str | None, limit: int) -> tuple[list[Stored], str | None]:
    """Rollouts, newest first, without their deployments: a page of large ones would be hundreds of thousands."""
    order = (ROLLOUTS.c.created_at, ROLLOUTS.c.id)
    found, following = paging.page(transaction, select(ROLLOUTS), order, cursor, limit)
    heads = [State.of(Header.model_validate(row["header"]), ()) for row in found]
    return [Stored(state=head, version=row["version"]) for head, row in zip(heads, found, strict=True)], following


def is_running(transaction: Transaction, rollout_id: str) -> bool:
    """Whether there is such a rollout, and it has not ended."""
    mine = (ROLLOUTS.c.id == rollout_id, ROLLOUTS.c.outcome.is_(None))
    return transaction.one(select(ROLLOUTS.c.id).where(*mine)) is not None


def _stored(transaction: Transaction, row: RowMapping) -> Stored:
    query = select(ROLLOUT_TARGETS.c.body).where(ROLLOUT_TARGETS.c.rollout_id == row["id"])
    targets = transaction.all(query.order_by(ROLLOUT_TARGETS.c.position))
    state = State.of(
        Header.model_validate(row["header"]), (Target.model_validate(target["body"]) for target in targets)
    )
    return Stored(state=state, version=row["version"])


def _by_rollout(writes: Sequence[Write]) -> Iterable[Sequence[Write]]:
    found: dict[str, list[Write]] = {}
    for write in writes:
        found.setdefault(write.rollout_id, []).append(write)
    return found.values()


def _write(transaction: Transaction, writes: Sequence[Write]) -> None:
    """The writes of one rollout."""
    first, rest = writes[0], writes
    if first.expected_version == 0:
        _make(transaction, first)
        rest = writes[1:]
    if rest:
        _change(transaction, rest)
    transaction.wake(topic(first.rollout_id))


def _make(transaction: Transaction, write: Write) -> None:
    if transaction.one(select(ROLLOUTS.c.id).where(ROLLOUTS.c.id == write.rollout_id)) is not None:
        raise Conflict(f"there is a rollout {write.rollout_id} already")
    values = _values(write.change.header)
    created = write.change.header.created_at
    transaction.run(insert(ROLLOUTS).values(id=write.rollout_id, version=1, created_at=created, **values))
    targets = [
        {
            "rollout_id": write.rollout_id,
            "deployment_id": target.deployment_id,
            "position": position,
            "body": target.model_dump(mode="json"),
        }
        for position, target in enumerate(write.change.targets)
    ]
    transaction.insert(insert(ROLLOUT_TARGETS), targets)


def _change(transaction: Transaction, writes: Sequence[Write]) -> None:
    """What several steps leave behind, in one statement a table."""
    first, last = writes[0], writes[-1]
    chained = all(each.expected_version == first.expected_version + step for step, each in enumerate(writes))
    mine = {"this": first.rollout_id, "expected": first.expected_version}
    values = {**_values(last.change.header), "version": last.expected_version + 1}
    if not chained or transaction.run(_SWAP, {**mine, **values}) != 1:
        raise Conflict(f"rollout {first.rollout_id} is not at version {first.expected_version} any more")
    newest = {target.deployment_id: target for each in writes for target in each.change.targets}
    rows_ = [
        {"this": first.rollout_id, "deployment": name, "body": target.model_dump(mode="json")}
        for name, target in newest.items()
    ]
    transaction.insert(_TARGET, rows_)


def _values(header: Header) -> dict[str, Any]:
    return {
        "release": header.release,
        "header": header.model_dump(mode="json"),
        "outcome": header.outcome.value if header.outcome else None,
    }


def _record(transaction: Transaction, rollout_id: str, change: Change) -> None:
    line = change.audit
    audit.append(transaction, line.actor, f"rollout: {line.what}", rollout_id, reason=line.reason, state=line.state)
    rows_ = [
        {
            "id": fresh("eff"),
            "rollout_id": rollout_id,
            "effect": effect.model_dump(mode="json"),
            "done": False,
        }
        for effect in change.effects
    ]
    transaction.insert(_OUTBOX, rows_)


def _pending(row: RowMapping) -> Pending:
    effect = _EFFECT.validate_python(row["effect"])
    return Pending(id=row["id"], sequence=row["sequence"], rollout_id=row["rollout_id"], effect=effect)


def _set_desired(transaction: Transaction, pending: Pending, effect: SetDesired | Return) -> None:
    before = desired.row(transaction, effect.deployment_id)
    pinned = deployments.row(transaction, effect.deployment_id)["pinned"]
    if pending.sequence <= before["effect_sequence"] or pinned not in {None, effect.release}:
        return
    desired.set_release(
        transaction,
        effect.deployment_id,
        effect.release,
        action="apply" if isinstance(effect, SetDesired) else "return",
        rollout_id=pending.rollout_id,
        effect_sequence=pending.sequence,
    )


def _overtaken_by(transaction: Transaction, rollout_id: str) -> str | None:
    mine = transaction.one(select(ROLLOUTS.c.created_at).where(ROLLOUTS.c.id == rollout_id))
    if mine is None:
        return None
    ours = select(ROLLOUT_TARGETS.c.deployment_id).where(ROLLOUT_TARGETS.c.rollout_id == rollout_id)
    newer = (
        select(ROLLOUTS.c.id)
        .join_from(ROLLOUTS, ROLLOUT_TARGETS, ROLLOUTS.c.id == ROLLOUT_TARGETS.c.rollout_id)
        .where(ROLLOUTS.c.created_at > mine["created_at"], ROLLOUT_TARGETS.c.deployment_id.in_(ours))
        .order_by(ROLLOUTS.c.created_at.desc())
        .limit(1)
    )
    found = transaction.scalar(newer)
    return None if found is None else str(found)
