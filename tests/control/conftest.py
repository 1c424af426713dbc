from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from control.control_plane import Agent, Plane, plane_in


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with plane_in(tmp_path) as made:
        yield made


@pytest.fixture
async def agent(plane: Plane) -> Agent:
    return await plane.agent()
