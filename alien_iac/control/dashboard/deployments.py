"""One deployment: what runs, how it is, what it answers, and what was asked of it last."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response
from pydantic import TypeAdapter

from alien_iac.control.dashboard.visitors import Reading, Screen
from alien_iac.control.routes import commands as commands_api
from alien_iac.control.routes import deployments as api
from alien_iac.control.routes.base import Routes
from alien_iac.control.store import deployments as store
from alien_iac.protocol.api import Deployment, HealthWord
from alien_iac.protocol.manifest import DeclaredCommand

router = Routes()

_DECLARED = TypeAdapter(tuple[DeclaredCommand, ...])
RECENT = 8


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One workload as it is shown. `kind` is known of those that take commands."""

    id: str
    kind: str = ""
    health: HealthWord = "unknown"
    release: str | None = None
    message: str = ""
    commands: tuple[DeclaredCommand, ...] = ()


@router.get("/deployments/{deployment_id}")
async def show(deployment_id: str, seen: Reading) -> Response:
    """The deployment's first page."""
    which = commands_api.Listed(deployment=deployment_id, limit=RECENT)
    found, workloads, recent = await asyncio.gather(
        api.show(deployment_id, seen.caller, seen.control),
        workloads_of(seen, deployment_id),
        commands_api.ls(seen.caller, seen.control, which),
    )
    return seen.show("deployment.html", deployment=found, tab="overview", workloads=workloads, recent=recent.items)


async def deployment(seen: Screen, deployment_id: str) -> Deployment:
    """The head of each of its pages. NotFound for an unknown one."""
    return await api.show(deployment_id, seen.caller, seen.control)


async def workloads_of(seen: Screen, deployment_id: str) -> Sequence[Workload]:
    """Its workloads: those that the last heartbeat names, and those that its release declared."""
    row = await seen.control.database.read(lambda transaction: dict(store.row(transaction, deployment_id)))
    declared = _DECLARED.validate_python(row["commands"])
    kinds = {str(target["resourceId"]): str(target["resourceType"]) for target in row["targets"]}
    health: dict[str, dict[str, Any]] = {each["id"]: each for each in row["workloads"]}
    names = dict.fromkeys([*health, *kinds, *(each.resource for each in declared)])
    return [
        Workload(
            kind=kinds.get(name, ""),
            commands=tuple(each for each in declared if each.resource == name),
            **health.get(name, {"id": name}),
        )
        for name in names
    ]
