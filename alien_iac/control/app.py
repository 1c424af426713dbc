"""The control plane as one ASGI app, made from its collaborators."""

from fastapi import APIRouter, FastAPI
from starlette.types import Lifespan

from alien_iac.control import failures
from alien_iac.control.collaborators import Control
from alien_iac.control.dashboard import app as dashboard
from alien_iac.control.dashboard.pages import BASE
from alien_iac.control.limits import Limits
from alien_iac.control.routes import (
    agents,
    audit,
    bodies,
    bootstrap,
    commands,
    deployments,
    enrolment,
    health,
    leases,
    payloads,
    releases,
    rollouts,
    telemetry,
    tokens,
)

STREAMED = ("/v1/blobs/",)


def create_app(
    control: Control, *, strict_transport: bool = False, lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """The app. `strict_transport`: it is reached by TLS, and says so; `lifespan`: what runs beside it."""
    app = FastAPI(
        title="alien-iac control plane",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=lifespan,
        responses=failures.RESPONSES,
    )
    app.state.control = control
    failures.install(app)
    app.add_middleware(
        Limits, streamed=STREAMED, strict_transport=strict_transport, ending=lambda: control.waiting.closed
    )
    for router in _routers():
        app.include_router(router, prefix="/v1")
    app.include_router(health.router)
    app.mount(BASE, dashboard.create(control))
    return app


def _routers() -> tuple[APIRouter, ...]:
    return (
        leases.router,  # what is asked for most comes first: routes are tried in their order
        commands.router,
        bodies.router,
        payloads.router,
        enrolment.router,
        tokens.router,
        agents.router,
        deployments.router,
        releases.router,
        rollouts.router,
        audit.router,
        bootstrap.router,
        telemetry.router,
    )
