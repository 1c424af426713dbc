"""What a change of this library changes in a customer's account: read the difference of these files.

`make golden` rewrites them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from golden.golden_cases import CASES, CONFIG

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.testing.monitor import Resource
from alien_iac.testing.recording import config_for, record, surroundings

HERE = Path(__file__).parent


def plain(value: Any) -> Any:
    """Whole numbers as integers: Pulumi's wire knows only one kind of number."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def entry(resource: Resource) -> dict[str, Any]:
    marks = {
        "protect": resource.protect,
        "retainOnDelete": resource.retain_on_delete,
        "dependsOn": list(resource.depends_on),
        "outputs": plain(resource.outputs) if resource.outputs is not None else None,
    }
    parent = resource.parent.split("::")[-1]
    return {
        "type": resource.type,
        "name": resource.name,
        "parent": parent,
        "inputs": plain(dict(resource.inputs)),
        **{name: value for name, value in marks.items() if value},
    }


@pytest.mark.parametrize("platform", platforms.installed(), ids=str)
@pytest.mark.parametrize("case", CASES)
def test_resources_are_those_of_the_golden_file(
    case: str,
    platform: Platform,
    rewrite: bool,  # noqa: FBT001 - a fixture
    tmp_path: Path,
) -> None:
    for name in ("api", "worker"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").touch()
    config = config_for(platform, agentUrl="http://127.0.0.1:4100", domain="acme.example.com")
    given = {key: value for key, value in {**config, **CONFIG.get(case, {})}.items() if value is not None}
    recording = record(CASES[case], surroundings(tmp_path, given, docker=True))
    # What a platform refuses is told as well: its golden file has the finding, and no resource.
    assert recording.error is None or recording.findings
    told = {
        "resources": [entry(r) for r in recording.resources],
        "outputs": plain(recording.outputs),
        **({"findings": sorted(recording.messages)} if recording.messages else {}),
        **({"refused": sorted(map(str, recording.findings))} if recording.findings else {}),
    }
    text = json.dumps(told, indent=2, sort_keys=True).replace(str(tmp_path), "/project") + "\n"
    file = HERE / case / f"{platform}.json"
    if rewrite:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), "if this is meant, run `make golden` and read the difference"


def test_every_golden_file_has_its_case() -> None:
    there = {str(path.parent.relative_to(HERE)) for path in HERE.rglob("*.json")}
    assert there == set(CASES)
