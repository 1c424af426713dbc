"""The first page: every deployment, with its release, health and last sign of life."""

from typing import Annotated, get_args

from fastapi import Query
from fastapi.responses import Response
from pydantic import Field

from alien_iac.control.dashboard.visitors import Reading
from alien_iac.control.routes.base import Routes
from alien_iac.control.store import fleet as store
from alien_iac.protocol.wire import Open

router = Routes()

COLUMNS = {
    "customer": "Customer",
    "platform": "Platform",
    "release": "Release",
    "health": "Health",
    "last_seen": "Last seen",
}


class Asked(Open):
    """What the filters, the headings and the page numbers send."""

    text: str = Field(default="", alias="q", max_length=200)
    platform: str = Field(default="", max_length=20)
    release: str = Field(default="", max_length=200)
    show: store.Show = ""
    sort: store.Sort = "customer"
    descending: bool = Field(default=False, alias="down")
    page: int = Field(default=1, ge=1, le=100_000)


@router.get("/")
async def fleet(seen: Reading, asked: Annotated[Asked, Query()]) -> Response:
    """The fleet."""
    look = store.Look(**asked.model_dump())
    found = await seen.control.database.read(lambda transaction: store.look(transaction, look))
    kept = {"q": asked.text, "platform": asked.platform, "release": asked.release, "show": asked.show}
    order = kept | {"sort": asked.sort, "down": "true" if asked.descending else ""}
    return seen.show(
        "fleet.html", fleet=found, asked=asked, kept=kept, order=order, columns=COLUMNS, shows=get_args(store.Show)
    )
