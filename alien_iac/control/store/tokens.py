"""Bearer tokens, one-time codes, agents' keys and the assertions that were used."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from alien_iac.control import tokens
from alien_iac.control.store import paging
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import AGENT_KEYS, ASSERTIONS, CODES, TOKENS
from alien_iac.control.tokens import Assertion, Caller
from alien_iac.errors import NotFound, Unauthorized
from alien_iac.protocol.api import NewToken, TokenRow

_GONE = timedelta(days=1)
"""How long an agent's expired token stays in the list."""


def caller(transaction: Transaction, digest: str) -> Caller | None:
    """Who has the token with this digest, if it is good now."""
    row = transaction.one(select(TOKENS).where(TOKENS.c.hash == digest))
    if row is None or row["revoked_at"] or (row["expires_at"] and row["expires_at"] <= transaction.now):
        return None
    return Caller(
        token_id=row["id"],
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        deployment_id=row["deployment_id"],
        target=row["target"],
        expires_at=row["expires_at"],
    )


def add(transaction: Transaction, new: NewToken, token_id: str, secret: str) -> datetime | None:
    """Store a token as its hash; when it ends."""
    expires = transaction.now + timedelta(seconds=new.ttl_seconds) if new.ttl_seconds else None
    transaction.run(
        insert(TOKENS).values(
            id=token_id,
            hash=tokens.digest(secret),
            name=new.name,
            scopes=list(new.scopes),
            deployment_id=new.deployment_id,
            target=new.target,
            created_at=transaction.now,
            expires_at=expires,
        )
    )
    return expires


def rows(transaction: Transaction, cursor: str | None, limit: int) -> tuple[Sequence[TokenRow], str | None]:
    """Tokens, newest first; those of agents that have ended are left out."""
    query = select(TOKENS).where(or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at > transaction.now - _GONE))
    found, following = paging.page(transaction, query, (TOKENS.c.created_at, TOKENS.c.id), cursor, limit)
    return [_row(row) for row in found], following


def _row(row: RowMapping) -> TokenRow:
    return TokenRow(
        id=row["id"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        deployment_id=row["deployment_id"],
        target=row["target"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used=row["last_used"],
        revoked=row["revoked_at"] is not None,
    )


def named(transaction: Transaction, token_id: str) -> TokenRow | None:
    """A token by its id."""
    row = transaction.one(select(TOKENS).where(TOKENS.c.id == token_id))
    return _row(row) if row else None


def revoke(transaction: Transaction, token_id: str) -> str:
    """Revoke a token; its name. Again is fine. NotFound for an unknown one."""
    row = transaction.one(select(TOKENS).where(TOKENS.c.id == token_id))
    if row is None:
        raise NotFound(f'there is no token "{token_id}"', hint="`alien token ls` lists them")
    never = TOKENS.c.revoked_at.is_(None)
    transaction.run(update(TOKENS).where(TOKENS.c.id == token_id, never).values(revoked_at=transaction.now))
    return str(row["name"])


def revoke_of(transaction: Transaction, deployment_id: str) -> None:
    """Revoke every token that is bound to a deployment, its codes and its agent's key."""
    never = TOKENS.c.revoked_at.is_(None)
    bound = TOKENS.c.deployment_id == deployment_id
    transaction.run(update(TOKENS).where(bound, never).values(revoked_at=transaction.now))
    transaction.run(delete(CODES).where(CODES.c.deployment_id == deployment_id, CODES.c.used_at.is_(None)))
    transaction.run(delete(AGENT_KEYS).where(AGENT_KEYS.c.deployment_id == deployment_id))


def used(transaction: Transaction, seen: Mapping[str, datetime]) -> None:
    """Note when tokens were last used."""
    for token_id, at in seen.items():
        transaction.run(update(TOKENS).where(TOKENS.c.id == token_id).values(last_used=at))


def add_code(transaction: Transaction, deployment_id: str, code: str, ttl_seconds: int) -> datetime:
    """Store a one-time code as its hash; when it ends."""
    expires = transaction.now + timedelta(seconds=ttl_seconds)
    transaction.run(
        insert(CODES).values(
            hash=tokens.digest(code), deployment_id=deployment_id, created_at=transaction.now, expires_at=expires
        )
    )
    return expires


def code_expiry(transaction: Transaction, code: str) -> datetime:
    """When a code that was made ends."""
    expires: datetime = transaction.scalar(select(CODES.c.expires_at).where(CODES.c.hash == tokens.digest(code)))
    return expires


def use_code(transaction: Transaction, code: str) -> str:
    """The deployment that a code enrols. One conditional update: of two at once, one gets it.

    Unauthorized where it is unknown, used or over.
    """
    good = (CODES.c.hash == tokens.digest(code), CODES.c.used_at.is_(None), CODES.c.expires_at > transaction.now)
    if transaction.run(update(CODES).where(*good).values(used_at=transaction.now)) != 1:
        raise Unauthorized(
            "the enrolment code is unknown, used already, or over", hint="`alien token enrol` makes a new one"
        )
    found = transaction.scalar(select(CODES.c.deployment_id).where(CODES.c.hash == tokens.digest(code)))
    return str(found)


def set_key(transaction: Transaction, deployment_id: str, public_key: str) -> None:
    """The agent's key from now on, in place of any before."""
    values = {"public_key": public_key, "created_at": transaction.now}
    if transaction.run(update(AGENT_KEYS).where(AGENT_KEYS.c.deployment_id == deployment_id).values(values)) == 0:
        transaction.run(insert(AGENT_KEYS).values(deployment_id=deployment_id, **values))


def key(transaction: Transaction, deployment_id: str) -> str:
    """The agent's key. Unauthorized where there is none."""
    found = transaction.scalar(select(AGENT_KEYS.c.public_key).where(AGENT_KEYS.c.deployment_id == deployment_id))
    if found is None:
        raise Unauthorized("no agent with this id has enrolled", hint="enrol it again with a new code")
    return str(found)


def use_assertion(transaction: Transaction, assertion: Assertion) -> None:
    """Note that an assertion was used. Unauthorized the second time."""
    values: dict[str, Any] = {"deployment_id": assertion.deployment_id, "jti": assertion.jti}
    known = select(ASSERTIONS.c.jti).filter_by(**values)
    if transaction.one(known) is None:
        try:
            transaction.run(insert(ASSERTIONS).values(**values, expires_at=assertion.expires_at))
        except IntegrityError as error:  # another process was faster
            raise Unauthorized("the assertion was used already") from error
        return
    raise Unauthorized("the assertion was used already", hint="sign a new one, with a fresh jti")


def prune(transaction: Transaction) -> None:
    """Forget assertions that could not be used any more, and tokens long over."""
    transaction.run(delete(ASSERTIONS).where(ASSERTIONS.c.expires_at < transaction.now))
    transaction.run(delete(TOKENS).where(TOKENS.c.expires_at < transaction.now - _GONE))


def is_known(transaction: Transaction, token: str) -> bool:
    """Whether this token was ever stored, good or not."""
    return transaction.one(select(TOKENS.c.id).where(TOKENS.c.hash == tokens.digest(token))) is not None
