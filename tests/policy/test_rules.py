"""Our own resources break no rule; each planted one is named by its rule, and by no other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from policy.analyzer import BOUNDARY
from policy.planted import PLANTED, SAFE_QUEUE, Planted

from alien_iac.checks.catalogue import CATALOGUE
from alien_iac.policy import pack_folder
from alien_iac.policy.model import Resource
from alien_iac.policy.rules import RULES, Broken, broken

GOLDEN = Path(__file__).parents[1] / "golden"


def recorded(file: Path) -> Iterator[Resource]:
    told: list[dict[str, Any]] = json.loads(file.read_text())["resources"]
    ours = {each["name"]: each["type"] for each in told if each["parent"] == "project-stack"}
    for each in told:
        above = f"{ours[each['parent']]}::{each['parent']}" if each["parent"] in ours else ""
        name, kind = each["name"], each["type"]
        yield Resource(urn=f"{kind}::{name}", type=kind, name=name, parent=above, inputs=each["inputs"])


def names(found: Iterator[Broken]) -> list[str]:
    return [one.rule.name for one in found]


def test_nothing_that_we_make_breaks_a_rule() -> None:
    for file in GOLDEN.rglob("*.json"):
        assert not [(file.parts[-3:], one.rule.name, one.resource.name, one.how) for one in broken(recorded(file))]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: f"{one.rule}-{one.type}")
def test_what_is_planted_is_named(planted: Planted) -> None:
    (found,) = set(names(broken([planted.resource])))
    assert found == planted.rule


def test_every_type_of_every_rule_has_something_planted() -> None:
    there = {(one.rule, one.type) for one in PLANTED}
    missing = {(rule.name, kind) for rule in RULES for kind in rule.checks} - there
    alike = {
        "authoritative-grant",
        "public-data",
        "permissions-boundary",
        "lost-dead-letters",
    }  # tables of one function
    assert {one for one in missing if one[0] not in alike} == set()


def test_rules_have_their_own_names_and_codes() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.code for rule in RULES} <= set(CATALOGUE)


def test_a_queue_that_a_function_takes_from_has_dead_letters() -> None:
    mapping = {"eventSourceArn": "arn:aws:sqs:eu-central-1:1:loose"}
    queue = Resource(urn="q", type="aws:sqs/queue:Queue", name="q", inputs=SAFE_QUEUE)
    taking = Resource(urn="m", type="aws:lambda/eventSourceMapping:EventSourceMapping", name="m", inputs=mapping)
    beside = {"queueUrl": "https://sqs.eu-central-1.amazonaws.com/1/loose"}
    redrive = Resource(urn="r", type="aws:sqs/redrivePolicy:RedrivePolicy", name="r", inputs=beside)
    assert names(broken([queue, taking])) == ["lost-dead-letters"]
    assert not names(broken([queue, taking, redrive]))


def test_roles_have_the_boundary_where_there_is_one() -> None:
    loose = Resource(urn="a", type="aws:iam/role:Role", name="a", inputs={})
    bounded = Resource(urn="b", type="aws:iam/role:Role", name="b", inputs={"permissionsBoundary": BOUNDARY})
    assert [one.resource.name for one in broken([loose, bounded], BOUNDARY)] == ["a"]
    assert not names(broken([loose, bounded]))


def test_only_a_component_of_ours_declares_what_is_public() -> None:
    bucket = {"acl": None, "publicAccess": "Blob"}
    for above, found in (("alien:index:Storage", []), ("shop:index:Own", ["public-data"])):
        parent = Resource(urn="p", type=above, name="p", inputs={"public": True})
        child = Resource(urn="c", type="azure-native:storage:BlobContainer", name="c", parent="p", inputs=bucket)
        assert names(broken([parent, child])) == found


def test_the_packs_folder_is_there() -> None:
    assert {each.name for each in pack_folder().iterdir()} >= {"PulumiPolicy.yaml", "requirements.txt", "__main__.py"}


def test_the_older_protobuf_of_the_policy_sdk_stays_in_its_own_environment() -> None:
    pinned = (Path(__file__).parents[2] / "constraints.txt").read_text()
    assert "pulumi-policy" not in pinned, "compile the constraints with --extra all --extra demo"
