"""Who is logged in. A session is a token without scopes: stored hashed, it ends, and it is revoked like any other.

The cookie is signed and names the token that was pasted. What a person may do is looked up from that one at each
request, so that revoking it ends its sessions too.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

from alien_iac.control import tokens
from alien_iac.control.collaborators import Control
from alien_iac.control.store import audit
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden, Unauthorized
from alien_iac.protocol.api import NewToken, TokenRow

LIFE = timedelta(hours=8)
COOKIE = "alien_session"
_ALGORITHM = "HS256"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A person who is logged in. `csrf`: what each form of theirs sends along."""

    id: str
    caller: Caller
    csrf: str = field(repr=False)
    expires_at: datetime | None = None

    def check_csrf(self, given: str) -> None:
        """Forbidden for a form that we did not make for this session."""
        if not hmac.compare_digest(given.encode(), self.csrf.encode()):
            raise Forbidden("this form is not one of your session", hint="go back, reload the page and try again")


async def begin(control: Control, token: str) -> str:
    """The cookie of a new session. Unauthorized for a wrong token; Forbidden for one that sees no fleet."""
    caller = await control.admission.caller(token.strip())
    if caller is None:
        raise Unauthorized("this token is unknown, revoked or over", hint="`alien token make` makes one")
    if caller.deployment_id is not None or not caller.has("read"):
        raise Forbidden(
            "this token does not open the dashboard", hint="it takes one with scope read or admin, for all deployments"
        )
    secret, session_id = tokens.mint("session"), tokens.fresh("tok")

    def work(transaction: Transaction) -> None:
        left = caller.expires_at - transaction.now if caller.expires_at else LIFE
        seconds = max(1, int(min(LIFE, left).total_seconds()))
        new = NewToken(name=f"dashboard of {caller.name}"[:200], scopes=(), ttl_seconds=seconds)
        store.add(transaction, new, session_id, secret)
        audit.append(transaction, caller.actor, "session.begin", session_id)

    await control.database.write(work)
    return jwt.encode({"sub": caller.token_id, "jti": secret}, _key(control), algorithm=_ALGORITHM)


async def current(control: Control, cookie: str) -> Session | None:
    """Whose cookie this is, if it is ours and neither the session nor the token it came from is over."""
    try:
        claims = jwt.decode(
            cookie, _key(control), algorithms=[_ALGORITHM], options={"require": ["sub", "jti"], "verify_exp": False}
        )
    except jwt.InvalidTokenError:
        return None
    digest, owner_id = tokens.digest(str(claims["jti"])), str(claims["sub"])

    def look(transaction: Transaction) -> tuple[Caller | None, TokenRow | None, datetime]:
        return store.caller(transaction, digest), store.named(transaction, owner_id), transaction.now

    held, owner, now = await control.database.read(look)
    if held is None or owner is None or owner.revoked or (owner.expires_at and owner.expires_at <= now):
        return None
    return Session(
        id=held.token_id,
        caller=_owner(owner),
        csrf=tokens.derive(control.secret, "csrf", digest),
        expires_at=held.expires_at,
    )


def _owner(row: TokenRow) -> Caller:
    return Caller(
        token_id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes),
        deployment_id=row.deployment_id,
        target=row.target,
        expires_at=row.expires_at,
    )


async def end(control: Control, session: Session) -> None:
    """Log out: the cookie is good no more, wherever it is."""

    def work(transaction: Transaction) -> None:
        store.revoke(transaction, session.id)
        audit.append(transaction, session.caller.actor, "session.end", session.id)

    await control.database.write(work)
    control.admission.forget()


def _key(control: Control) -> str:
    return tokens.derive(control.secret, "key", "dashboard's cookies")
