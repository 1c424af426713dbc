"""What scanners that customers use say of the recorded resources: Checkov, parliament, policy-sentry.

They run in environments that uv makes and caches, since they pin what Pulumi pins otherwise.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from providers.test_properties import CLOUDS, GOLDEN

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.review import permissions_aws
from alien_iac.testing.recording import config_for
from providers import scanned

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CHECKOV = ["uv", "tool", "run", "--from", "checkov==3.3.30", "checkov"]
PARLIAMENT = ["uv", "tool", "run", "--from", "parliament==1.6.4", "--with", "setuptools<81", "parliament"]
SENTRY = ["uv", "run", "--no-project", "--with", "policy-sentry==0.15.2", "python"]
PASSED = 100
"""Fewer checks that pass mean that Checkov did not understand what it read."""
EXCEPTIONS = yaml.safe_load((Path(__file__).parent / "checkov_exceptions.yaml").read_text())
WILD = {
    "RESOURCE_STAR",
    "PRIVILEGE_ESCALATION",
    "PERMISSIONS_MANAGEMENT_ACTIONS",
    "RESOURCE_MISMATCH",
    "UNKNOWN_ACTION",
}
JOINING = "-alien-network-join"
"""Lambda joins a network by actions of EC2 that name no resource."""


def needs(command: list[str]) -> None:
    """Skip where the tool cannot be had, which takes the network once. Its Python starts quicker than itself."""
    *there, tool = command
    found = subprocess.run([*there, "python", "--version"], capture_output=True, check=False, timeout=300)
    if found.returncode != 0:
        pytest.skip(f"{tool} cannot be installed here")


def cases(platform: Platform) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for file in sorted(GOLDEN.glob(f"*/*/{platform}.json")):
        yield f"{file.parts[-3]}-{file.parts[-2]}", json.loads(file.read_text())["resources"]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[Platform, list[dict[str, Any]]]:
    """What Checkov says of each cloud's cases. It takes long to start, and so is started once for all of them."""
    needs(CHECKOV)
    place = tmp_path_factory.mktemp("checkov")
    for platform in CLOUDS:
        (place / platform).mkdir()
        written(platform, place / platform)
    words = ["--framework", "terraform_plan", "arm", "--output", "json", "--compact", "--quiet", "--skip-download"]
    ended = subprocess.run(
        [*CHECKOV, "-d", str(place), *words], capture_output=True, text=True, check=False, timeout=500
    )
    told = json.loads(ended.stdout)
    assert {each["check_type"] for each in told} == {"terraform_plan", "arm"}
    assert all(each["summary"]["passed"] > PASSED and not each["summary"]["parsing_errors"] for each in told)
    failed = [one for each in told for one in each["results"]["failed_checks"]]
    return {each: [one for one in failed if Path(one["file_path"]).parent.name == each] for each in CLOUDS}


def written(platform: Platform, place: Path) -> None:
    """Write what Checkov reads of each golden case."""
    made = platforms.load(platform, platforms.OFFLINE)(config_for(platform))
    for case, resources in cases(platform):
        recorded = [
            scanned.Recorded(r["type"], r["name"], r["inputs"], made(r["type"], r["name"], r["inputs"]))
            for r in resources
        ]
        data = scanned.template(recorded) if platform is Platform.AZURE else scanned.plan(recorded)
        (place / f"{case}.json").write_text(json.dumps(data))


@pytest.mark.parametrize("platform", CLOUDS, ids=str)
def test_checkov_finds_nothing_but_what_is_meant(
    platform: Platform, checked: dict[Platform, list[dict[str, Any]]]
) -> None:
    failed = {(one["check_id"], Path(one["file_path"]).stem, one["resource"]) for one in checked[platform]}
    allowed = {row["check"]: row.get("in") for row in EXCEPTIONS[platform.value]}
    wrong = [one for one in sorted(failed) if one[0] not in allowed or one[1] not in (allowed[one[0]] or [one[1]])]
    assert not wrong
    assert set(allowed) <= {check for check, _, _ in failed}, "rows that nothing needs any more"


def test_every_exception_has_a_reason() -> None:
    assert all(len(row["reason"]) > 20 for rows in EXCEPTIONS.values() for row in rows)


def test_parliament_finds_no_wildcard(tmp_path: Path) -> None:
    needs(PARLIAMENT)
    for case, resources in cases(Platform.AWS):
        for each in resources:
            policy = each["inputs"].get("policy")
            if isinstance(policy, str) and '"Statement"' in policy and not each["name"].endswith(JOINING):
                (tmp_path / f"{case}-{each['name']}.json").write_text(policy)
    assert len(list(tmp_path.iterdir())) > 50
    command = [*PARLIAMENT, "--directory", str(tmp_path), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert not [one for one in found if one["issue"] in WILD]


def test_deploy_permissions_are_actions_that_there_are() -> None:
    listing = "from policy_sentry.querying.all import get_all_actions; print('\\n'.join(get_all_actions()))"
    needs(SENTRY)
    ended = subprocess.run([*SENTRY, "-c", listing], capture_output=True, text=True, check=True, timeout=300)
    there = {action.lower() for action in ended.stdout.splitlines()}
    needed = {action for actions in permissions_aws.ACTIONS.values() for action in actions.split()}
    assert not {action for action in needed if action.lower() not in there}
