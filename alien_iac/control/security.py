"""Who may call a route: each names the scopes that open it, and whether a token for one deployment is enough."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from alien_iac.control import pacing
from alien_iac.control.collaborators import Parts
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden, Unauthorized


def origin(request: Request) -> str:
    """Who a request without a good token is counted for."""
    return pacing.origin(request.client.host if request.client else None)


async def attempt(request: Request, control: Parts) -> AsyncIterator[None]:
    """For routes that take another secret than a token: wrong ones are counted by address, good ones are not.

    TooManyRequests where that address gave too many wrong ones.
    """
    who = origin(request)
    control.pace.failures.check(who)
    try:
        yield
    except Unauthorized:
        control.pace.failures.charge(who)
        raise


async def authenticate(request: Request, control: Parts) -> Caller:
    """Who has the request's bearer token. Unauthorized for none, and for a wrong one; TooManyRequests."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("no bearer token", hint="send Authorization: Bearer with a token from `alien token make`")
    caller = await control.admission.caller(token.strip())
    if caller is None:
        control.pace.failures.take(origin(request))
        raise Unauthorized("the token is unknown, revoked or over")
    control.pace.take(caller)
    return caller


@dataclass(frozen=True)
class Allow:
    """A route's rule. `vendor`: the token must not be bound to a deployment, since the route shows or moves several."""

    scopes: tuple[str, ...]
    vendor: bool = False

    async def __call__(self, caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        """The caller. Forbidden where its token has none of the scopes, or is bound."""
        if not caller.has(*self.scopes):
            raise Forbidden(f"this needs a token with scope {' or '.join(self.scopes)}")
        if self.vendor and caller.deployment_id is not None:
            raise Forbidden(f"this token is for deployment {caller.deployment_id} only")
        return caller


Attempt = Depends(attempt)
Admin = Annotated[Caller, Depends(Allow(("admin",), vendor=True))]
Reader = Annotated[Caller, Depends(Allow(("read",), vendor=True))]
DeploymentReader = Annotated[Caller, Depends(Allow(("read", "agent")))]
Agent = Annotated[Caller, Depends(Allow(("agent",)))]
Sender = Annotated[Caller, Depends(Allow(("send",)))]
SenderOrReceiver = Annotated[Caller, Depends(Allow(("send", "receive")))]
TelemetrySender = Annotated[Caller, Depends(Allow(("agent", "telemetry")))]
TelemetryReader = Annotated[Caller, Depends(Allow(("read",)))]
CommandReader = Annotated[Caller, Depends(Allow(("send", "read", "agent")))]
Receiver = Annotated[Caller, Depends(Allow(("agent", "receive")))]
