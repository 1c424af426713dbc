"""Telemetry as it is kept: rows for the API, whole requests that wait to be forwarded, and counts of what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Column, RowMapping, Select, delete, func, insert, select, update

from alien_iac.control.store import paging
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import TELEMETRY, TELEMETRY_BATCHES, TELEMETRY_LOSSES, TELEMETRY_OUT
from alien_iac.protocol.telemetry.answers import LogLine, Point, SpanLine, TraceSummary
from alien_iac.protocol.telemetry.levels import Signal

KEPT = timedelta(days=7)
MOST_ROWS = 2_000_000
BATCHES_KEPT = timedelta(days=1)
MOST_OUT = 256 << 20
"""Bytes that wait to be forwarded."""
_STRIDE = 5_000
"""Rows that one transaction deletes: others write in between."""
_MOST_SPANS = 2_000
_INSERT = insert(TELEMETRY)
_T = TELEMETRY.c


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which items are asked for. None: any."""

    signal: Signal
    deployment_id: str | None = None
    workload: str | None = None
    name: str | None = None
    trace_id: str | None = None
    severity: int | None = None
    """The lowest."""
    since: datetime | None = None
    until: datetime | None = None

    def rows(self) -> Select[Any]:
        """The rows that fit."""
        exact = {
            _T.deployment_id: self.deployment_id,
            _T.workload: self.workload,
            _T.name: self.name,
            _T.trace_id: self.trace_id,
        }
        query = select(TELEMETRY).where(_T.signal == self.signal)
        query = query.where(*(column == value for column, value in exact.items() if value is not None))
        bounds = [_T.severity >= self.severity] if self.severity else []
        bounds += [_T.at >= self.since] if self.since else []
        bounds += [_T.at <= self.until] if self.until else []
        return query.where(*bounds)


def add(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Keep rows, and wake who follows."""
    transaction.insert(_INSERT, rows)
    transaction.wake(*{topic(row["deployment_id"]) for row in rows}, topic(None))


def topic(deployment_id: str | None) -> str:
    """What is woken by a deployment's telemetry; None: by anybody's."""
    return f"telemetry:{deployment_id or ''}"


def is_known(transaction: Transaction, deployment_id: str, batch: str) -> bool:
    """Whether this batch was taken before."""
    columns = TELEMETRY_BATCHES.c
    query = select(columns.id).where(columns.deployment_id == deployment_id, columns.id == batch)
    return transaction.one(query) is not None


def remember(transaction: Transaction, deployment_id: str, batch: str) -> None:
    """Note that this batch was taken."""
    transaction.run(insert(TELEMETRY_BATCHES).values(deployment_id=deployment_id, id=batch, at=transaction.now))


def logs(transaction: Transaction, query: Query, cursor: str | None, limit: int) -> tuple[list[LogLine], str | None]:
    """Log lines, newest first."""
    found, following = paging.page(transaction, query.rows(), (_T.number,), cursor, limit)
    return [_log(row) for row in found], following


def logs_after(transaction: Transaction, query: Query, after: int, limit: int) -> list[LogLine]:
    """Log lines after a number, oldest first."""
    wanted = query.rows().where(_T.number > after).order_by(_T.number).limit(limit)
    return [_log(row) for row in transaction.all(wanted)]


def last(transaction: Transaction) -> int:
    """The highest number so far."""
    return int(transaction.scalar(select(func.max(_T.number))) or 0)


def points(transaction: Transaction, query: Query, cursor: str | None, limit: int) -> tuple[list[Point], str | None]:
    """Points of metrics, newest first."""
    found, following = paging.page(transaction, query.rows(), (_T.number,), cursor, limit)
    return [Point.model_validate({**_common(row), "name": row["name"]}) for row in found], following


def spans(transaction: Transaction, query: Query) -> tuple[SpanLine, ...]:
    """The spans that fit, in the order in which they began."""
    found = transaction.all(query.rows().order_by(_T.at, _T.number).limit(_MOST_SPANS))
    return tuple(
        SpanLine.model_validate({**_common(row), "name": row["name"], "traceId": row["trace_id"]}) for row in found
    )


def traces(
    transaction: Transaction, query: Query, cursor: str | None, limit: int
) -> tuple[list[TraceSummary], str | None]:
    """Traces by their newest spans, newest first."""
    newest = func.max(_T.number).label("number")
    grouped = query.rows().with_only_columns(_T.trace_id, newest).group_by(_T.trace_id).subquery()
    found, following = paging.page(
        transaction, select(grouped), (cast("Column[int]", grouped.c.number),), cursor, limit
    )
    numbers = {row["trace_id"]: row["number"] for row in found}
    rows: dict[str, list[RowMapping]] = {}
    wanted = select(TELEMETRY).where(_T.signal == "traces", _T.trace_id.in_(numbers)).order_by(_T.at, _T.number)
    only = (_T.deployment_id == query.deployment_id,) if query.deployment_id else ()
    for row in transaction.all(wanted.where(*only).limit(_MOST_SPANS * 10)):
        rows.setdefault(row["trace_id"], []).append(row)
    return [_summary(numbers[trace_id], rows[trace_id]) for trace_id in numbers if trace_id in rows], following


def put_out(transaction: Transaction, signal: Signal, items: int, body: bytes) -> None:
    """Keep a request until it is forwarded."""
    transaction.run(insert(TELEMETRY_OUT).values(signal=signal, items=items, size=len(body), body=body))
    transaction.wake(OUT)


OUT = "telemetry-out"
"""The topic of what waits to be forwarded."""


def oldest_out(transaction: Transaction, most_bytes: int) -> Sequence[RowMapping]:
    """What has waited longest: rows of one signal, as many as fit."""
    rows = transaction.all(select(TELEMETRY_OUT).order_by(TELEMETRY_OUT.c.number).limit(20))
    taken: list[RowMapping] = []
    size = 0
    for row in rows:
        size += row["size"]
        if row["signal"] != rows[0]["signal"] or (taken and size > most_bytes):
            break
        taken.append(row)
    return taken


def done_out(transaction: Transaction, numbers: Sequence[int], lost: int = 0, reason: str = "") -> None:
    """These need not be forwarded any more; so many items of them were lost."""
    transaction.run(delete(TELEMETRY_OUT).where(TELEMETRY_OUT.c.number.in_(list(numbers))))
    if lost:
        lose(transaction, reason, lost)


def lose(transaction: Transaction, reason: str, items: int) -> None:
    """Count what is not kept or not forwarded."""
    losses = TELEMETRY_LOSSES
    changed = update(losses).where(losses.c.reason == reason).values(items=losses.c["items"] + items)
    if not transaction.run(changed):
        transaction.run(insert(losses).values(reason=reason, items=items))


def state(transaction: Transaction) -> tuple[int, dict[str, int]]:
    """Items that wait to be forwarded, and items lost, by reason."""
    waiting = transaction.scalar(select(func.coalesce(func.sum(TELEMETRY_OUT.c["items"]), 0)))
    losses = {row["reason"]: int(row["items"]) for row in transaction.all(select(TELEMETRY_LOSSES))}
    return int(waiting), losses


def prune(transaction: Transaction, *, most_rows: int = MOST_ROWS, most_out: int = MOST_OUT) -> bool:
    """Forget some of what is too old or too much. True where there may be more."""
    batches = TELEMETRY_BATCHES.c.at < transaction.now - BATCHES_KEPT
    transaction.run(delete(TELEMETRY_BATCHES).where(batches))
    _shrink_out(transaction, most_out)
    too_many = select(_T.number).order_by(_T.number.desc()).offset(most_rows).limit(1)
    highest = transaction.scalar(too_many) or 0
    old = select(_T.number).where((_T.received_at < transaction.now - KEPT) | (_T.number <= highest))
    oldest = [row["number"] for row in transaction.all(old.order_by(_T.number).limit(_STRIDE))]
    if oldest:
        transaction.run(delete(TELEMETRY).where(_T.number.in_(oldest)))
    return len(oldest) == _STRIDE


def _shrink_out(transaction: Transaction, most: int) -> None:
    out = TELEMETRY_OUT.c
    over = int(transaction.scalar(select(func.coalesce(func.sum(out.size), 0)))) - most
    numbers, lost = [], 0
    for row in transaction.all(select(out.number, out.size, out["items"]).order_by(out.number).limit(_STRIDE)):
        if over <= 0:
            break
        over, lost = over - row["size"], lost + row["items"]
        numbers.append(row["number"])
    if numbers:
        done_out(transaction, numbers, lost, "full")


def _common(row: RowMapping) -> dict[str, Any]:
    return {
        **row["body"],
        "number": row["number"],
        "deploymentId": row["deployment_id"],
        "workload": row["workload"],
        "at": row["at"],
    }


def _log(row: RowMapping) -> LogLine:
    return LogLine.model_validate({**_common(row), "severity": row["severity"], "traceId": row["trace_id"]})


def _summary(number: int, rows: Sequence[RowMapping]) -> TraceSummary:
    first = next((row for row in rows if not row["body"].get("parentId")), rows[0])
    begun = rows[0]["at"]
    ends = max(row["at"] + timedelta(milliseconds=row["body"]["ms"]) for row in rows)
    return TraceSummary(
        number=number,
        trace_id=first["trace_id"],
        deployment_id=first["deployment_id"],
        customer=cast("str", first["body"]["customer"]),
        name=first["name"],
        at=begun,
        ms=(ends - begun) / timedelta(milliseconds=1),
        spans=len(rows),
        failed=sum(bool(row["body"].get("failed")) for row in rows),
    )
