"""The full app in three customers' accounts on MiniStack, made by a double of the provider from the real stack program.

What is there afterwards is asked of AWS's own API.
"""

from __future__ import annotations

import base64
import json
import platform
import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from providers.aws.ministack_double import ProviderDouble
from providers.aws.ministack_types import SKIPPED, TYPES
from runtime.emulators import Emulators
from runtime.runtime_workload import envelope, eventually
from runtime.stores_aws import MiniStack, guarded_ministack

import alien_iac_aws
from alien_iac.agent.invoke_lambda import LambdaInvoker
from alien_iac.models.arguments import Architecture
from alien_iac.models.purpose import Purpose
from alien_iac.packaging.source import Target, package
from alien_iac.protocol import arc
from alien_iac.protocol.outputs import DeploymentOutputs
from alien_iac.resources.surroundings import Packaged, Packager
from alien_iac.testing import recording
from alien_iac.testing.monitor import PROJECT, STACK
from alien_iac.testing.recording import Recording, config_for, record, surroundings
from alien_iac_aws import offline

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[3] / "examples" / "03-full-app"
CUSTOMERS = {"111111111111": "acme-x1y2z3", "222222222222": "bolt-a4b5c6", "333333333333": "coil-d7e8f9"}
"""Account to the prefix of the deployment in it."""
DISCOVERY = "aws:servicediscovery/service:Service"
"""Its ARN has an id of AWS's own."""
_HERE: Mapping[str, Architecture] = {"x86_64": "x86_64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Customer:
    """One customer's account, and the deployment in it."""

    cloud: MiniStack
    account: str
    prefix: str
    recorded: Recording
    made: Mapping[tuple[str, str], Mapping[str, Any]]

    def client(self, service: str) -> Any:
        return self.cloud.client(service, self.account)

    def named(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    @property
    def url(self) -> str:
        """Of the queue."""
        return str(self.made["aws:sqs/queue:Queue", "orders"]["url"])

    @property
    def dead_url(self) -> str:
        return str(self.made["aws:sqs/queue:Queue", "orders-dead"]["url"])

    def depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(count) for count in told["Attributes"].values())

    def order(self, **body: object) -> None:
        self.client("sqs").send_message(QueueUrl=self.url, MessageBody=json.dumps(body))

    def sold(self) -> dict[str, str]:
        """What the table holds, without our own store."""
        rows = self.client("dynamodb").scan(TableName=self.named("state"))["Items"]
        return {row["sk"]["S"]: row["value"]["B"].decode() for row in rows}


def for_this_machine(source: Path, purpose: Purpose, cache: Path) -> Packaged:
    """The real packaging of Functions for AWS; of the real target only the machine and the Python are another's."""
    if purpose.kind != "Function":
        return recording.package(source, purpose, cache)
    target = replace(Target.of(purpose), architecture=_HERE[platform.machine()], python=Target().python)
    return package(source, target, cache)


Customers = tuple[Customer, ...]


def deploy(double: ProviderDouble, account: str, prefix: str, folder: Path, packager: Packager) -> Recording:
    config = {**config_for("aws", prefix=prefix), "aws:allowedAccountIds": json.dumps([account])}
    around = surroundings(EXAMPLE, config, packager=packager)
    program = lambda: runpy.run_path(str(EXAMPLE / "__main__.py"))  # noqa: E731 - the whole program is one call
    return record(program, replace(around, root=folder), outputs=double.outputs)


def double_of(cloud: MiniStack, account: str) -> ProviderDouble:
    settings = {**config_for("aws"), "aws:allowedAccountIds": json.dumps([account])}
    return ProviderDouble(cloud, account, offline.outputs(settings))


@pytest.fixture(scope="module")
def customers(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customers]:
    cloud, folder = emulators.get(guarded_ministack), tmp_path_factory.mktemp("full-app")
    made = []
    for account, prefix in CUSTOMERS.items():
        double = double_of(cloud, account)
        recorded = deploy(double, account, prefix, folder, for_this_machine)
        made.append(Customer(cloud, account, prefix, recorded, double.made))
    yield tuple(made)
    for customer in made:
        for mapping in customer.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
            customer.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])


async def ask(customer: Customer, command: str) -> arc.Response:
    """The response when the agent calls the Function, as the deployment's outputs say how."""
    told = DeploymentOutputs.model_validate(customer.recorded.outputs["alien"])
    [how] = [each.invoke for each in told.workloads if each.invoke is not None]
    asked = envelope(command, deployment_id=f"{PROJECT}/{STACK}")
    return await LambdaInvoker(lambda _region: customer.client("lambda")).call(asked, how)


async def answer(customer: Customer, command: str) -> Any:
    """What a command returns."""
    response = await ask(customer, command)
    assert isinstance(response, arc.Success), response
    assert isinstance(response.response, arc.Inline)
    return json.loads(base64.b64decode(response.response.inline_base64))


def test_everything_is_made_but_what_is_said_to_be_left_out(customers: Customers) -> None:
    for customer in customers:
        assert (customer.recorded.error, customer.recorded.codes) == (None, ())
        planned = {(each.type, each.name) for each in customer.recorded.resources if each.custom}
        left = {each for each in planned if each[0] in SKIPPED or each[0].startswith("pulumi:providers:")}
        assert customer.made.keys() == planned - left


def test_what_a_review_makes_up_of_arns_is_what_aws_tells(customers: Customers) -> None:
    for customer in customers:
        arns = {each: told["arn"] for each, told in customer.made.items() if "arn" in told}
        given = {(each.type, each.name): each.inputs for each in customer.recorded.resources}
        made_up = offline.outputs({**config_for("aws"), "aws:allowedAccountIds": json.dumps([customer.account])})
        compared = {each: made_up(*each, given[each])["arn"] for each in arns if each[0] != DISCOVERY}
        assert compared == {each: arn for each, arn in arns.items() if each[0] != DISCOVERY}
        assert len(compared) == 13


def test_the_bucket_is_closed_and_its_data_safe(customers: Customers) -> None:
    for customer in customers:
        s3, name = customer.client("s3"), customer.named("reports")
        [statement] = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
        assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", "*")
        assert statement["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        [rule] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert list(blocked.values()) == [True] * 4
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        [owner] = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        assert owner == {"ObjectOwnership": "BucketOwnerEnforced"}
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        assert [each["ID"] for each in rules] == ["abandoned-uploads", "old-versions", "expire-after"]
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
        assert tags == {"deployment": customer.prefix, "managed-by": "alien-iac", "resource": "reports"}


def test_the_table_and_the_queues_are_as_planned(customers: Customers) -> None:
    for customer in customers:
        table = customer.client("dynamodb").describe_table(TableName=customer.named("state"))["Table"]
        assert table["DeletionProtectionEnabled"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        backups = customer.client("dynamodb").describe_continuous_backups(TableName=customer.named("state"))
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
        asked = {"QueueUrl": customer.url, "AttributeNames": ["All"]}
        attributes = customer.client("sqs").get_queue_attributes(**asked)["Attributes"]
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive["deadLetterTargetArn"] == customer.made["aws:sqs/queue:Queue", "orders-dead"]["arn"]
        assert (redrive["maxReceiveCount"], attributes["SqsManagedSseEnabled"]) == (5, "true")


async def test_a_message_runs_the_function_and_the_agent_asks_it(customers: Customers) -> None:
    for number, customer in enumerate(customers, start=1):
        customer.order(item="pears", pieces=number)
    for number, customer in enumerate(customers, start=1):
        eventually(customer.sold, 60)
        assert customer.sold() == {"sold:pears": str(number)}
        assert await answer(customer, "report") == f"pears {number}"


async def test_the_function_may_only_what_its_role_allows(customers: Customers) -> None:
    """Every store above was reached with the role's own policies, and without one of them its store is out of reach."""
    iam, role = customers[2].client("iam"), customers[2].named("worker")
    policy = json.dumps(iam.get_role_policy(RoleName=role, PolicyName="state-write")["PolicyDocument"])
    iam.delete_role_policy(RoleName=role, PolicyName="state-write")
    try:
        refused = await ask(customers[2], "report")
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="state-write", PolicyDocument=policy)
    assert isinstance(refused, arc.Failure)
    assert refused.message.startswith("Forbidden at main.report")
    assert isinstance(await ask(customers[2], "report"), arc.Success)


def test_the_schedules_event_writes_an_object(customers: Customers) -> None:
    """MiniStack's own scheduler would wait for Monday: its event is sent as it keeps it, at once."""
    first, *others = customers
    [schedule] = first.client("scheduler").list_schedules()["Schedules"]
    target = first.client("scheduler").get_schedule(Name=schedule["Name"])["Target"]
    event = target["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-23T02:00:00Z")
    event = event.replace("<aws.scheduler.execution-id>", "5f1c0d3e")
    told = first.client("lambda").invoke(FunctionName=target["Arn"], Payload=event.encode())
    assert "FunctionError" not in told, told["Payload"].read()
    body = first.client("s3").get_object(Bucket=first.named("reports"), Key="week.txt")["Body"].read()
    assert body == b"\n".join(f"{key[5:]} {value}".encode() for key, value in first.sold().items())
    for customer in others:
        assert "Contents" not in customer.client("s3").list_objects_v2(Bucket=customer.named("reports"))


def test_a_poisoned_message_ends_as_a_dead_letter_in_its_own_account(customers: Customers) -> None:
    first, *others = customers
    # Six times the Function's three minutes is what the stack asks for, and too long for a test.
    first.client("sqs").set_queue_attributes(QueueUrl=first.url, Attributes={"VisibilityTimeout": "1"})
    first.order(weight="heavy")
    eventually(lambda: first.depth(first.dead_url) == 1, 60)
    assert first.depth(first.url) == 0
    asked = {"QueueUrl": first.dead_url, "AttributeNames": ["ApproximateReceiveCount"], "WaitTimeSeconds": 1}
    [dead] = first.client("sqs").receive_message(**asked)["Messages"]
    assert json.loads(dead["Body"]) == {"weight": "heavy"}
    assert dead["Attributes"]["ApproximateReceiveCount"] == "6"
    assert [customer.depth(customer.dead_url) for customer in others] == [0, 0]


def test_nothing_of_one_account_is_seen_in_another(customers: Customers) -> None:
    for customer in customers:
        seen = everything(customer)
        assert len(seen) == 16
        assert [name for name in seen if customer.prefix not in name] == []
        for other in customers:
            if other is not customer:
                with pytest.raises(ClientError, match="ResourceNotFoundException"):
                    customer.client("dynamodb").scan(TableName=other.named("state"))
                with pytest.raises(ClientError, match="AccessDenied"):
                    customer.client("s3").list_objects_v2(Bucket=other.named("reports"))


def everything(customer: Customer) -> list[str]:
    """The names of all that holds data, runs code or gives rights."""
    function = customer.client("lambda").list_functions()["Functions"]
    return [
        *(each["Name"] for each in customer.client("s3").list_buckets()["Buckets"]),
        *customer.client("dynamodb").list_tables()["TableNames"],
        *customer.client("sqs").list_queues().get("QueueUrls", []),
        *(each["FunctionName"] for each in function),
        *(each["RoleName"] for each in customer.client("iam").list_roles()["Roles"]),
        *(each["logGroupName"] for each in customer.client("logs").describe_log_groups()["logGroups"]),
        *(each["Name"] for each in customer.client("scheduler").list_schedules()["Schedules"]),
    ]


def test_the_wrong_account_is_refused_before_anything_is_made(customers: Customers, tmp_path: Path) -> None:
    double = double_of(customers[0].cloud, "444444444444")
    refused = deploy(double, "555555555555", "dune-g1h2i3", tmp_path, recording.package)
    assert "account 444444444444 is not among the allowed ones: 555555555555" in str(refused.error)
    assert double.made == {}


def test_a_type_that_the_double_does_not_know_is_an_error(customers: Customers) -> None:
    double = double_of(customers[0].cloud, "111111111111")
    with pytest.raises(LookupError, match="neither among the types"):
        double.outputs("aws:sns/topic:Topic", "news", {"name": "news"})
    with pytest.raises(LookupError, match="has no retries; it has"):
        double.outputs("aws:lambda/eventSourceMapping:EventSourceMapping", "jobs", {"retries": 1})


def test_every_type_is_made_or_left_out_and_none_is_both() -> None:
    assert not TYPES.keys() & SKIPPED.keys()
    assert all(SKIPPED.values())
    assert TYPES.keys() | SKIPPED.keys() <= set(alien_iac_aws.TYPES)
