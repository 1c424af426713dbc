"""Commands in the database. What may happen to one is decided by `control.commands`; here it is read and written.

A lease looks at its own deployment's deliverable commands only, by an index that has them in the order in which they
are delivered: a command is there from its creation, and again when its lease has run out.
"""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Integer, RowMapping, bindparam, delete, func, insert, select, update

from alien_iac.control import commands, refusals, tokens
from alien_iac.control.commands import Command
from alien_iac.control.store import paging
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import COMMANDS
from alien_iac.protocol import arc

_RESPONSE: TypeAdapter[arc.Response] = TypeAdapter(arc.Response)
_FOR_ALL = "lease_all"
"""Begins the ids of leases that were given for all workloads of a deployment, which is to its agent."""
_SEALED = "sealed"
_SWEEP = 500
"""Overdue commands that one transaction ends, at most."""

_INSERT = insert(COMMANDS)
_ONE = select(COMMANDS).where(COMMANDS.c.id == bindparam("this"))
_LOCKED = _ONE.with_for_update()
_UPDATE = update(COMMANDS).where(COMMANDS.c.id == bindparam("this"))
_DELIVERABLE = select(COMMANDS).where(
    COMMANDS.c.deployment_id == bindparam("deployment"), COMMANDS.c.available_at.is_not(None)
)
_FOR_TARGET = COMMANDS.c.target_id == bindparam("target")
_WAITING = _DELIVERABLE.where(COMMANDS.c.available_at <= bindparam("now"), COMMANDS.c.ends_by > bindparam("now"))
_NOW = (
    _WAITING.order_by(COMMANDS.c.rank, COMMANDS.c.available_at)
    .limit(bindparam("count", type_=Integer))
    .with_for_update(skip_locked=True)
)
_NOT_FULL = COMMANDS.c.target_id.not_in(bindparam("full", expanding=True))
_NEXT_TARGET = _WAITING.where(COMMANDS.c.target_id > bindparam("after")).with_only_columns(
    func.min(COMMANDS.c.target_id)
)
_OPEN = select(func.count()).select_from(
    _DELIVERABLE.with_only_columns(COMMANDS.c.id).limit(bindparam("most", type_=Integer)).subquery()
)
_LATER = _DELIVERABLE.where(COMMANDS.c.available_at > bindparam("now")).with_only_columns(
    func.min(COMMANDS.c.available_at)
)

_GIVEN = _DELIVERABLE.where(
    COMMANDS.c.state == "DISPATCHED", COMMANDS.c.lease_id.startswith(f"{_FOR_ALL}_", autoescape=True)
)


@dataclass(frozen=True, kw_only=True)
class Params:
    """A command's parameters: the bytes, or the size of the file that has them."""

    inline: bytes | None = None
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is stored beside a command: who sent it, which request it was, and the trace it belongs to."""

    actor: str
    request_hash: str
    idempotency: str | None = None
    trace: dict[str, str] | None = None
    signature: arc.Signature | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A leased command with what its receiver needs."""

    command: Command
    params: Params
    trace: dict[str, str] | None
    signature: arc.Signature | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a receiver asks for. `target` None: for every workload of the deployment that is not in `full`."""

    deployment_id: str
    count: int
    seconds: int
    target: str | None = None
    full: tuple[str, ...] = ()


def add(transaction: Transaction, command: Command, params: Params, origin: Origin) -> None:
    """Store a new command, and wake who waits for work."""
    values = {
        **_values(transaction, command),
        "id": command.id,
        "deployment_id": command.deployment_id,
        "command": command.command,
        "target_id": command.target.resource_id,
        "target_type": command.target.resource_type,
        "max_attempts": command.max_attempts,
        "rank": -command.priority,
        "created_at": command.created_at,
        "deadline": command.deadline,
        "expires_at": command.expires_at,
        "params": _sealed_params(transaction, command.id, params),
        "params_size": params.size,
        "idempotency": origin.idempotency,
        "request_hash": origin.request_hash,
        "created_by": origin.actor,
        "trace": origin.trace,
        "signature": origin.signature.dump() if origin.signature else None,
    }
    transaction.run(_INSERT, values)
    _wake_work(transaction, command)


def check_room(transaction: Transaction, deployment_id: str, most: int) -> None:
    """TooManyCommands where so many of a deployment wait already: one customer's queue is not to fill the disk."""
    if transaction.scalar(_OPEN, {"deployment": deployment_id, "most": most}) >= most:
        raise refusals.TooManyCommands(
            f"{most} commands of {deployment_id} are open already",
            hint="is its agent running? Cancel some, or try again when they have ended",
        )


def earlier(transaction: Transaction, idempotency: str) -> tuple[Command, str] | None:
    """The command that was made with this key, and the hash of its request."""
    row = transaction.one(select(COMMANDS).where(COMMANDS.c.idempotency == idempotency))
    return (_command(transaction, row), row["request_hash"]) if row else None


def get(transaction: Transaction, command_id: str) -> Command:
    """A command as it is now. CommandUnknown for an unknown one."""
    return commands.overdue(_command(transaction, _row(transaction, command_id)), transaction.now)


def params(transaction: Transaction, command_id: str) -> Params:
    """A command's parameters."""
    row = _row(transaction, command_id)
    return _params(transaction, row)


def save(transaction: Transaction, old: Command, new: Command) -> None:
    """Write what changed, and wake who waits for it."""
    if new == old:
        return
    transaction.run(_UPDATE, {"this": new.id, **_values(transaction, new)})
    if new.ended:
        transaction.wake(f"command:{new.id}")
    elif new.state == "PENDING":
        _wake_work(transaction, new)


def change(transaction: Transaction, command_id: str) -> Command:
    """A command that is to be changed: its row is locked where the database has row locks."""
    return _command(transaction, _row(transaction, command_id, lock=True))


def set_params(transaction: Transaction, command_id: str, params: Params) -> None:
    """Write the parameters, or note that a file has them."""
    values = {"params": _sealed_params(transaction, command_id, params), "params_size": params.size}
    transaction.run(update(COMMANDS).where(COMMANDS.c.id == command_id).values(values))


def leased(transaction: Transaction, lease_id: str) -> Command:
    """The command that this lease holds. LeaseUnknown where it holds none."""
    row = transaction.one(select(COMMANDS).where(COMMANDS.c.lease_id == lease_id).with_for_update())
    if row is None or row["state"] != "DISPATCHED":
        raise refusals.LeaseUnknown(f'there is no lease "{lease_id}"', hint="it ended, or its command was answered")
    return _command(transaction, row)


def acquire(transaction: Transaction, wanted: Wanted) -> list[Delivery]:
    """Lease up to `count` deliverable commands: by priority, then the oldest first.

    Where more wait than are asked for, every workload gets its share: one with a long queue keeps none from another.
    """
    rows_ = _pick(transaction, wanted)
    kind = _FOR_ALL if wanted.target is None else "lease"
    return [_deliver(transaction, row, tokens.fresh(kind), wanted.seconds) for row in rows_]


def _pick(transaction: Transaction, wanted: Wanted) -> Sequence[RowMapping]:
    if not wanted.count:
        return ()
    found = transaction.all(*_query(transaction, _NOW, wanted))
    if wanted.target is not None or len(found) < wanted.count:
        return found
    queues: list[Sequence[RowMapping]] = []
    target = ""
    while (target := transaction.scalar(*_query(transaction, _NEXT_TARGET, wanted, after=target))) is not None:
        queues.append(transaction.all(*_query(transaction, _NOW, replace(wanted, target=target))))
    return fair(queues, wanted.count)


def fair(queues: Sequence[Sequence[RowMapping]], count: int) -> list[RowMapping]:
    """The first `count` of several queues, by turns; among those of one turn the highest priority, then the oldest."""
    turns = [
        (turn, row["rank"], row["available_at"], number)
        for number, queue in enumerate(queues)
        for turn, row in enumerate(queue)
    ]
    return [queues[number][turn] for turn, _, _, number in sorted(turns)[:count]]


def _query(transaction: Transaction, query: Any, wanted: Wanted, **more: str) -> tuple[Any, dict[str, Any]]:
    """A statement for what is wanted, and its values."""
    values = {"deployment": wanted.deployment_id, "now": transaction.now, "count": wanted.count, **more}
    if wanted.target is not None:
        return query.where(_FOR_TARGET), {**values, "target": wanted.target}
    if wanted.full:
        return query.where(_NOT_FULL), {**values, "full": list(wanted.full)}
    return query, values


def lost(transaction: Transaction, deployment_id: str, holding: Collection[str]) -> list[Command]:
    """The commands that were given to the deployment's agent and that are not among those that it holds."""
    found = transaction.all(_GIVEN, {"deployment": deployment_id})
    return [_command(transaction, row) for row in found if row["lease_id"] not in holding]


def _deliver(transaction: Transaction, row: RowMapping, lease_id: str, seconds: int) -> Delivery:
    old = _command(transaction, row)
    new = commands.lease(old, lease_id, seconds, transaction.now)
    save(transaction, old, new)
    return Delivery(
        command=new,
        params=_params(transaction, row),
        trace=row["trace"],
        signature=arc.Signature.model_validate(row["signature"]) if row["signature"] else None,
    )


def next_available(transaction: Transaction, wanted: Wanted) -> datetime | None:
    """When a command that is leased now may be leased again, the first of them."""
    found: datetime | None = transaction.scalar(*_query(transaction, _LATER, wanted))
    return found


def rows(
    transaction: Transaction, deployment_id: str | None, state: arc.State | None, cursor: str | None, limit: int
) -> tuple[list[arc.CommandSummary], str | None]:
    """Commands, newest first. `state`: as it was last written; one whose time is over counts as it was for a second."""
    query = select(COMMANDS)
    query = query.where(COMMANDS.c.deployment_id == deployment_id) if deployment_id else query
    query = query.where(COMMANDS.c.state == state) if state else query
    found, following = paging.page(transaction, query, (COMMANDS.c.created_at, COMMANDS.c.id), cursor, limit)
    return [_summary(commands.overdue(_command(transaction, row), transaction.now)) for row in found], following


def end_overdue(transaction: Transaction) -> int:
    """End commands whose time is over; how many there were."""
    query = select(COMMANDS).where(COMMANDS.c.ends_by <= transaction.now).order_by(COMMANDS.c.ends_by).limit(_SWEEP)
    rows_ = transaction.all(query.with_for_update(skip_locked=True))
    for row in rows_:
        old = _command(transaction, row)
        save(transaction, old, commands.overdue(old, transaction.now))
    return len(rows_)


def forget(transaction: Transaction, before: datetime) -> list[str]:
    """Delete commands that ended before this instant; their ids."""
    query = select(COMMANDS.c.id).where(COMMANDS.c.ended_at < before).limit(_SWEEP)
    ids = [row["id"] for row in transaction.all(query)]
    transaction.run(delete(COMMANDS).where(COMMANDS.c.id.in_(ids)))
    return ids


def known(transaction: Transaction, ids: Collection[str]) -> set[str]:
    """Which of these commands there are."""
    return {row["id"] for row in transaction.all(select(COMMANDS.c.id).where(COMMANDS.c.id.in_(ids)))}


def free_keys(transaction: Transaction, before: datetime) -> None:
    """Let idempotency keys of commands older than this be used again."""
    old = COMMANDS.c.created_at < before
    transaction.run(update(COMMANDS).where(COMMANDS.c.idempotency.is_not(None), old).values(idempotency=None))


def _wake_work(transaction: Transaction, command: Command) -> None:
    if command.available_at is not None:
        transaction.wake(*work_topics(command.deployment_id, command.target.resource_id))


def work_topics(deployment_id: str, target: str | None) -> Sequence[str]:
    """What a receiver listens on, or (both of a target) what new work wakes."""
    every = f"work:{deployment_id}"
    return (every,) if target is None else (every, f"{every}:{target}")


def _row(transaction: Transaction, command_id: str, *, lock: bool = False) -> RowMapping:
    row = transaction.one(_LOCKED if lock else _ONE, {"this": command_id})
    if row is None:
        raise refusals.CommandUnknown(f'there is no command "{command_id}"')
    return row


def _values(transaction: Transaction, command: Command) -> dict[str, Any]:
    return {
        "state": command.state,
        "attempt": command.attempt,
        "ends_by": command.ends_by,
        "available_at": command.available_at,
        "lease_id": command.lease_id,
        "lease_expires_at": command.lease_expires_at,
        "ended_at": command.ended_at,
        "response": _sealed_response(transaction, command),
    }


def _sealed_params(transaction: Transaction, command_id: str, params: Params) -> bytes | None:
    return None if params.inline is None else transaction.vault.seal(f"{command_id} params", params.inline)


def _params(transaction: Transaction, row: RowMapping) -> Params:
    inline = row["params"]
    opened = None if inline is None else transaction.vault.open(f"{row['id']} params", inline)
    return Params(inline=opened, size=row["params_size"])


def _sealed_response(transaction: Transaction, command: Command) -> dict[str, str] | None:
    """A result as it is stored: an object of our own in the column, in which results before it were as they came."""
    if command.response is None:
        return None
    sealed = transaction.vault.seal(f"{command.id} response", command.response.model_dump_json(by_alias=True).encode())
    return {_SEALED: base64.b64encode(sealed).decode()}


def _response(transaction: Transaction, row: RowMapping) -> arc.Response | None:
    stored = row["response"]
    if not stored or _SEALED not in stored:
        return _RESPONSE.validate_python(stored) if stored else None
    content = transaction.vault.open(f"{row['id']} response", base64.b64decode(stored[_SEALED]))
    return _RESPONSE.validate_json(content)


def _command(transaction: Transaction, row: RowMapping) -> Command:
    return Command(
        id=row["id"],
        deployment_id=row["deployment_id"],
        command=row["command"],
        target=arc.Target(resource_id=row["target_id"], resource_type=row["target_type"]),
        state=row["state"],
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        priority=-row["rank"],
        created_at=row["created_at"],
        deadline=row["deadline"],
        expires_at=row["expires_at"],
        lease_id=row["lease_id"],
        lease_expires_at=row["lease_expires_at"],
        ended_at=row["ended_at"],
        response=_response(transaction, row),
    )


def _summary(command: Command) -> arc.CommandSummary:
    return arc.CommandSummary(
        command_id=command.id,
        deployment_id=command.deployment_id,
        command=command.command,
        target=command.target,
        state=command.state,
        attempt=command.attempt,
        priority=command.priority,
        created_at=command.created_at,
        ended_at=command.ended_at,
    )
