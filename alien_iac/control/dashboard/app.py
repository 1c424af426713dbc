"""The dashboard as an app of its own below the control plane's: its failures are pages, and the API's are JSON."""

from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from alien_iac.control import failures
from alien_iac.control.collaborators import Control
from alien_iac.control.dashboard import audit, commands, deployments, fleet, login, releases, rollouts, telemetry
from alien_iac.control.dashboard.pages import BASE, HEADERS, HERE, Pages, link
from alien_iac.control.dashboard.visitors import LoginNeeded, Screen, screen
from alien_iac.control.refusals import TooManyRequests
from alien_iac.errors import AlienError

ROUTERS = (login, fleet, deployments, commands, telemetry, rollouts, releases, audit)


class _Static(StaticFiles):
    """Files whose address changes with their content: a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        found.headers.update({**HEADERS, "cache-control": "public, max-age=31536000, immutable"})
        return found


def create(control: Control) -> FastAPI:
    """The app that is mounted at `/dashboard`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.control = control
    app.state.pages = Pages()
    for module in ROUTERS:
        app.include_router(module.router)
    app.mount("/static", _Static(directory=HERE / "static"), name="static")
    _install_failures(app)
    return app


def _install_failures(app: FastAPI) -> None:
    @app.exception_handler(LoginNeeded)
    async def login_first(request: Request, _error: LoginNeeded) -> Response:
        wanted = urlsplit(str(request.url))
        path = wanted.path.removeprefix(BASE) + (f"?{wanted.query}" if wanted.query else "")
        seen = path if request.method == "GET" and path not in {"", "/"} else ""
        return RedirectResponse(link("/login", next=seen), status_code=303)

    @app.exception_handler(AlienError)
    async def ours(request: Request, error: AlienError) -> Response:
        found = await _page(request, error.http_status, error.message, error.hint)
        if isinstance(error, TooManyRequests):
            found.headers["retry-after"] = str(error.after)
        return found

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return await _page(request, 400, failures.describe(error.errors()))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return await _page(request, error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    async def bug(request: Request, _error: Exception) -> Response:
        return _plain(request, 500, "The control plane failed; its log says why.")


async def _page(request: Request, status: int, message: str, hint: str | None = None) -> Response:
    seen = await screen(request, cast("Control", request.app.state.control))
    return _failure(seen, status, message, hint)


def _plain(request: Request, status: int, message: str) -> Response:
    """Without a look at who asks, since that may be what failed."""
    parts = cast("Control", request.app.state.control)
    pages = cast("Pages", request.app.state.pages)
    return _failure(Screen(request=request, control=parts, pages=pages, session=None), status, message, None)


def _failure(seen: Screen, status: int, message: str, hint: str | None) -> Response:
    title = HTTPStatus(status).phrase
    return seen.show("failure.html", status=status, title=title, code=status, message=message, hint=hint)
