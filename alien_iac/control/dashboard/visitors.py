"""Who may see a page or send a form, as dependencies of the routes. A form needs our own origin and its CSRF token."""

from dataclasses import dataclass
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.dashboard import sessions
from alien_iac.control.dashboard.pages import Pages, link
from alien_iac.control.dashboard.sessions import Session
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden, InvalidInput, Unauthorized


class LoginNeeded(Unauthorized):
    """Nobody is logged in, or no longer."""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """One request of one person: what a route needs to answer it."""

    request: Request
    control: Control
    pages: Pages
    session: Session | None

    @property
    def caller(self) -> Caller:
        """Who looks."""
        if self.session is None:
            raise LoginNeeded("you are not logged in")
        return self.session.caller

    def show(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, with what every page shows of its visitor."""
        session = self.session
        common = {
            "now": self.control.clock(),
            "path": self.request.url.path,
            "visitor": session.caller.name if session else None,
            "csrf": session.csrf if session else "",
            "may_act": session is not None and session.caller.has("admin"),
            "may_send": session is not None and session.caller.has("send"),
        }
        return self.pages.show(template, {**common, **values}, status)

    def go(self, path: str) -> RedirectResponse:
        """On to another page after a form was taken."""
        return RedirectResponse(link(path), status_code=303)


async def screen(request: Request, control: Parts) -> Screen:
    """Whoever it is."""
    found = await sessions.current(control, request.cookies.get(sessions.COOKIE, ""))
    return Screen(request=request, control=control, pages=cast("Pages", request.app.state.pages), session=found)


Anyone = Annotated[Screen, Depends(screen)]


@dataclass(frozen=True)
class Needs:
    """A page for who has this scope."""

    scope: str

    async def __call__(self, seen: Anyone) -> Screen:
        """The screen. LoginNeeded for nobody; Forbidden for somebody else; TooManyRequests."""
        return _let_in(seen, self.scope)


def _let_in(seen: Screen, scope: str) -> Screen:
    if seen.session is None:
        raise LoginNeeded("you are not logged in, or your session is over")
    if not seen.caller.has(scope) or seen.caller.deployment_id is not None:
        raise Forbidden(f"this needs a token with scope {scope}", hint="log in with another token")
    seen.control.pace.take(seen.caller)
    return seen


async def check_origin(request: Request, control: Parts) -> None:
    """Forbidden for a form that another site sent."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    ours = {request.headers.get("host", ""), urlsplit(control.public_url or "").netloc} - {""}
    if site not in {"same-origin", "none"} or (origin is not None and urlsplit(origin).netloc not in ours):
        raise Forbidden("the form was sent by another site", hint="use the dashboard's own pages")


@dataclass(frozen=True)
class Sends:
    """A form from who has this scope."""

    scope: str

    async def __call__(self, seen: Anyone, request: Request, _ours: Annotated[None, Depends(check_origin)]) -> Screen:
        """The screen. As `Needs`; and Forbidden where the form is not ours."""
        found = _let_in(seen, self.scope)
        fields = await request.form()
        if any("\0" in str(value) for value in fields.values()):
            raise InvalidInput("the form has a NUL character")
        if found.session is not None:
            found.session.check_csrf(str(fields.get("csrf", "")))
        return found


Reading = Annotated[Screen, Depends(Needs("read"))]
Steering = Annotated[Screen, Depends(Needs("admin"))]
Sending = Annotated[Screen, Depends(Needs("send"))]
Leaving = Annotated[Screen, Depends(Sends("read"))]
Acting = Annotated[Screen, Depends(Sends("admin"))]
Invoking = Annotated[Screen, Depends(Sends("send"))]
