"""Every recorded scenario, on the embedded engine and, where there is one, on the CLI."""

import json
import shutil
from pathlib import Path
from typing import Any

import pulumi.automation as auto
import pytest
from engine.probe_programs import SCENARIOS
from engine.probed import observed, sorted_states

from alien_iac.engine.command import EmbeddedPulumi

RECORDED = Path(__file__).parent / "recorded" / "scenarios"


def recording(name: str) -> dict[str, Any]:
    return sorted_states(json.loads((RECORDED / f"{name}.json").read_text()))


def test_every_recording_has_its_scenario() -> None:
    assert sorted(SCENARIOS) == sorted(path.stem for path in RECORDED.glob("*.json"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_embedded_engine_does_what_the_cli_did(name: str, tmp_path: Path) -> None:
    seen = observed(name, SCENARIOS[name], tmp_path, EmbeddedPulumi())
    assert sorted_states(json.loads(json.dumps(seen))) == recording(name)


@pytest.mark.cli
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pulumi"), reason="the Pulumi CLI is not on PATH")
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_cli_does_what_it_did(name: str, tmp_path: Path) -> None:
    seen = observed(name, SCENARIOS[name], tmp_path, auto.PulumiCommand())
    assert sorted_states(json.loads(json.dumps(seen))) == recording(name)
