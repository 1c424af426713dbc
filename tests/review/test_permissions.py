"""The deploy permissions on AWS: as narrow as names that are planned allow, and the rest says why it is not."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from alien_iac.review import permissions_aws
from alien_iac.testing.recording import PREFIX

GOLDEN = Path(__file__).parents[1] / "golden"
PLACE = {"partition": "aws", "region": "eu-central-1", "account": "123456789012", "prefix": PREFIX}
NAMED = {
    "aws:cloudwatch/logGroup:LogGroup": ("logs", "log-group:{}"),
    "aws:ecs/cluster:Cluster": ("ecs", "cluster/{}"),
    "aws:lambda/function:Function": ("lambda", "function:{}"),
    "aws:lb/loadBalancer:LoadBalancer": ("elasticloadbalancing", "loadbalancer/app/{}/0123456789abcdef"),
    "aws:lb/targetGroup:TargetGroup": ("elasticloadbalancing", "targetgroup/{}/0123456789abcdef"),
}
STARRED = {"IamLimitsTheseToNoResource", "AwsChoosesTheIdsOfThese"}


def policy() -> dict[str, Any]:
    return permissions_aws.policy(permissions_aws.ACTIONS, PLACE)


def names(kind: str) -> set[str]:
    files = (json.loads(file.read_text())["resources"] for file in GOLDEN.glob("*/*/aws.json"))
    return {each["inputs"]["name"] for resources in files for each in resources if each["type"] == kind}


@pytest.mark.parametrize("kind", NAMED)
def test_what_we_make_is_what_may_be_made(kind: str) -> None:
    service, shape = NAMED[kind]
    allowed = next(each["Resource"] for each in policy()["Statement"] if each["Sid"] == service.title())
    assert names(kind)
    for name in names(kind):
        arn = f"arn:aws:{service}:eu-central-1:123456789012:{shape.format(name)}"
        assert any(fnmatchcase(arn, pattern) for pattern in allowed), arn


def test_what_holds_for_everything_says_why() -> None:
    starred: Mapping[str, Any] = {s["Sid"]: s["Action"] for s in policy()["Statement"] if s["Resource"] == "*"}
    assert set(starred) == STARRED
    assert all(permissions_aws.is_nameless(action) for action in starred["IamLimitsTheseToNoResource"])
    services = {action.partition(":")[0] for action in starred["AwsChoosesTheIdsOfThese"]}
    assert not services & set(permissions_aws.SCOPES)


def test_a_long_prefix_still_covers_the_short_names_of_load_balancers() -> None:
    long = {**PLACE, "prefix": "a-customer-with-a-long-name-x1y2z3"}
    made = permissions_aws.policy(["aws:lb/loadBalancer:LoadBalancer"], long)
    patterns = next(s["Resource"] for s in made["Statement"] if s["Sid"] == "Elasticloadbalancing")
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a-customer-with-a-long-0a1b2c3d/x"
    assert any(fnmatchcase(arn, pattern) for pattern in patterns)
