"""What agents, clients and receivers of every version said and were answered: each later version must serve them."""

import json
from pathlib import Path

import pytest
from control.control_exchanges import FOLDER, Recorder, Replay
from control.control_plane import Plane
from control.control_recording import record_agent
from control.control_vendor import Json

from alien_iac.agent.version import VERSION

FILES = {str(path.relative_to(FOLDER)): path for path in sorted(FOLDER.rglob("*.json"))}


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> list[Json]:
    found: list[Json] = json.loads(FILES[request.param].read_text(encoding="utf-8"))["steps"]
    return found


@pytest.mark.parametrize("steps", FILES, indirect=True)
async def test_what_was_served_once_is_served_still(plane: Plane, steps: list[Json]) -> None:
    await Replay(plane).play(steps)


async def test_todays_agent_says_what_is_recorded_of_it(plane: Plane, tmp_path: Path, *, rewrite: bool) -> None:
    recorder = Recorder(plane)
    await record_agent(plane, recorder, tmp_path / "agent")
    path = FOLDER / VERSION / "agent.json"
    text = json.dumps({"by": "our agent", "steps": recorder.steps}, indent=1) + "\n"
    if rewrite:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "a released version's file stays; today's: `make golden`"
