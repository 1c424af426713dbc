"""The fleet as it is searched, sorted, paged and counted; on a database, and on the page that shows it."""

import re
from itertools import product
from typing import get_args

import pytest
from control.control_plane import Plane
from dashboard.test_doors import client, cookie_of

from alien_iac.control.store import deployments, fleet
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.fleet import Fleet, Look
from alien_iac.protocol.api import Heartbeat, NewDeployment

COUNT = 120


def people(transaction: Transaction) -> None:
    """120 customers: every second was heard of, every tenth of these is unhealthy, the last one is gone."""
    for number in range(COUNT):
        name = f"customer-{number:03}"
        platform = "aws" if number % 3 else "local"
        deployments.add(transaction, f"dep_{number:03}", NewDeployment(customer=name, platform=platform))
        if number % 2 == 0:
            health = "unhealthy" if number % 20 == 0 else "healthy"
            release = f"1.{number % 3}"
            beat = Heartbeat.model_validate({"agent_version": "1", "health": health, "release": release})
            deployments.beat(transaction, f"dep_{number:03}", beat)
    deployments.gone(transaction, f"dep_{COUNT - 1}")


@pytest.fixture(autouse=True)
async def peopled(plane: Plane) -> None:
    await plane.control.database.write(people)


async def look(plane: Plane, **asked: object) -> Fleet:
    wanted = Look(**asked)  # type: ignore[arg-type] # each test's own fields
    return await plane.control.database.read(lambda transaction: fleet.look(transaction, wanted))


async def test_pages_hold_everything_once(plane: Plane) -> None:
    first = await look(plane)
    assert (first.found, first.pages) == (COUNT - 1, 3)
    names = [each.customer for page in (1, 2, 3) for each in (await look(plane, page=page)).items]
    assert names == [f"customer-{number:03}" for number in range(COUNT - 1)]
    assert (await look(plane, page=4)).items == ()


async def test_every_column_sorts_and_the_pages_still_hold_everything(plane: Plane) -> None:
    for sort, descending in product(get_args(fleet.Sort), (False, True)):
        pages = [await look(plane, page=page, sort=sort, descending=descending) for page in (1, 2, 3)]
        names = [each.id for page in pages for each in page.items]
        assert len(set(names)) == len(names) == COUNT - 1, sort


async def test_filters_narrow_it(plane: Plane) -> None:
    assert (await look(plane, text="CUSTOMER-01")).found == 10
    assert [each.id for each in (await look(plane, text="dep_007")).items] == ["dep_007"]
    assert (await look(plane, text="%")).found == 0
    assert (await look(plane, platform="local")).found == 40
    assert {each.release for each in (await look(plane, release="1.2")).items} == {"1.2"}
    assert [each.id for each in (await look(plane, show="gone")).items] == [f"dep_{COUNT - 1}"]


async def test_what_was_not_heard_of_lately_is_unknown(plane: Plane) -> None:
    assert (await look(plane)).counts == {"healthy": 54, "unhealthy": 6, "unknown": 59}
    for show in ("healthy", "unhealthy", "unknown"):
        found = await look(plane, show=show)
        assert {each.health for each in found.items} == {show}
        assert found.found == found.counts[show]
    plane.clock.advance(61)
    assert (await look(plane)).counts == {"healthy": 0, "unhealthy": 0, "unknown": COUNT - 1}


async def test_the_page_keeps_the_filter_from_page_to_page(plane: Plane) -> None:
    cookie = await cookie_of(plane, plane.admin)
    async with client(plane, cookie) as browser:
        answer = await browser.get("/dashboard/?q=customer&platform=aws&sort=release&down=true")
        following = re.search(r'rel="next" href="([^"]+)"', answer.text)
        assert following is not None
        answer = await browser.get(following[1].replace("&amp;", "&"))
    assert "page 2 of 2" in answer.text
    assert "<option selected>aws</option>" in answer.text
    assert 'aria-sort="descending"' in answer.text
