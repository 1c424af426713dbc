"""Everything that the golden files hold is real to the clouds' SDKs, and known to the review."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.review import permissions, synthetic
from providers import sdk_types

GOLDEN = Path(__file__).parents[1] / "golden"
CLOUDS = [each for each in platforms.installed() if each is not Platform.LOCAL]
NOT_LISTED: Mapping[str, str] = {
    "aws:lb/targetGroup:TargetGroup: healthCheck.matcher": "it is a range of codes; what is listed are protocols",
}
"""What is right though a description does not list it: the start of a problem's text, and why."""


def resources(platform: Platform) -> list[dict[str, Any]]:
    files = sorted(GOLDEN.glob(f"*/*/{platform}.json"))
    return [each for file in files for each in json.loads(file.read_text())["resources"]]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("platform", CLOUDS, ids=str)
def test_every_property_and_value_is_one_of_the_sdks(platform: Platform) -> None:
    found: set[str] = set()
    for each in resources(platform):
        if sdk_types.known(each["type"]):
            found |= {f"{each['type']}: {problem}" for problem in sdk_types.problems(each["type"], each["inputs"])}
    wrong = {text for text in found if not any(text.startswith(start) for start in NOT_LISTED)}
    assert not wrong, "\n" + "\n".join(sorted(wrong))


@pytest.mark.parametrize("platform", platforms.installed(), ids=str)
def test_the_review_knows_every_type(platform: Platform) -> None:
    emitted = {each["type"] for each in resources(platform) if not each["type"].startswith("pulumi:")}
    components = {each for each in emitted if each.startswith("alien:index:")}
    assert emitted - components <= permissions.types(platform)
    assert components & set(synthetic.OURS) <= permissions.types(platform)


@pytest.mark.slow
def test_a_wrong_name_nesting_type_or_value_is_found() -> None:
    inputs = {
        "nmae": "a",
        "fifoQueue": "yes, please",
        "policy": {"Version": 1},
        "tags": ["a"],
        "redrivePolicy": "{}",
    }
    wrong = {problem.split(" ")[0] for problem in sdk_types.problems("aws:sqs/queue:Queue", inputs)}
    assert wrong == {"nmae", "fifoQueue", "policy", "tags"}
    nested = {"attributes": [{"name": "pk", "type": "STRING", "size": 1}]}
    wrong = {problem.split(" ")[0] for problem in sdk_types.problems("aws:dynamodb/table:Table", nested)}
    assert wrong == {"attributes[0].size", "attributes[0].type"}
