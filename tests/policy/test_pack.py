"""The pack answers Pulumi's policy protocol: nothing of ours breaks a rule, and what is planted is named."""

from pathlib import Path

import pytest
from golden.golden_cases import CASES
from policy.analyzer import BOUNDARY, Analyzer
from policy.planted import PLANTED, Planted

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.policy.model import Resource
from alien_iac.policy.rules import RULES
from alien_iac.testing.recording import config_for, record, surroundings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CLOUDS = [each for each in platforms.installed() if each is not Platform.LOCAL]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What Pulumi puts in the place of a text that only the update knows."""


def full_app(platform: Platform, folder: Path) -> list[Resource]:
    for name in ("api", "worker"):
        (folder / name).mkdir()
        (folder / name / "main.py").touch()
    bounded = {"permissionsBoundary": BOUNDARY} if platform is Platform.AWS else {}
    config = config_for(platform, agentUrl="http://127.0.0.1:4100", **bounded)
    recording = record(CASES["app/full"], surroundings(folder, config))
    assert recording.error is None
    return [
        Resource(urn=r.urn, type=r.type, name=r.name, parent=r.parent, inputs=r.inputs) for r in recording.resources
    ]


@pytest.mark.parametrize("platform", CLOUDS, ids=str)
def test_the_full_app_breaks_no_rule(platform: Platform, analyzer: Analyzer, tmp_path: Path) -> None:
    resources = full_app(platform, tmp_path)
    assert len(resources) > 50
    # As in an update: components first, then what they share, then what is made of it.
    for each in sorted(
        resources, key=lambda one: (not one.type.startswith("alien:index:"), "Foundation" not in one.parent)
    ):
        assert not analyzer.shown(each), each.urn
    assert not analyzer.stack(resources)


def test_what_is_planted_is_named_and_stops_the_update(analyzer: Analyzer) -> None:
    whole = {rule.name for rule in RULES if rule.whole}
    for number, one in enumerate(PLANTED):
        planted = Planted(one.rule, one.type, one.inputs).resource
        resource = Resource(
            urn=f"{planted.urn}-{number}",
            type=planted.type,
            name=planted.name,
            parent=planted.parent,
            inputs=planted.inputs,
        )
        said = analyzer.shown(resource)
        said = analyzer.stack([resource]) if one.rule in whole else said
        assert {(each.rule, each.mandatory) for each in said if each.rule != "permissions-boundary"} == {
            (one.rule, True)
        }


def test_the_boundary_comes_from_the_deployments_config(analyzer: Analyzer) -> None:
    role = Resource(urn="urn:role", type="aws:iam/role:Role", name="loose", inputs={})
    (said,) = analyzer.shown(role)
    assert said.rule == "permissions-boundary"
    assert f"loose: its permissions boundary is none, not {BOUNDARY}" in said.message


def test_what_is_not_known_yet_is_no_violation(analyzer: Analyzer) -> None:
    policy = Resource(urn="urn:p", type="aws:iam/rolePolicy:RolePolicy", name="p", inputs={"policy": UNKNOWN})
    assert [(each.rule, each.mandatory) for each in analyzer.shown(policy)] == [("wildcard-policy", False)]


def test_it_tells_its_rules(analyzer: Analyzer) -> None:
    info = analyzer.info()
    assert info.name == "alien-iac"
    assert {rule.name for rule in RULES} < {each.name for each in info.policies}
