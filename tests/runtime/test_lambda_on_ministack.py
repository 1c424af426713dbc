"""The packaged zip as a function of Lambda, on MiniStack: behind SQS, and invoked by the agent."""

from __future__ import annotations

import base64
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from runtime.driven import common
from runtime.emulators import Emulators
from runtime.packaged import EXAMPLE, HANDLERS
from runtime.runtime_workload import envelope, eventually
from runtime.stores_aws import REGION, MiniStack, ministack

from alien_iac.agent.invoke_lambda import LambdaInvoker
from alien_iac.agent.mailbox import Lost
from alien_iac.errors import HandlerFailed, NotFound, Unavailable
from alien_iac.packaging.source import Target, package
from alien_iac.protocol import arc, environment
from alien_iac.protocol.bindings import LambdaWorker, S3Storage, SqsQueue
from alien_iac.protocol.outputs import Invoke
from alien_iac.runtime.stores import aws_calls

pytestmark = pytest.mark.slow
ROLE = "arn:aws:iam::000000000000:role/worker"


@dataclass(frozen=True)
class Deployed:
    """Functions, and the queue before one of them."""

    cloud: MiniStack
    queue_url: str
    dead_url: str
    notes: Path

    def noted(self) -> list[dict[str, Any]]:
        text = self.notes.read_text() if self.notes.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(count) for count in told["Attributes"].values())


@pytest.fixture(scope="module")
def deployed(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """As the components deploy them: a zip that was packaged, a queue with dead letters, partial batch failures."""
    cloud, folder = emulators.get(ministack), tmp_path_factory.mktemp("lambda")
    queue_url, dead_url = _queues(cloud)
    bindings = {"jobs": SqsQueue(queue_url=queue_url), "files": S3Storage(bucket_name="worker-files")}
    variables = common("aws", folder, {name: told.dump() for name, told in bindings.items()})
    _function(cloud, "everything", HANDLERS, folder, variables)
    mapping = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    arn = _arn(cloud, queue_url)
    made = cloud.client("lambda").create_event_source_mapping(FunctionName="everything", EventSourceArn=arn, **mapping)
    _example(cloud, folder)
    yield Deployed(cloud, queue_url, dead_url, folder / "notes")
    cloud.client("lambda").delete_event_source_mapping(UUID=made["UUID"])


def _queues(cloud: MiniStack) -> tuple[str, str]:
    sqs = cloud.client("sqs")
    dead = sqs.create_queue(QueueName="worker-jobs-dead")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": _arn(cloud, dead), "maxReceiveCount": 2})
    attributes = {"VisibilityTimeout": "2", "RedrivePolicy": redrive}
    return sqs.create_queue(QueueName="worker-jobs", Attributes=attributes)["QueueUrl"], dead


def _arn(cloud: MiniStack, url: str) -> str:
    asked = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn: str = asked["Attributes"]["QueueArn"]
    return arn


def _function(cloud: MiniStack, name: str, source: Path, folder: Path, variables: dict[str, str]) -> None:
    """MiniStack runs functions in its own Python, which is this one."""
    linked = frozenset({"Storage"} if source == EXAMPLE else ())
    here = Target(platform="aws", architecture={"aarch64": "arm64"}.get(platform.machine(), "x86_64"), linked=linked)
    artifact = package(source, here, folder / "cache")
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="alien_iac.runtime.aws_lambda.handler",
        Code={"ZipFile": artifact.path.read_bytes()},
        Timeout=5,
        Environment={"Variables": variables},
    )


def _example(cloud: MiniStack, folder: Path) -> None:
    where = {"LocationConstraint": REGION}
    cloud.client("s3").create_bucket(Bucket="example-files", CreateBucketConfiguration=where)
    cloud.client("s3").put_object(Bucket="example-files", Key="note.txt", Body=b"a private document")
    files = S3Storage(bucket_name="example-files").dump()
    variables = common("aws", folder, {"files": files}) | {environment.TRIGGERS: "[]"} | cloud.environment
    del variables["NOTES"]
    _function(cloud, "example", EXAMPLE, folder, variables)


def agents_invoker(cloud: MiniStack) -> LambdaInvoker:
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test")
    return LambdaInvoker(lambda region: session.client("lambda", region_name=region, endpoint_url=cloud.url))


def at(name: str) -> Invoke:
    return Invoke(kind="lambda", name=name, region=REGION)


def value(response: arc.Response) -> Any:
    assert isinstance(response, arc.Success), response
    assert isinstance(response.response, arc.Inline)
    return json.loads(base64.b64decode(response.response.inline_base64))


async def test_the_agents_invoke_returns_a_commands_result(deployed: Deployed) -> None:
    invoker = agents_invoker(deployed.cloud)
    assert value(await invoker.call(envelope("add", b'{"left": 1, "right": 2}'), at("everything"))) == 3
    told = await invoker.call(envelope("raise"), at("everything"))
    assert isinstance(told, arc.Failure)
    assert told.code == "HANDLER_ERROR"


async def test_the_example_reads_the_customers_storage(deployed: Deployed) -> None:
    invoker = agents_invoker(deployed.cloud)
    assert (
        value(await invoker.call(envelope("read-file", b'{"path": "note.txt"}'), at("example"))) == "a private document"
    )
    assert value(await invoker.call(envelope("add", b'{"left": 2, "right": 2}'), at("example"))) == 4


async def test_a_function_that_is_killed_over_a_command_has_lost_it(deployed: Deployed) -> None:
    invoker = agents_invoker(deployed.cloud)
    with pytest.raises(Lost, match="worker ended while it had the command"):
        await invoker.call(envelope("die"), at("everything"))
    assert value(await invoker.call(envelope("add", b'{"left": 1, "right": 1}'), at("everything"))) == 2


async def test_what_can_never_be_delivered_fails_and_what_may_pass_is_tried_again(deployed: Deployed) -> None:
    told = await agents_invoker(deployed.cloud).call(envelope("add"), at("gone"))
    assert isinstance(told, arc.Failure)
    assert (told.code, told.message) == ("DELIVERY_FAILED", "Lambda answered ResourceNotFoundException")
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test")
    nowhere = LambdaInvoker(
        lambda region: session.client("lambda", region_name=region, endpoint_url="http://127.0.0.1:9")
    )
    with pytest.raises(Unavailable):
        await nowhere.call(envelope("add"), at("everything"))


async def test_a_result_that_lambda_cannot_carry_is_said_to_be_too_large(deployed: Deployed) -> None:
    told = await agents_invoker(deployed.cloud).call(envelope("large", b'{"size": 5000000}'), at("everything"))
    assert isinstance(told, arc.Failure)
    assert told.code == "RESULT_TOO_LARGE"


def test_a_linked_workload_invokes(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in deployed.cloud.environment.items():
        monkeypatch.setenv(name, text)
    binding = LambdaWorker(worker_name="everything", region=REGION)
    function = aws_calls.connect_function(binding.dump(), "worker")
    assert function.invoke("add", b'{"left": 3, "right": 4}', 20) == b"7"
    with pytest.raises(HandlerFailed, match="the shelf is empty"):
        function.invoke("say", b"{}", 20)
    with pytest.raises(NotFound, match='no command "nothing"'):
        function.invoke("nothing", b"{}", 20)


def test_messages_are_handled_and_the_poisoned_one_ends_as_a_dead_letter(deployed: Deployed) -> None:
    sqs = deployed.cloud.client("sqs")
    for name in ("one", "bad", "two"):
        sqs.send_message(QueueUrl=deployed.queue_url, MessageBody=json.dumps({"name": name}))
    eventually(lambda: deployed.depth(deployed.dead_url) == 1, 60)
    assert deployed.depth(deployed.queue_url) == 0
    noted = [one["name"] for one in deployed.noted()]
    # On a slow machine two seconds run out over a good message too, which then comes again.
    assert set(noted) == {"bad", "one", "two"}
    assert sorted(one["attempt"] for one in deployed.noted() if one["name"] == "bad") == [1, 2]
    [dead] = sqs.receive_message(QueueUrl=deployed.dead_url)["Messages"]
    assert json.loads(dead["Body"]) == {"name": "bad"}
