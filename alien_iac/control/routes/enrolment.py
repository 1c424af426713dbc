"""How an agent begins: a one-time code, its key, and the short tokens that its key buys."""

import base64
from datetime import datetime

from pydantic import Field

from alien_iac.control import tokens
from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.routes.base import Key, Routes, request_hash, scoped_key
from alien_iac.control.security import Admin, Attempt
from alien_iac.control.store import audit, deployments, idempotency, releases
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.errors import InvalidInput, Unauthorized
from alien_iac.models import names
from alien_iac.models.platform import Platform
from alien_iac.protocol.api import Enrol, Enrolled, EnrolmentCode, NewDeployment, NewToken, Token, TokenRequest
from alien_iac.protocol.wire import Open

router = Routes(tags=["enrolment"])


class NewCode(Open):
    """A further code for a deployment that is there already: its agent was lost with its key."""

    ttl_seconds: int = Field(default=86_400, ge=60, le=7 * 86_400)


@router.post("/enrolment-codes")
async def make(body: NewDeployment, caller: Admin, control: Parts, key: Key = None) -> EnrolmentCode:
    """Make a deployment, and the code that enrols its agent."""
    _check(body)
    scoped = scoped_key(caller, "enrolment-codes", key)
    code = _code(control, scoped)

    def work(transaction: Transaction) -> EnrolmentCode:
        hashed = request_hash(body)
        known = idempotency.recall(transaction, scoped, hashed)
        if known is not None:
            return EnrolmentCode(deployment_id=known, code=code, expires_at=store.code_expiry(transaction, code))
        deployment_id = tokens.fresh("dep")
        deployments.add(transaction, deployment_id, body)
        idempotency.remember(transaction, scoped, hashed, deployment_id)
        audit.append(transaction, caller.actor, "deployment.create", deployment_id, customer=body.customer)
        expires = store.add_code(transaction, deployment_id, code, body.ttl_seconds)
        return EnrolmentCode(deployment_id=deployment_id, code=code, expires_at=expires)

    return await control.database.write(work)


@router.post("/deployments/{deployment_id}/enrolment-codes")
async def again(deployment_id: str, body: NewCode, caller: Admin, control: Parts, key: Key = None) -> EnrolmentCode:
    """Make a new code for a deployment: whoever uses it takes the place of its agent."""
    scoped, hashed = scoped_key(caller, f"{deployment_id}/codes", key), request_hash(body)
    code = _code(control, scoped)

    def work(transaction: Transaction) -> datetime:
        if idempotency.recall(transaction, scoped, hashed):
            return store.code_expiry(transaction, code)
        deployments.row(transaction, deployment_id)
        idempotency.remember(transaction, scoped, hashed, deployment_id)
        audit.append(transaction, caller.actor, "deployment.code", deployment_id)
        return store.add_code(transaction, deployment_id, code, body.ttl_seconds)

    return EnrolmentCode(deployment_id=deployment_id, code=code, expires_at=await control.database.write(work))


def _check(body: NewDeployment) -> None:
    """InvalidInput for a customer whom physical names cannot begin with, and for an unknown platform."""
    if not names.is_customer(body.customer):
        raise InvalidInput(f'"{body.customer[:100]}" cannot name a customer', hint=names.CUSTOMER_RULE)
    if body.platform not in set(Platform):
        raise InvalidInput(f'"{body.platform[:100]}" is not a platform', hint=f"these are: {', '.join(Platform)}")


def _code(control: Control, scoped: str | None) -> str:
    return tokens.derive(control.secret, "enrol", scoped) if scoped else tokens.mint("enrol")


@router.post("/enrol", dependencies=[Attempt])
async def enrol(body: Enrol, control: Parts) -> Enrolled:
    """Register an agent's key with a one-time code."""
    tokens.public_key(body.public_key)

    def work(transaction: Transaction) -> Enrolled:
        root = releases.first_root(transaction)
        deployment_id = store.use_code(transaction, body.code)
        row = deployments.row(transaction, deployment_id)
        if row["gone_at"]:
            raise Unauthorized("the deployment of this code is gone")
        store.set_key(transaction, deployment_id, body.public_key)
        deployments.enrolled(transaction, deployment_id, body.agent_version)
        audit.append(transaction, Caller.of_agent(deployment_id).actor, "agent.enrol", deployment_id)
        return Enrolled(
            deployment_id=deployment_id,
            customer=row["customer"],
            platform=row["platform"],
            program=releases.program(transaction),
            root=base64.b64encode(root).decode(),
        )

    return await control.database.write(work)


@router.post("/token", dependencies=[Attempt])
async def token(body: TokenRequest, control: Parts) -> Token:
    """A token of an hour for an agent that signs with its key."""
    deployment_id = tokens.claimed_deployment(body.assertion)
    secret = tokens.mint("agent")
    life = int(tokens.AGENT_TOKEN_LIFE.total_seconds())
    new = NewToken(name=f"agent:{deployment_id}", scopes=("agent",), deployment_id=deployment_id, ttl_seconds=life)

    def work(transaction: Transaction) -> datetime:
        key = store.key(transaction, deployment_id)
        store.use_assertion(transaction, tokens.verify_assertion(body.assertion, key, transaction.now))
        store.add(transaction, new, tokens.fresh("tok"), secret)
        return transaction.now + tokens.AGENT_TOKEN_LIFE

    return Token(token=secret, expires_at=await control.database.write(work))
