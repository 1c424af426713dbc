"""What is granted on AWS: one verb on one resource, and no star but those that are listed with their reasons."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from providers.aws.aws_stacks import BOUNDARY, KEY, app, documents, run, statements

import alien_iac as alien
from alien_iac.testing.recording import Recording
from alien_iac_aws import TYPES
from alien_iac_aws.policy import NEEDS_STAR


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The whole app, with a key and a boundary of the customer's."""
    recording = run(app, tmp_path_factory.mktemp("app"), encryptionKey=KEY, permissionsBoundary=BOUNDARY)
    assert recording.error is None
    return recording


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(recording: Recording, role: str) -> dict[str, list[dict[str, Any]]]:
    """The statements of a role's policies, by the policy's name."""
    found = (pair for pair in documents(recording) if pair[0].type == "aws:iam/rolePolicy:RolePolicy")
    return {r.inputs["name"]: d["Statement"] for r, d in found if r.inputs["role"] == f"acme-x1y2z3-{role}"}


def test_no_action_holds_a_star_but_where_it_denies(whole: Recording) -> None:
    allowed = [s for s in statements(whole) if s["Effect"] == "Allow"]
    assert [s for s in allowed if any("*" in action for action in listed(s["Action"]))] == []


def test_a_star_as_resource_or_principal_is_listed_with_its_reason(whole: Recording) -> None:
    starred = {
        s["Sid"]
        for s in statements(whole)
        if "*" in listed(s.get("Resource", "")) or s.get("Principal") in ("*", {"AWS": "*"})
    }
    assert starred
    assert starred <= set(NEEDS_STAR)
    assert all(NEEDS_STAR.values())


def test_a_star_within_a_resource_stands_only_for_what_is_inside_of_it(whole: Recording) -> None:
    resources = {r for s in statements(whole) if s["Effect"] == "Allow" for r in listed(s.get("Resource", ""))}
    starred = {r.removesuffix(":*").removesuffix("/*") for r in resources if "*" in r and r != "*"}
    groups = {r for r in starred if r.startswith("arn:aws:logs:eu-central-1:123456789012:log-group:/aws/")}
    assert starred - groups == {"arn:aws:s3:::acme-x1y2z3-files"}
    assert "*" not in {r.removesuffix(":log-stream") for r in groups}


def test_every_role_is_for_one_service_of_this_account_under_the_boundary(whole: Recording) -> None:
    roles = [(r, d["Statement"]) for r, d in documents(whole) if r.type == "aws:iam/role:Role"]
    assert len(roles) >= 6
    for role, (trust,) in roles:
        assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"
        assert role.inputs["permissionsBoundary"] == BOUNDARY
        assert role.inputs["path"] == "/alien/acme-x1y2z3/"


def test_each_verb_is_a_policy_of_its_own_on_exactly_its_resource(whole: Recording) -> None:
    worker = granted(whole, "worker")
    own = {"report-failures", "write-logs", "read-variables", "alien-network-join"}
    assert set(worker) - own == {"files-write", "sessions-write", "crm-read", "token-read", "jobs-consume"}
    (items, key) = worker["sessions-write"]
    assert items["Resource"] == ["arn:aws:dynamodb:eu-central-1:123456789012:table/acme-x1y2z3-sessions"]
    assert items["Action"] == ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    assert key["Resource"] == [KEY]
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}}


def test_a_reader_writes_nothing(whole: Recording) -> None:
    reports = granted(whole, "reports")
    reading = [a for name in ("sessions-read", "files-read") for s in reports[name] for a in listed(s["Action"])]
    assert sorted(set(reading)) == [
        "dynamodb:GetItem",
        "dynamodb:Query",
        "kms:Decrypt",
        "s3:GetObject",
        "s3:ListBucket",
    ]


def test_a_call_of_a_function_is_the_call_of_that_function(whole: Recording) -> None:
    (call,) = granted(whole, "reports")["worker-call"]
    assert call["Action"] == ["lambda:InvokeFunction"]
    assert call["Resource"] == ["arn:aws:lambda:eu-central-1:123456789012:function:acme-x1y2z3-worker"]
    assert granted(whole, "api")["worker-call"] == [call]


def test_code_may_not_use_what_lambda_needs_for_the_network(whole: Recording) -> None:
    attach, deny = granted(whole, "reports")["alien-network-join"]
    assert attach["Action"] == deny["Action"]
    assert deny["Effect"] == "Deny"
    function = "arn:aws:lambda:eu-central-1:123456789012:function:acme-x1y2z3-reports"
    assert deny["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": function}}


def test_buckets_and_queues_refuse_plain_http(whole: Recording) -> None:
    kinds = ("aws:s3/bucketPolicy:BucketPolicy", "aws:sqs/queuePolicy:QueuePolicy")
    policies = [d["Statement"] for r, d in documents(whole) if r.type in kinds]
    assert len(policies) >= 6
    assert all(policy[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for policy in policies)


def test_only_the_rules_of_the_function_itself_may_leave_what_they_could_not_deliver(whole: Recording) -> None:
    policy = next(d for r, d in documents(whole) if r.name == "worker-failed-policy")
    rule = "arn:aws:events:eu-central-1:123456789012:rule/acme-x1y2z3-worker--files"
    assert policy["Statement"][1]["Condition"] == {"ArnEquals": {"aws:SourceArn": [rule]}}


def test_a_rule_starts_the_function_on_behalf_of_this_account_only(whole: Recording) -> None:
    (permission,) = [
        r.inputs for r in whole.of_type("aws:lambda/permission:Permission") if "events" in r.inputs["principal"]
    ]
    assert permission["sourceArn"] == "arn:aws:events:eu-central-1:123456789012:rule/acme-x1y2z3-worker--files"
    assert permission["sourceAccount"] == "123456789012"


def test_scheduler_opens_with_the_customers_key_only_this_deployments_schedules(whole: Recording) -> None:
    start, opened, *_ = granted(whole, "worker--schedule")["start-on-schedule"]
    assert start["Action"] == ["lambda:InvokeFunction"]
    assert opened["Action"] == ["kms:Decrypt"]
    assert opened["Resource"] == [KEY]
    schedules = "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/acme-x1y2z3-*"
    assert opened["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:scheduler:schedule:arn": schedules}}


def test_without_a_key_nothing_speaks_of_kms(tmp_path: Path) -> None:
    assert "kms" not in str(list(statements(run(app, tmp_path))))


def test_public_objects_are_the_only_thing_that_anybody_may_read(tmp_path: Path) -> None:
    recording = run(lambda: alien.Storage("files", public_read=True), tmp_path)
    _, anybody = (s for _, d in documents(recording) for s in d["Statement"])
    assert anybody["Action"] == ["s3:GetObject"]
    assert anybody["Resource"] == ["arn:aws:s3:::acme-x1y2z3-files/*"]


def test_types_that_are_made_are_in_the_table(whole: Recording) -> None:
    made: Iterable[str] = {r.type for r in whole.resources if r.custom and not r.type.startswith("pulumi:")}
    assert set(made) <= set(TYPES)
    assert list(TYPES) == sorted(set(TYPES))
