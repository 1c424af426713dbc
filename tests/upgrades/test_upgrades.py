"""An update of this library replaces nothing and deletes nothing that an older one made.

`states/` has what each version wrote for the same program. They are written once, and never again: where this fails,
mend the code (an alias, the old name), not the file.
"""

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from upgrades import stands
from upgrades.creation_only import replacing

from alien_iac import platforms
from alien_iac.models.platform import Platform

STATES = Path(__file__).parent / "states"
VERSION = metadata.version("alien-iac")
HARMLESS = {"same", "create", "update", "read"}


def operations(log: Path) -> Iterator[tuple[str, str]]:
    for line in log.read_text().splitlines():
        told = json.loads(line).get("resourcePreEvent", {}).get("metadata")
        if told:
            yield told["op"], told["urn"].rpartition("$")[2] or told["urn"]


def cases() -> list[tuple[str, Platform]]:
    versions = {VERSION, *(path.name for path in STATES.iterdir())}
    return [(version, platform) for version in sorted(versions) for platform in platforms.installed()]


@pytest.mark.slow
@pytest.mark.parametrize(("version", "platform"), cases(), ids=str)
def test_a_state_of_a_release_is_kept_whole(
    version: str,
    platform: Platform,
    rewrite: bool,  # noqa: FBT001 - a fixture
    tmp_path: Path,
) -> None:
    file = STATES / version / f"{platform}.json"
    if rewrite and not file.exists():
        (tmp_path / "before").mkdir()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(stands.made(platform, tmp_path / "before"))
    folder = tmp_path / "after"
    folder.mkdir()
    result = stands.previewed(platform, folder, file.read_text())
    found = list(operations(folder / "scratch" / stands.LOG))
    assert [one for one in found if one[0] not in HARMLESS] == []
    assert result.succeeded
    assert len(found) >= len(json.loads(file.read_text())["resources"])


@pytest.mark.slow
def test_a_resource_that_went_and_a_name_that_changed_are_seen(tmp_path: Path) -> None:
    told = json.loads((STATES / VERSION / "aws.json").read_text())
    group = next(one for one in told["resources"] if one["type"] == "aws:cloudwatch/logGroup:LogGroup")
    group["inputs"]["name"] = "another"
    told["resources"].append({**group, "urn": f"{group['urn']}-lost", "id": "lost"})
    stands.previewed(Platform.AWS, tmp_path, json.dumps(told))
    found = {urn: operation for operation, urn in operations(tmp_path / "scratch" / stands.LOG)}
    assert set(found.values()) & {"replace", "create-replacement", "delete-replaced"}
    assert found[f"{group['urn'].rpartition('$')[2]}-lost"] == "delete"


@pytest.mark.parametrize(
    ("kind", "old", "new", "found"),
    [
        ("aws:sqs/queue:Queue", {"name": "a"}, {"name": "b"}, ["name"]),
        ("aws:sqs/queue:Queue", {"visibilityTimeoutSeconds": 30}, {"visibilityTimeoutSeconds": 60}, []),
        ("aws:dynamodb/table:Table", {"hashKey": "pk"}, {"hashKey": "id"}, ["hashKey"]),
    ],
)
def test_what_replaces(kind: str, old: dict[str, object], new: dict[str, object], found: list[str]) -> None:
    assert list(replacing(kind, old, new)) == found
