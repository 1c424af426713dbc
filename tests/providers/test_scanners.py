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
from providers.test_properties import GOLDEN

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.review import permissions_aws
from alien_iac.testing.recording import config_for
from providers import scanned

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CHECKOV = ["uv", "tool", "run", "--from", "checkov==3.3.30", "checkov"]
PARLIAMENT = ["uv", "tool", "run", "--from", "parliament==1.6.4", "--with", "setuptools<81", "parliament"]
SENTRY = ["uv", "run", "--no-project", "--with", "policy-sentry==0.15.2", "python", "-c"]
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


def needs(command: list[str], *words: str) -> None:
    """Skip where the tool cannot be had, which takes the network once."""
    found = subprocess.run([*command, *words], capture_output=True, check=False, timeout=300)
    if found.returncode != 0:
        pytest.skip(f"{command[-1]} cannot be installed here")


def cases(platform: Platform) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for file in sorted(GOLDEN.glob(f"*/*/{platform}.json")):
        yield f"{file.parts[-3]}-{file.parts[-2]}", json.loads(file.read_text())["resources"]


@pytest.mark.parametrize("platform", [each for each in platforms.installed() if each is not Platform.LOCAL], ids=str)
def test_checkov_finds_nothing_but_what_is_meant(platform: Platform, tmp_path: Path) -> None:
    needs(CHECKOV, "--version")
    made = platforms.load(platform, platforms.OFFLINE)(config_for(platform))
    for case, resources in cases(platform):
        recorded = [
            scanned.Recorded(r["type"], r["name"], r["inputs"], made(r["type"], r["name"], r["inputs"]))
            for r in resources
        ]
        data = scanned.template(recorded) if platform is Platform.AZURE else scanned.plan(recorded)
        (tmp_path / f"{case}.json").write_text(json.dumps(data))
    framework = "arm" if platform is Platform.AZURE else "terraform_plan"
    words = ["--framework", framework, "--output", "json", "--compact", "--quiet", "--skip-download"]
    ended = subprocess.run(
        [*CHECKOV, "-d", str(tmp_path), *words], capture_output=True, text=True, check=False, timeout=500
    )
    told = json.loads(ended.stdout)
    assert told["summary"]["passed"] > 100
    assert told["summary"]["parsing_errors"] == 0
    failed = {
        (one["check_id"], Path(one["file_path"]).stem, one["resource"]) for one in told["results"]["failed_checks"]
    }
    allowed = {row["check"]: row.get("in") for row in EXCEPTIONS[platform.value]}
    wrong = [one for one in sorted(failed) if one[0] not in allowed or one[1] not in (allowed[one[0]] or [one[1]])]
    assert not wrong
    assert set(allowed) <= {check for check, _, _ in failed}, "rows that nothing needs any more"


def test_every_exception_has_a_reason() -> None:
    assert all(len(row["reason"]) > 20 for rows in EXCEPTIONS.values() for row in rows)


def test_parliament_finds_no_wildcard(tmp_path: Path) -> None:
    needs(PARLIAMENT, "--help")
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
    needs(SENTRY, "import policy_sentry")
    ended = subprocess.run([*SENTRY, listing], capture_output=True, text=True, check=True, timeout=300)
    there = {action.lower() for action in ended.stdout.splitlines()}
    needed = {action for actions in permissions_aws.ACTIONS.values() for action in actions.split()}
    assert not {action for action in needed if action.lower() not in there}
