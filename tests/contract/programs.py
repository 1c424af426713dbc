"""Stack programs that the contracts are held against: one of each kind, and one with all of them."""

from collections.abc import Callable, Mapping
from typing import Any

import alien_iac as alien
from alien_iac.models.arguments import Kind
from alien_iac.resources.base import Component

Make = Callable[..., Component]

MAKE: Mapping[Kind, Make] = {
    "Storage": alien.Storage,
    "Kv": alien.Kv,
    "Queue": alien.Queue,
    "Secret": alien.Secret,
    "Function": lambda name, **more: alien.Function(name, source="worker", **more),
    "Container": lambda name, **more: alien.Container(name, source="api", port=8080, **more),
}


def everything() -> dict[str, Component]:
    """All six kinds, every trigger, links both ways."""
    files = alien.Storage("files")
    sessions = alien.Kv("sessions")
    jobs = alien.Queue("jobs", max_receives=7, retention="2d")
    crm = alien.Secret("crm", provided_by="generated")
    index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/meili_data", size="20Gi")])
    api = alien.Container(
        "api",
        source="./api",
        port=8080,
        public=True,
        cpu=0.5,
        memory="1Gi",
        scale=alien.Scale(min=1, max=10, cpu=70),
        link=[index, jobs.sender()],
    )
    worker = alien.Function(
        "worker",
        source="./worker",
        memory="512Mi",
        timeout="5m",
        commands=True,
        link=[files, sessions.reader(), crm, index],
        triggers=[jobs.on_message(), alien.schedule("0 3 * * 1"), files.on_created()],
    )
    api.link(worker)
    index.link(api)
    return {c.resource_id: c for c in (files, sessions, jobs, crm, index, api, worker)}


def nothing(**_: Any) -> None:
    """A stack program without components."""
