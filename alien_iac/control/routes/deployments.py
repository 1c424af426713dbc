"""Deployments: list, show, pin, configure, let go."""

from typing import Annotated

from fastapi import Query, Response

from alien_iac.control import trust
from alien_iac.control.collaborators import Parts
from alien_iac.control.routes.base import PAGE, Cursor, Limit, Routes
from alien_iac.control.security import Admin, DeploymentReader
from alien_iac.control.store import audit, deployments, desired, releases, tokens
from alien_iac.control.store.engine import Transaction
from alien_iac.errors import Forbidden
from alien_iac.protocol.api import Deployment, Desired, DesiredConfig, Page, Pin

router = Routes(tags=["deployments"], prefix="/deployments")


@router.get("")
async def ls(
    caller: DeploymentReader,
    control: Parts,
    customer: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Page[Deployment]:
    """Deployments, newest first: all, or the one that the token is for."""
    found, following = await control.database.read(
        lambda transaction: deployments.rows(transaction, caller.deployment_id, customer, cursor, limit)
    )
    return Page[Deployment](items=tuple(found), next=following)


@router.get("/{deployment_id}")
async def show(deployment_id: str, caller: DeploymentReader, control: Parts) -> Deployment:
    """One deployment."""
    caller.require(deployment_id)
    return await control.database.read(lambda transaction: deployments.get(transaction, deployment_id))


@router.put("/{deployment_id}/pin")
async def pin(deployment_id: str, body: Pin, caller: Admin, control: Parts) -> Deployment:
    """Hold the deployment on a release, which it gets if it does not have it; or let rollouts have it again."""

    def work(transaction: Transaction) -> Deployment:
        deployments.row(transaction, deployment_id)
        deployments.pin(transaction, deployment_id, body.release)
        if body.release is not None and desired.row(transaction, deployment_id)["release"] != body.release:
            desired.set_release(transaction, deployment_id, body.release, action="apply", rollout_id=None)
        audit.append(
            transaction, caller.actor, "deployment.pin", deployment_id, reason=body.reason, release=body.release
        )
        return deployments.get(transaction, deployment_id)

    return await control.database.write(work)


@router.put("/{deployment_id}/config")
async def configure(deployment_id: str, body: DesiredConfig, caller: Admin, control: Parts) -> Desired:
    """Desire a config that the vendor signed for this deployment."""
    if trust.owner_of(body.target) != deployment_id:
        raise Forbidden(
            f'"{body.target}" is not a config of {deployment_id}',
            hint=f"its configs are {trust.CONFIGS}{deployment_id}/config-<serial>.json",
        )

    def work(transaction: Transaction) -> Desired:
        before = desired.row(transaction, deployment_id)
        releases.target(transaction, body.target)
        if before["config"] != body.target:
            desired.change(transaction, deployment_id, config=body.target)
            audit.append(transaction, caller.actor, "deployment.config", deployment_id, target=body.target)
        return desired.get(transaction, deployment_id)

    return await control.database.write(work)


@router.delete("/{deployment_id}", status_code=204)
async def forget(deployment_id: str, caller: Admin, control: Parts) -> Response:
    """Let a deployment go: its tokens, codes and key are good no more. Its history stays."""

    def work(transaction: Transaction) -> None:
        deployments.row(transaction, deployment_id)
        deployments.gone(transaction, deployment_id)
        tokens.revoke_of(transaction, deployment_id)
        audit.append(transaction, caller.actor, "deployment.gone", deployment_id)

    await control.database.write(work)
    control.admission.forget()
    return Response(status_code=204)
