"""A deployment's logs, metrics and traces."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from alien_iac.control.dashboard import plots, waterfall
from alien_iac.control.dashboard.deployments import deployment
from alien_iac.control.dashboard.visitors import Reading, Screen
from alien_iac.control.routes import telemetry as api
from alien_iac.control.routes.base import Cursor, Routes
from alien_iac.errors import NotFound
from alien_iac.protocol.telemetry.answers import Point

router = Routes(prefix="/deployments/{deployment_id}")

SEVERITIES = {0: "any", 9: "info and above", 13: "warnings and above", 17: "errors"}
HOURS = {1: "last hour", 6: "last 6 hours", 24: "last day", 168: "last week"}
_MOST_PAGES = 8
"""Pages of 500 points that one look at the metrics reads."""


@router.get("/logs")
async def logs(
    deployment_id: str,
    seen: Reading,
    workload: Annotated[str, Query(max_length=200)] = "",
    severity: Annotated[int, Query(ge=0, le=24)] = 0,
    cursor: Cursor = None,
) -> Response:
    """Log lines, newest first."""
    head = await deployment(seen, deployment_id)
    asked = api.Paged(
        deployment=deployment_id, workload=workload or None, severity=severity or None, cursor=cursor, limit=100
    )
    found = await api.logs(asked, seen.caller, seen.control)
    return seen.show(
        "logs.html",
        deployment=head,
        tab="logs",
        page=found,
        workload=workload,
        severity=severity,
        severities=SEVERITIES,
        cursor=cursor,
    )


@router.get("/metrics")
async def metrics(
    deployment_id: str,
    seen: Reading,
    workload: Annotated[str, Query(max_length=200)] = "",
    hours: Annotated[int, Query(ge=1, le=168)] = 1,
) -> Response:
    """Each metric as a plot."""
    head = await deployment(seen, deployment_id)
    until = seen.control.clock()
    since = until - timedelta(hours=hours)
    asked = api.Paged(deployment=deployment_id, workload=workload or None, since=since, until=until, limit=500)
    points, whole = await _points(seen, asked)
    return seen.show(
        "metrics.html",
        deployment=head,
        tab="metrics",
        plots=plots.draw(points, since, until),
        whole=whole,
        workload=workload,
        hours=hours,
        choices=HOURS,
        since=since,
    )


async def _points(seen: Screen, asked: api.Paged) -> tuple[list[Point], bool]:
    """The newest points, and whether these are all."""
    points: list[Point] = []
    for _ in range(_MOST_PAGES):
        page = await api.metrics(asked, seen.caller, seen.control)
        points += page.items
        if page.next is None:
            return points, True
        asked = asked.model_copy(update={"cursor": page.next})
    return points, False


@router.get("/traces")
async def traces(deployment_id: str, seen: Reading, cursor: Cursor = None) -> Response:
    """Traces, newest first."""
    head = await deployment(seen, deployment_id)
    asked = api.Paged(deployment=deployment_id, cursor=cursor, limit=50)
    found = await api.traces(asked, seen.caller, seen.control)
    return seen.show("traces.html", deployment=head, tab="traces", page=found, cursor=cursor)


@router.get("/traces/{trace_id}")
async def trace(deployment_id: str, trace_id: str, seen: Reading) -> Response:
    """One trace as a waterfall."""
    head = await deployment(seen, deployment_id)
    found = await api.trace_of(trace_id, seen.caller, seen.control)
    spans = tuple(span for span in found.spans if span.deployment_id == deployment_id)
    if not spans:
        raise NotFound(f'there is no trace "{trace_id[:32]}" of this deployment')
    return seen.show("trace.html", deployment=head, tab="traces", trace=waterfall.draw(spans), trace_id=trace_id)
