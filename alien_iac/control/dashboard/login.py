"""In and out: a token is pasted once, and only its session's cookie travels from then on."""

from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from alien_iac.control.collaborators import Control
from alien_iac.control.dashboard import sessions
from alien_iac.control.dashboard.pages import BASE, link
from alien_iac.control.dashboard.visitors import Anyone, Leaving, check_origin
from alien_iac.control.routes.base import Routes
from alien_iac.control.security import origin
from alien_iac.errors import AlienError, Forbidden, Unauthorized

router = Routes()


async def count(seen: Anyone) -> None:
    """TooManyRequests from an address that gave too many wrong tokens."""
    seen.control.pace.failures.check(origin(seen.request))


@router.get("/login")
async def form(seen: Anyone, next_: Annotated[str, Query(alias="next", max_length=1000)] = "") -> Response:
    """The form, or on to where a visitor who is logged in wanted to go."""
    if seen.session is not None:
        return RedirectResponse(_safe(next_), status_code=303)
    return _form(seen, next_)


@router.post("/login", dependencies=[Depends(check_origin), Depends(count)])
async def enter(
    seen: Anyone,
    token: Annotated[str, Form(max_length=500)] = "",
    next_: Annotated[str, Form(alias="next", max_length=1000)] = "",
) -> Response:
    """Take the token, and answer with the cookie."""
    try:
        cookie = await sessions.begin(seen.control, token)
    except (Unauthorized, Forbidden) as error:
        seen.control.pace.failures.charge(origin(seen.request))
        return _form(seen, next_, error)
    answer = RedirectResponse(_safe(next_), status_code=303)
    answer.set_cookie(
        sessions.COOKIE,
        cookie,
        max_age=int(sessions.LIFE.total_seconds()),
        path=BASE,
        secure=_is_secure(seen.request, seen.control),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
async def leave(seen: Leaving) -> Response:
    """End the session here and in the database."""
    if seen.session is not None:
        await sessions.end(seen.control, seen.session)
    answer = seen.go("/login")
    answer.delete_cookie(sessions.COOKIE, path=BASE, httponly=True, samesite="strict")
    return answer


def _form(seen: Anyone, next_: str, error: AlienError | None = None) -> HTMLResponse:
    return seen.show("login.html", status=error.http_status if error else 200, next=next_, error=error)


def _safe(path: str) -> str:
    """Where to go on, on this dashboard and nowhere else."""
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return f"{BASE}{path}" if inside else link("/")


def _is_secure(request: Request, control: Control) -> bool:
    return request.url.scheme == "https" or (control.public_url or "").startswith("https:")
