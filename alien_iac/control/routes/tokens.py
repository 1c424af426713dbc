"""Tokens for people, programs and receivers."""

from fastapi import Response

from alien_iac.control import tokens
from alien_iac.control.collaborators import Parts
from alien_iac.control.routes.base import PAGE, Cursor, Key, Limit, Routes, request_hash, scoped_key
from alien_iac.control.security import Admin
from alien_iac.control.store import audit, deployments, idempotency
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Transaction
from alien_iac.errors import InvalidInput
from alien_iac.protocol.api import NewToken, Page, TokenMade, TokenRow

router = Routes(tags=["tokens"])

_BOUND = {"receive", "telemetry"}


@router.post("/auth/tokens")
async def make(body: NewToken, caller: Admin, control: Parts, key: Key = None) -> TokenMade:
    """Make a token; it is shown in this answer only, and stored as a hash."""
    _check(body)
    scoped = scoped_key(caller, "auth/tokens", key)
    secret = tokens.derive(control.secret, "token", scoped) if scoped else tokens.mint("token")

    def work(transaction: Transaction) -> TokenMade:
        hashed = request_hash(body)
        known = idempotency.recall(transaction, scoped, hashed)
        found = store.named(transaction, known) if known else None
        if found is not None:
            return TokenMade(id=found.id, token=secret, expires_at=found.expires_at)
        if body.deployment_id is not None:
            deployments.row(transaction, body.deployment_id)
        token_id = tokens.fresh("tok")
        idempotency.remember(transaction, scoped, hashed, token_id)
        audit.append(transaction, caller.actor, "token.make", token_id, name=body.name, scopes=list(body.scopes))
        return TokenMade(id=token_id, token=secret, expires_at=store.add(transaction, body, token_id, secret))

    return await control.database.write(work)


def _check(body: NewToken) -> None:
    problems = []
    if not body.scopes:
        problems.append("scopes is empty")
    if "agent" in body.scopes:
        problems.append("an agent's tokens are bought with its key, not made")
    if body.deployment_id is None and _BOUND & set(body.scopes):
        problems.append("receive and telemetry need a deploymentId")
    if ("receive" in body.scopes) != (body.target is not None):
        problems.append("receive needs a target, and only receive has one")
    if "admin" in body.scopes and body.deployment_id is not None:
        problems.append("an admin's token is not bound to a deployment")
    if problems:
        raise InvalidInput("; ".join(problems))


@router.get("/auth/tokens")
async def ls(caller: Admin, control: Parts, cursor: Cursor = None, limit: Limit = PAGE) -> Page[TokenRow]:
    """Tokens, newest first, without what they are."""
    del caller
    found, following = await control.database.read(lambda transaction: store.rows(transaction, cursor, limit))
    return Page[TokenRow](items=tuple(found), next=following)


@router.delete("/auth/tokens/{token_id}", status_code=204)
async def revoke(token_id: str, caller: Admin, control: Parts) -> Response:
    """Revoke a token, from now on."""

    def work(transaction: Transaction) -> None:
        name = store.revoke(transaction, token_id)
        audit.append(transaction, caller.actor, "token.revoke", token_id, name=name)

    await control.database.write(work)
    control.admission.forget()
    return Response(status_code=204)
