"""What holds of the stores on AWS alone: the layout, what AWS's errors become, what is imported and when."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from runtime.conformance import Env
from runtime.emulators import Emulators
from runtime.kv_model import Clock, KvModel
from runtime.runtime_workload import ROOT
from runtime.stores_aws import REGION, AwsStores, ministack

from alien_iac.errors import (
    AlienError,
    BindingInvalid,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthorized,
    Unavailable,
)
from alien_iac.protocol import environment
from alien_iac.protocol.bindings import AwsSecret, DynamoKv, S3Storage, SqsQueue
from alien_iac.protocol.wire import Open
from alien_iac.runtime import kv, queue, secret, storage
from alien_iac.runtime.stores.aws_kv import DynamoTable
from alien_iac.runtime.stores.aws_queue import Sqs
from alien_iac.runtime.stores.buckets import bucket
from alien_iac.runtime.work import Payload

Link = Callable[[Env], None]
Asked = dict[str, Any]
Answer = tuple[int, dict[str, Any], dict[str, str]]
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"


@pytest.fixture
def aws(emulators: Emulators) -> AwsStores:
    return AwsStores(emulators.get(ministack))


def test_the_layout_of_an_item(aws: AwsStores, emulators: Emulators, linked: Link) -> None:
    linked(aws.kv("sessions"))
    sessions = kv("sessions").sync
    sessions.put("a:1", b"hi\n")
    sessions.put("a:2", b"", ttl_seconds=60)
    client = emulators.get(ministack).client("dynamodb")
    stored = client.scan(TableName=aws.named("sessions"))["Items"]
    first, second = sorted(stored, key=lambda item: item["sk"]["S"])
    assert (first["pk"], first["sk"], first["value"]) == ({"S": "bucket_6"}, {"S": "a:1"}, {"B": b"hi\n"})
    assert set(first) == {"pk", "sk", "value", "version"}
    assert len(bytes.fromhex(first["version"]["S"])) == 16
    assert second["pk"] == {"S": "bucket_0"}
    assert 0 <= int(second["ttl"]["N"]) - (time.time() + 60) <= 1


def test_buckets_are_the_sdks() -> None:
    assert [bucket(key) for key in ("a:1", "a:2", "zzz")] == [6, 0, 5]
    found = [bucket(f"k{number}") for number in range(1000)]
    assert {*found} == {*range(16)}
    assert max(map(found.count, range(16))) < 110


def test_a_table_agrees_with_the_model(emulators: Emulators) -> None:
    cloud = emulators.get(ministack)

    class TableModel(KvModel):
        def __init__(self) -> None:
            self.table = ""
            super().__init__()

        def opened(self, clock: Clock) -> DynamoTable:
            self.table = self.table or AwsStores(cloud).table("model")
            return DynamoTable(cloud.client("dynamodb"), self.table, "k", clock)

    few = settings(max_examples=5, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(TableModel, settings=few)


class Aws:
    """Answers as AWS does, with what a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.regions: list[str] = []
        self.answer: Callable[[Asked], Answer] = lambda _: (200, {}, {})
        aws = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                aws.asked.append(asked)
                aws.regions.append(self.headers["authorization"].split("/")[2])
                status, body, headers = aws.answer(asked)
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing: the test knows."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def fails(self, code: str, status: int = 400) -> None:
        """From now on with this error."""
        body = {"__type": f"com.amazonaws.service#{code}", "message": "arn:aws:iam::123456789012:role/hunter2"}
        self.answer = lambda _: (status, body, {"x-amzn-query-error": f"{code};Sender"})


@pytest.fixture
def wire(linked: Link) -> Iterator[Aws]:
    made = Aws()
    linked({"AWS_ENDPOINT_URL": made.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hunter2"})
    linked({"AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"})
    linked(bound("sessions", DynamoKv(table_name="table", region=REGION)))
    linked(bound("jobs", SqsQueue(queue_url=QUEUE_URL)))
    linked(bound("crm", AwsSecret(secret_name="crm", region=REGION)))
    yield made
    made.server.shutdown()
    made.server.server_close()


def bound(name: str, binding: Open) -> Env:
    return {environment.binding_name(name): json.dumps(binding.dump())}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Forbidden),
        ("UnrecognizedClientException", Unauthorized),
        ("ExpiredTokenException", Unauthorized),
        ("ResourceNotFoundException", NotFound),
        ("AWS.SimpleQueueService.NonExistentQueue", NotFound),
        ("InvalidMessageContents", InvalidInput),
        ("ValidationError", Unavailable),
        ("ValidationException", Unavailable),
    ],
)
def test_an_error_of_awss_is_one_of_ours(wire: Aws, code: str, kind: type[AlienError]) -> None:
    wire.fails(code)
    calls = (kv("sessions").sync.exists, queue("jobs").sync.send, lambda _: secret("crm").sync.get())
    for call in calls:
        with pytest.raises(kind, match=r"sessions|jobs|crm") as caught:
            call("a")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("code", ["InvalidParameterValue", "ReceiptHandleIsInvalid", "MessageNotInflight"])
def test_a_receipt_whose_time_is_over(wire: Aws, code: str) -> None:
    wire.fails(code)
    jobs = queue("jobs").sync
    for change in (jobs.ack, jobs.nack, lambda receipt: jobs.renew(receipt, 5)):
        with pytest.raises(Conflict):
            change("receipt")


def test_aws_does_not_answer(wire: Aws, linked: Link) -> None:
    linked({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    wire.answer = lambda _: (200, {}, {})
    with pytest.raises(Unavailable, match="EndpointConnectionError") as caught:
        secret("crm").sync.get()
    assert "hunter2" not in str(caught.value)
    linked(bound("files", S3Storage(bucket_name="bucket")))
    with pytest.raises(Unavailable, match="files"):
        storage("files").sync.get("a")
    assert wire.asked == []


def test_the_region(wire: Aws, linked: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    linked(bound("odd", SqsQueue(queue_url=f"{wire.url}/1/odd")))
    with pytest.raises(BindingInvalid, match="AWS_REGION"):
        queue("odd").sync.send("a")
    queue("jobs").sync.receive()
    assert wire.regions == ["eu-west-1"]


def test_without_credentials() -> None:
    done = run(
        "from alien_iac.errors import Unauthorized\nfrom alien_iac.runtime import secret\ntry:\n"
        "    secret('crm').sync.get()\nexcept Unauthorized as error:\n    print(error)"
    )
    assert "there are no credentials (NoCredentialsError)" in done.stdout


def test_a_put_whose_answer_was_lost_is_done(wire: Aws) -> None:
    """The second try meets the item of the first."""
    stored: dict[str, Any] = {}

    def answer(asked: Asked) -> Answer:
        if stored:
            body = {"__type": "com.amazonaws.dynamodb#ConditionalCheckFailedException", "Item": stored}
            return 400, body, {}
        stored.update(asked["Item"])
        return 500, {"__type": "com.amazonaws.dynamodb#InternalServerError"}, {}

    wire.answer = answer
    sessions = kv("sessions").sync
    assert sessions.put("a", b"1", if_absent=True)
    assert len(wire.asked) == 2
    assert not sessions.put("a", b"2", if_absent=True)


def test_each_message_of_a_batch_has_its_result(wire: Aws) -> None:
    def answer(asked: Asked) -> Answer:
        if len(wire.asked) > 1:
            return 400, {"__type": "com.amazonaws.sqs#KmsThrottled"}, {}
        good = [
            {"Id": entry["Id"], "MessageId": uuid.uuid4().hex, "MD5OfMessageBody": ""} for entry in asked["Entries"]
        ]
        failed = [
            {"Id": "3", "SenderFault": True, "Code": "InvalidMessageContents"},
            {"Id": "4", "SenderFault": False, "Code": "InternalError"},
        ]
        return 200, {"Successful": [each for each in good if each["Id"] not in "34"], "Failed": failed}, {}

    wire.answer = answer
    results = queue("jobs").sync.send_batch(range(12))
    expected = ["sent"] * 3 + ["rejected", "unknown"] + ["sent"] * 5 + ["unknown"] * 2
    assert [result.status for result in results] == expected
    assert results[3].message == "InvalidMessageContents"
    with pytest.raises(Unavailable, match="KmsThrottled"):
        queue("jobs").sync.send_batch([1])


def test_a_message_travels_with_its_trace(aws: AwsStores, emulators: Emulators, linked: Link) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    linked(aws.queue("jobs"))
    url = json.loads(os.environ["ALIEN_JOBS_BINDING"])["queueUrl"]
    Sqs(emulators.get(ministack).client("sqs"), url, "jobs").send(Payload("{}", is_json=True, trace=trace))
    (message,) = queue("jobs").sync.receive(wait_seconds=1)
    assert message.trace == trace


def test_batches_are_no_larger_than_sqs_takes(wire: Aws) -> None:
    wire.answer = lambda _: (200, {"Successful": [], "Failed": []}, {})
    queue("jobs").sync.send_batch(["x" * 60_000] * 9 + ["y"] * 23)
    sizes = [len(asked["Entries"]) for asked in wire.asked]
    assert sum(sizes) == 32
    assert max(sizes) <= 10
    assert max(sum(len(entry["MessageBody"]) for entry in asked["Entries"]) for asked in wire.asked) <= 262_144


def test_a_text_and_a_secret_say_nothing_of_themselves(wire: Aws, linked: Link) -> None:
    linked(bound("files", S3Storage(bucket_name="bucket")))
    signed = storage("files").sync.signed_url("GET", "a", 60)
    assert "X-Amz-Signature" in signed.url
    assert "Signature" not in repr(signed)
    assert "hunter2" not in signed.url
    assert wire.asked == []


@pytest.mark.parametrize(
    ("call", "foreign"),
    [
        ("links.connect('kv', 'sessions')", ["botocore"]),
        ("links.connect('queue', 'jobs')", ["botocore"]),
        ("links.connect('secret', 'crm')", ["botocore"]),
        ("links.connect('storage', 'files')", ["obstore"]),
        ("links.kv('sessions'), links.storage('files')", ["obstore"]),
    ],
)
def test_a_store_imports_its_own_sdk_and_no_other(call: str, foreign: list[str]) -> None:
    code = (
        f"import sys\nfrom alien_iac.runtime import links\n{call}\n"
        "print(*sorted({'boto3', 'botocore', 'obstore', 'google', 'azure', 'pulumi'} & set(sys.modules)))"
    )
    assert run(code).stdout.split() == foreign


def test_a_missing_sdk_is_named() -> None:
    done = run(
        "import sys\nsys.modules['botocore'] = None\nfrom alien_iac.errors import Missing\n"
        "from alien_iac.runtime import kv\ntry:\n    kv('sessions').sync.get('a')\n"
        "except Missing as error:\n    print(error)"
    )
    assert 'the link to "sessions" needs botocore' in done.stdout
    assert "alien-iac[runtime-aws]" in done.stdout


def run(code: str) -> subprocess.CompletedProcess[str]:
    env = {
        "PYTHONPATH": str(ROOT),
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": "/nowhere",
        **bound("sessions", DynamoKv(table_name="table", region=REGION)),
        **bound("jobs", SqsQueue(queue_url=QUEUE_URL)),
        **bound("crm", AwsSecret(secret_name="crm", region=REGION)),
        **bound("files", S3Storage(bucket_name="bucket")),
    }
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env, timeout=60)
