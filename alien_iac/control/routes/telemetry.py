"""Telemetry: in by OTLP/HTTP, and out to whoever looks."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, Field

from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.routes.base import PAGE, Routes
from alien_iac.control.security import TelemetryReader, TelemetrySender
from alien_iac.control.store import deployments
from alien_iac.control.store import telemetry as store
from alien_iac.control.store.engine import Transaction
from alien_iac.control.telemetry import Export, Received, Sender, receive
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden, NotFound
from alien_iac.protocol.api import Page
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.answers import Followed, LogLine, Point, TelemetryState, Trace, TraceSummary
from alien_iac.protocol.telemetry.levels import BATCH_HEADER, DEFAULT, LEVEL_HEADER, Signal, carries, parse
from alien_iac.protocol.wire import Open

router = Routes(tags=["telemetry"])

_CHUNK = 1_000
"""Rows of one transaction: commands are written in between."""
_OTLP = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {}} for kind in (otlp.PROTOBUF, otlp.JSON)},
    }
}


@router.post("/logs", openapi_extra=_OTLP)
async def take_logs(request: Request, caller: TelemetrySender, control: Parts) -> Response:
    """An OTLP export of logs, in protobuf or JSON, gzipped or not."""
    return await _take("logs", request, caller, control)


@router.post("/traces", openapi_extra=_OTLP)
async def take_traces(request: Request, caller: TelemetrySender, control: Parts) -> Response:
    """An OTLP export of spans."""
    return await _take("traces", request, caller, control)


@router.post("/metrics", openapi_extra=_OTLP)
async def take_metrics(request: Request, caller: TelemetrySender, control: Parts) -> Response:
    """An OTLP export of metrics."""
    return await _take("metrics", request, caller, control)


async def _take(signal: Signal, request: Request, caller: Caller, control: Control) -> Response:
    if caller.deployment_id is None:
        raise Forbidden("telemetry is that of one deployment", hint="send it with a token that is bound to one")
    sender = await control.database.read(lambda transaction: _sender(transaction, caller, str(caller.deployment_id)))
    kind, rejected = request.headers.get("content-type", ""), 0
    async with control.intake:
        body = await _body(request)
        if carries(sender.level, signal):
            encoding = request.headers.get("content-encoding", "")
            export = Export(signal=signal, body=body, content_type=kind, encoding=encoding)
            found = await asyncio.to_thread(receive, export, sender, control.clock())
            await _keep(control, signal, sender, found, request.headers.get(BATCH_HEADER, "")[:64])
            rejected = found.refused
    answer, answer_kind = otlp.answer(signal, kind, rejected)
    return Response(answer, media_type=answer_kind, headers={LEVEL_HEADER: sender.level})


def _sender(transaction: Transaction, caller: Caller, deployment_id: str) -> Sender:
    row = deployments.row(transaction, deployment_id)
    return Sender(
        deployment_id=deployment_id,
        customer=row["customer"],
        platform=row["platform"],
        release=row["release"] or "",
        level=parse(row["telemetry"]) or DEFAULT,
        target=caller.target,
        by_agent="agent" in caller.scopes,
    )


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > otlp.UNPACKED_LIMIT:
            raise otlp.TooLarge(f"the body has more than {otlp.UNPACKED_LIMIT} bytes", hint="send smaller batches")
        parts.append(part)
    return b"".join(parts)


async def _keep(control: Control, signal: Signal, sender: Sender, found: Received, batch: str) -> None:
    """Durably, before the answer. The batch is remembered with the last of it, so that a crash lets it come again."""
    rows = found.rows

    known = partial(store.is_known, deployment_id=sender.deployment_id, batch=batch)
    if bool(batch) and await control.database.read(known):
        return
    while len(rows) > _CHUNK:
        part, rows = rows[:_CHUNK], rows[_CHUNK:]
        await control.database.write(partial(store.add, rows=part))

    def rest(transaction: Transaction) -> None:
        if batch and known(transaction):
            return
        store.add(transaction, rows)
        if batch:
            store.remember(transaction, sender.deployment_id, batch)
        if control.forwards and found.items:
            store.put_out(transaction, signal, found.items, found.forward)
        if found.refused:
            store.lose(transaction, "broken", found.refused)

    await control.database.write(rest)


class Filters(Open):
    """Which items are asked for; each that is given narrows it."""

    deployment: str | None = Field(default=None, max_length=64)
    workload: str | None = Field(default=None, max_length=200)
    name: str | None = Field(default=None, max_length=512, description="Of a metric or a span; a log's template.")
    trace: str | None = Field(default=None, max_length=32)
    severity: int | None = Field(default=None, ge=0, le=24, description="The lowest severity, in OTLP's numbers.")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: int = Field(default=PAGE, ge=1, le=500)

    def query(self, signal: Signal, caller: Caller) -> store.Query:
        """The query; a token for one deployment sees that one only."""
        if self.deployment is not None:
            caller.require(self.deployment)
        return store.Query(
            signal=signal,
            deployment_id=caller.deployment_id or self.deployment,
            workload=self.workload,
            name=self.name,
            trace_id=self.trace,
            severity=self.severity,
            since=self.since,
            until=self.until,
        )


class Paged(Filters):
    """A page of them."""

    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")


class Following(Filters):
    """What comes after a number."""

    after: int | None = Field(default=None, ge=0, description="Without it: from now on.")
    wait: float = Field(default=0, ge=0, description="Seconds to hold the request; at most 25 count.")


@router.get("/telemetry/logs")
async def logs(asked: Annotated[Paged, Query()], caller: TelemetryReader, control: Parts) -> Page[LogLine]:
    """Log lines, newest first."""
    query = asked.query("logs", caller)
    found, following = await control.database.read(lambda t: store.logs(t, query, asked.cursor, asked.limit))
    return Page[LogLine](items=tuple(found), next=following)


@router.get("/telemetry/logs/follow")
async def follow(asked: Annotated[Following, Query()], caller: TelemetryReader, control: Parts) -> Followed:
    """Log lines after a number, oldest first; held until there is one."""
    query = asked.query("logs", caller)
    begin = asked.after if asked.after is not None else await control.database.read(store.last)

    async def look() -> tuple[list[LogLine], bool, None]:
        found = await control.database.read(lambda t: store.logs_after(t, query, begin, asked.limit))
        return found, bool(found), None

    found = await control.waiting.until([store.topic(query.deployment_id)], look, asked.wait, control.clock)
    return Followed(items=tuple(found), after=found[-1].number if found else begin)


@router.get("/telemetry/metrics")
async def metrics(asked: Annotated[Paged, Query()], caller: TelemetryReader, control: Parts) -> Page[Point]:
    """Points of metrics, newest first."""
    query = asked.query("metrics", caller)
    found, following = await control.database.read(lambda t: store.points(t, query, asked.cursor, asked.limit))
    return Page[Point](items=tuple(found), next=following)


@router.get("/telemetry/traces")
async def traces(asked: Annotated[Paged, Query()], caller: TelemetryReader, control: Parts) -> Page[TraceSummary]:
    """Traces, newest first."""
    query = asked.query("traces", caller)
    found, following = await control.database.read(lambda t: store.traces(t, query, asked.cursor, asked.limit))
    return Page[TraceSummary](items=tuple(found), next=following)


@router.get("/telemetry/traces/{trace_id}")
async def trace_of(trace_id: str, caller: TelemetryReader, control: Parts) -> Trace:
    """All spans of one trace, as far as the caller may see them."""
    query = store.Query(signal="traces", trace_id=trace_id, deployment_id=caller.deployment_id)
    found = await control.database.read(lambda t: store.spans(t, query))
    if not found:
        raise NotFound(f'there is no trace "{trace_id[:32]}"', hint="`alien traces DEPLOYMENT` lists them")
    return Trace(trace_id=trace_id, spans=found)


@router.get("/telemetry/state")
async def state(caller: TelemetryReader, control: Parts) -> TelemetryState:
    """What waits to be forwarded, and what was lost on the control plane itself."""
    if caller.deployment_id is not None:
        raise Forbidden(f"this token is for deployment {caller.deployment_id} only")
    waiting, lost = await control.database.read(store.state)
    return TelemetryState(forwards=control.forwards, waiting=waiting, lost=lost)
