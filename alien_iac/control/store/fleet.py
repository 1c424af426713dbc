"""The fleet as people look at it: searched, sorted by any column, a numbered page at a time, and counted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, func, or_, select

from alien_iac.control.store import deployments
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import DEPLOYMENTS
from alien_iac.protocol.api import Deployment

PAGE = 50
_D = DEPLOYMENTS.c

Sort = Literal["customer", "platform", "release", "health", "last_seen", "created_at"]
Show = Literal["", "healthy", "unhealthy", "unknown", "gone"]
SHOWN: tuple[Show, ...] = get_args(Show)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What of the fleet is asked for. `show` empty: all that are not gone."""

    text: str = ""
    """Part of a customer's name, or of a deployment's id."""
    platform: str = ""
    release: str = ""
    show: Show = ""
    sort: Sort = "customer"
    descending: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One page of it. `counts`: of all that are not gone, by health; `platforms`: which there are."""

    items: tuple[Deployment, ...]
    found: int
    counts: Mapping[str, int]
    platforms: tuple[str, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // PAGE))


def look(transaction: Transaction, asked: Look) -> Fleet:
    """The deployments that fit."""
    fits = _fits(transaction, asked)
    query = deployments.joined().where(*fits)
    rows = transaction.all(_ordered(query, asked).limit(PAGE).offset((asked.page - 1) * PAGE))
    found = transaction.scalar(select(func.count()).select_from(DEPLOYMENTS).where(*fits))
    platforms = select(_D.platform).distinct().order_by(_D.platform)
    return Fleet(
        items=tuple(deployments.shown(transaction, row) for row in rows),
        found=int(found),
        counts={show: _count(transaction, show) for show in ("healthy", "unhealthy", "unknown")},
        platforms=tuple(row["platform"] for row in transaction.all(platforms)),
    )


def _fits(transaction: Transaction, asked: Look) -> list[ColumnElement[bool]]:
    fits = [_shows(transaction, asked.show)]
    if asked.text:
        fits.append(or_(_D.customer.icontains(asked.text, autoescape=True), _D.id == asked.text))
    fits += [_D.platform == asked.platform] if asked.platform else []
    fits += [_D.release == asked.release] if asked.release else []
    return fits


def _shows(transaction: Transaction, show: Show) -> ColumnElement[bool]:
    """As `deployments.shown` says health: what was not heard of lately is unknown."""
    here = _D.gone_at.is_(None)
    heard = _D.last_seen >= transaction.now - deployments.FRESH
    if show == "gone":
        return _D.gone_at.is_not(None)
    if show == "unknown":
        return here & or_(_D.last_seen.is_(None), ~heard, _D.health == "unknown")
    return here & heard & (_D.health == show) if show else here


def _count(transaction: Transaction, show: Show) -> int:
    query = select(func.count()).select_from(DEPLOYMENTS).where(_shows(transaction, show))
    return int(transaction.scalar(query))


def _ordered(query: Select[Any], asked: Look) -> Select[Any]:
    column = _D[asked.sort]
    first = column.desc() if asked.descending else column.asc()
    return query.order_by(first.nulls_last(), _D.customer, _D.id)


def customers(transaction: Transaction, deployment_ids: Iterable[str]) -> dict[str, str]:
    """Whose deployments these are, by their ids."""
    query = select(_D.id, _D.customer).where(_D.id.in_(list(deployment_ids)))
    return {row["id"]: row["customer"] for row in transaction.all(query)}


def running(transaction: Transaction) -> dict[str, int]:
    """How many deployments run each release."""
    query = select(_D.release, func.count().label("count")).where(_D.gone_at.is_(None), _D.release.is_not(None))
    return {row["release"]: int(row["count"]) for row in transaction.all(query.group_by(_D.release))}
