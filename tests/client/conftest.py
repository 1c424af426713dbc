from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from client.client_side import Client, Wire
from control.control_plane import Agent, Plane, plane_in


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with plane_in(tmp_path) as made:
        yield made


@pytest.fixture
async def agent(plane: Plane) -> Agent:
    return await plane.agent()


@pytest.fixture
def wire(plane: Plane) -> Wire:
    return Wire(plane)


@pytest.fixture(params=["sync", "async"])
async def client(request: pytest.FixtureRequest, wire: Wire, plane: Plane) -> AsyncIterator[Client]:
    made = Client(request.param, wire, await plane.token("send"))
    yield made
    await made.close()
