"""What a review tells, on every platform that is installed; the clouds take as long as their SDKs take to load."""

import json
import os

import pytest
from review.review_project import FULL, TWO, Reviewed

from alien_iac import platforms
from alien_iac.errors import InvalidInput, UpdateFailed
from alien_iac.models.platform import Platform
from alien_iac.review import permissions
from alien_iac.review.tree import components

PLATFORMS = [
    pytest.param(each.value, marks=() if each is Platform.LOCAL else pytest.mark.slow) for each in platforms.installed()
]
COMPONENTS = {"files", "sessions", "jobs", "crm", "api", "worker"}
RAW = """
import pulumi
import alien_iac as alien

class Raw(pulumi.CustomResource):
    arn: pulumi.Output[str]
    def __init__(self) -> None:
        super().__init__("probe:index:Raw", "raw", {"size": 1, "arn": None})

pulumi.export("arn", Raw().arn)
alien.Storage("files")
"""
ASKING = """
import pulumi
import alien_iac as alien

answer = pulumi.runtime.invoke("probe:index:ask", {"of": "me"}).value
alien.Storage("files", expire_after=answer["days"])
"""


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_component_is_there_with_what_is_below_it(project: Reviewed, platform: str) -> None:
    review = project.review(platform)
    assert not review.has_errors, review.findings
    there = {c.name: c for c in components(review) if c.kind not in {"", "Foundation"}}
    assert set(there) == COMPONENTS
    assert all(component.natives for component in there.values())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_review_is_the_same_twice_and_holds_no_secret(project: Reviewed, platform: str) -> None:
    one, two = (json.dumps(project.review(platform).dump(), sort_keys=True) for _ in range(2))
    assert one == two
    assert "[secret]" in one
    for hidden in ("planted", str(project.folder), "/tmp/alien-review"):  # noqa: S108 - it is looked for, not used
        assert hidden not in one


@pytest.mark.parametrize("platform", [p for p in PLATFORMS if p.values != ("local",)])
def test_grants_and_permissions_are_whole(project: Reviewed, platform: str) -> None:
    review = project.review(platform)
    granted = {(grant.workload, grant.resource) for grant in review.grants}
    assert {("worker", "files"), ("worker", "sessions"), ("worker", "crm"), ("api", "jobs")} <= granted
    assert all(grant.policy for grant in review.grants)
    assert "internet" in {one.from_ for one in review.exposure if one.resource == "api"}
    assert review.deploy_permissions
    unknown = {r.type for r in review.resources if not r.type.startswith(("alien:", "pulumi:"))}
    assert unknown <= permissions.types(Platform(platform))


def test_the_shape_is_the_documented_one(project: Reviewed) -> None:
    told = project.review().dump()
    parts = {"platform", "resources", "grants", "exposure", "idle", "leaves", "deployPermissions", "findings"}
    assert set(told) == parts
    assert set(told["resources"][0]) == {"urn", "type", "name", "parent", "inputs", "protect", "retain"}


def test_nothing_is_written_and_nothing_is_made(project: Reviewed) -> None:
    before = sorted(project.folder.rglob("*"))
    project.review()
    assert sorted(project.folder.rglob("*")) == before


def test_errors_of_the_checks_are_findings_and_then_there_are_no_resources(project: Reviewed) -> None:
    project.with_program(FULL + '\nalien.Storage("files")\nalien.Function("other", source="./nowhere")\n')
    review = project.review()
    assert {f.code for f in review.findings if f.severity == "error"} == {"ID_DUPLICATE", "SOURCE_MISSING"}
    assert not review.resources


def test_a_customers_config_is_read_and_their_secrets_are_not(project: Reviewed) -> None:
    config = {"alien:platform": "local", "alien:prefix": "acme-x1y2z3", "alien:labels": {"ring": "a"}}
    sealed = {"shop:password": {"secure": "v1:AAAA:BBBB"}, "alien:controlPlane": "https://alien.example.com"}
    project.configured("acme", {**config, **sealed})
    program = 'import pulumi\nsecret = pulumi.Config("shop").require_secret("password")\n'
    project.with_program(program + FULL.replace('pulumi.Output.secret("planted-in-the-program")', "secret"))
    review = project.review(stack="acme")
    told = json.dumps(review.dump())
    assert "acme-x1y2z3" in told
    assert "[secret]" in told
    assert [one.to for one in review.leaves] == ["https://alien.example.com"]
    assert review.leaves[0].what.startswith("the agent asks")


def test_workloads_that_ask_for_commands_themselves_are_told_of(project: Reviewed) -> None:
    pushed = {"alien:controlPlane": "https://alien.example.com", "alien:deploymentId": "dep_1"}
    project.configured("acme", {"alien:platform": "local", "alien:prefix": "acme-x1y2z3", **pushed})
    review = project.with_program(f"{TWO}\nalien.Container('own', source='api', commands=True)\n").review(stack="acme")
    assert review.leaves[0].what.startswith("each workload with commands=True asks")
    assert "COMMANDS_TOKEN" in {finding.code for finding in review.findings}


def test_the_program_sees_no_credentials(project: Reviewed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "planted")
    program = "import os\nassert 'planted' not in os.environ.values(), 'it sees them'\n"
    assert not project.with_program(program + TWO).review().has_errors
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "planted"


def test_a_type_that_nobody_knows_is_named_and_may_be_answered(project: Reviewed) -> None:
    project.with_program(RAW)
    with pytest.raises(UpdateFailed, match=r"probe:index:Raw \(raw\) is not known.*review\.answers\.yaml"):
        project.review()
    (project.folder / "review.answers.yaml").write_text("resources: {'probe:index:Raw': {arn: 'arn:1'}}")
    assert "probe:index:Raw" in {r.type for r in project.review().resources}


def test_a_question_that_has_no_answer_is_named_and_may_be_answered(project: Reviewed) -> None:
    project.with_program(ASKING)
    with pytest.raises(UpdateFailed, match="probe:index:ask has no answer"):
        project.review()
    (project.folder / "review.answers.yaml").write_text("invokes: {'probe:index:ask': {days: 30d}}")
    assert not project.review().has_errors


def test_answers_that_are_not_answers(project: Reviewed) -> None:
    (project.folder / "review.answers.yaml").write_text("functions: {}")
    with pytest.raises(InvalidInput, match=r"review\.answers\.yaml cannot be read"):
        project.review()


def test_a_program_that_raises_is_told_with_its_place(project: Reviewed) -> None:
    project.with_program("raise ValueError('no such thing')\n")
    with pytest.raises(UpdateFailed, match=r"(?s)cannot be reviewed for local.*no such thing"):
        project.review()
