"""The three clouds' ways to drive a packaged Function, with events in the shapes that they record."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from runtime.driven import TIMEOUT_SECONDS, TRIGGERS, Answer, Child, Refused, child, common, event, notes
from runtime.packaged import CHILDREN, Package
from runtime.runtime_workload import eventually

from alien_iac.protocol import azure_functions, cloud_run
from alien_iac.protocol.bindings import BlobStorage, GcsStorage, PubsubQueue, S3Storage, ServiceBusQueue, SqsQueue

CALLER, STARTER, STRANGER = (f"{who}@acme-prod.iam.gserviceaccount.com" for who in ("agent", "starter", "stranger"))
AUDIENCE = "https://acme-x1y2z3-worker-1.europe-west3.run.app"


Triggers = Sequence[Mapping[str, str]]


def comes_to(run: Callable[[Any], Any], asked: Any) -> bool:
    """Whether an event is dealt with, where its coming again is an error."""
    try:
        answered = run(asked)
    except Refused as error:
        if not str(error).startswith("Unavailable: a handler failed"):
            raise
        return False
    assert answered is None
    return True


class Lambda:
    """Through the runtime interface client."""

    def __init__(self, running: Child, folder: Path) -> None:
        self._running = running
        self._folder = folder

    def invoke(self, asked: Any) -> Any:
        told = self._running.ask(event=asked, milliseconds=TIMEOUT_SECONDS * 1000)
        if "error" in told:
            raise Refused(f"{told['error']}: {told['message']}")
        return told["result"]

    def command(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        answered: dict[str, Any] = self.invoke(envelope)
        return answered

    def call(self, command: str, parameters: Mapping[str, Any]) -> tuple[int, Any]:
        told = self.invoke({"alien": {"kind": "invoke", "command": command, "parameters": parameters, "id": "call_1"}})
        return told["status"], told.get("body")

    def message(self, body: str, *, attempt: int = 1) -> bool:
        asked = event("aws", "message")
        record = asked["Records"][0]
        record["body"] = body
        record["attributes"]["ApproximateReceiveCount"] = str(attempt)
        told = self.invoke(asked)
        assert told in ({"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]})
        return not told["batchItemFailures"]

    def schedule(self) -> bool:
        return self._is_done(event("aws", "schedule"))

    def created(self) -> bool:
        return self._is_done(event("aws", "created"))

    def _is_done(self, asked: Any) -> bool:
        return comes_to(self.invoke, asked)

    def web(self) -> Answer:
        told = self.invoke(event("aws", "http"))
        headers = [*told["headers"].items(), *(("set-cookie", each) for each in told["cookies"])]
        return Answer(told["statusCode"], headers, told["body"])

    def forged(self) -> list[str]:
        queue, created = event("aws", "message"), event("aws", "created")
        queue["Records"][0]["eventSourceARN"] = "arn:aws:sqs:eu-central-1:666666666666:acme-x1y2z3-jobs"
        created["detail"]["bucket"]["name"] = "somebody-elses"
        schedule = event("aws", "schedule")
        schedule["alien"]["cron"] = "* * * * *"
        asked: list[Any] = [queue, created, schedule, {}, [], {"alien": {"kind": "eval"}}]
        found = [self._refusal(each) for each in asked]
        web = event("aws", "http")
        web["rawPath"], web["body"] = "/_alien/commands", json.dumps({"protocol": "arc.v1"})
        web["isBase64Encoded"] = False
        return [*found, f"http {self.invoke(web)['statusCode']}"]

    def _refusal(self, asked: Any) -> str:
        try:
            return f"taken: {self.invoke(asked)}"
        except Refused as error:
            return str(error)

    @property
    def log(self) -> str:
        return self._running.log.read_text()

    def notes(self) -> list[dict[str, Any]]:
        return notes(self._folder)


@contextmanager
def on_aws(package: Package, folder: Path, triggers: Triggers = TRIGGERS) -> Iterator[Lambda]:
    """A Lambda function."""
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/acme-x1y2z3-jobs"
    bindings = {"jobs": SqsQueue(queue_url=url), "files": S3Storage(bucket_name="acme-x1y2z3-files")}
    env = common("aws", folder, {name: told.dump() for name, told in bindings.items()}, triggers) | {
        "LAMBDA_TASK_ROOT": str(package.folder),
        "_HANDLER": "alien_iac.runtime.aws_lambda.handler",
        "AWS_REGION": "eu-central-1",
    }
    with child([str(package.python), str(CHILDREN / "lambda_client.py")], env, folder) as running:
        yield Lambda(running, folder)


class Google:
    """Who signs tokens, and its certificate."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tokens")])
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=self._key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now,
            not_valid_after=now + dt.timedelta(days=1),
        )
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def token(self, email: str, **changes: object) -> str:
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims | changes, self._key, algorithm="RS256", headers={"kid": "k1"})


class CloudRun:
    """Over HTTP, with tokens."""

    def __init__(self, http: httpx.Client, log: Path, folder: Path, google: Google) -> None:
        self._http = http
        self._log = log
        self._folder = folder
        self._google = google

    def get(self, path: str, *, who: str = CALLER) -> httpx.Response:
        return self._http.get(path, headers={"authorization": f"Bearer {self._google.token(who)}"} if who else {})

    def post(self, path: str, body: Any, *, who: str = CALLER, **headers: str) -> httpx.Response:
        shown = {"authorization": f"Bearer {self._google.token(who)}"} if who else {}
        return self._http.post(path, json=body, headers={**shown, **headers})

    def command(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        answered = self.post("/_alien/commands", envelope)
        if answered.status_code != httpx.codes.OK:
            raise Refused(answered.text)
        told: dict[str, Any] = answered.json()
        return told

    def call(self, command: str, parameters: Mapping[str, Any]) -> tuple[int, Any]:
        answered = self.post("/_alien/invoke", {"command": command, "parameters": parameters, "id": "call_1"})
        return answered.status_code, answered.json()

    def message(self, body: str, *, attempt: int = 1) -> bool:
        asked = event("gcp", "message")
        asked["message"]["data"] = base64.b64encode(body.encode()).decode()
        asked["deliveryAttempt"] = attempt
        return self._is_done(self.post("/_alien/queues/jobs", asked, who=STARTER))

    def schedule(self) -> bool:
        asked = event("gcp", "schedule")
        return self._is_done(self.post("/_alien/schedules", asked["body"], who=STARTER, **asked["headers"]))

    def created(self) -> bool:
        return self._is_done(self.post("/_alien/storages/files", event("gcp", "created"), who=STARTER))

    def _is_done(self, answered: httpx.Response) -> bool:
        assert answered.status_code in {204, 503}, answered.text
        return answered.is_success

    def web(self) -> Answer:
        answered = self._http.post("/orders/a%20b?page=2&tag=x%2By", content="hello")
        return Answer(answered.status_code, answered.headers.multi_items(), answered.text)

    def forged(self) -> list[str]:
        message = event("gcp", "message")
        other = Google()
        tokens = {
            "none": "none",
            "another key": other.token(STARTER),
            "another audience": self._google.token(STARTER, aud="https://example.com"),
            "another issuer": self._google.token(STARTER, iss="https://example.com"),
            "over": self._google.token(STARTER, iat=1, exp=2),
            "not verified": self._google.token(STARTER, email_verified=False),
            "unsigned": self._google.token(STARTER).rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE",
        }
        found = [
            self._http.post("/_alien/queues/jobs", json=message, headers={"authorization": f"Bearer {token}"}).text
            for token in tokens.values()
        ]
        found.append(self.post("/_alien/queues/jobs", message, who=STRANGER).text)
        found.append(self.post("/_alien/queues/others", message, who=STARTER).text)
        asked = event("gcp", "schedule")
        found.append(
            self.post("/_alien/schedules", asked["body"] | {"cron": "* * * * *"}, who=STARTER, **asked["headers"]).text
        )
        notice = event("gcp", "created")
        notice["message"]["attributes"]["eventType"] = "OBJECT_DELETE"
        found.append(self.post("/_alien/storages/files", notice, who=STARTER).text)
        return [f"{told['code']}: {told['message']}" for told in map(json.loads, found)]

    @property
    def log(self) -> str:
        return self._log.read_text()

    def notes(self) -> list[dict[str, Any]]:
        return notes(self._folder)


@contextmanager
def on_gcp(package: Package, folder: Path, triggers: Triggers = TRIGGERS) -> Iterator[CloudRun]:
    """A public Cloud Run service, which asks for tokens itself."""
    google = Google()
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"k1": google.certificate}))
    topic, subscription = (f"projects/acme-prod/{kind}/acme-x1y2z3-jobs" for kind in ("topics", "subscriptions"))
    bindings = {
        "jobs": PubsubQueue(topic=topic, subscription=subscription),
        "files": GcsStorage(bucket_name="acme-x1y2z3-files"),
    }
    env = common("gcp", folder, {name: told.dump() for name, told in bindings.items()}, triggers) | {
        cloud_run.CALLERS: json.dumps([CALLER, STARTER]),
        cloud_run.AUDIENCE: AUDIENCE,
        "PORT": "0",
        "PYTHONPATH": str(package.folder / ".python"),
    }
    command = [str(package.python), str(CHILDREN / "cloud_run_process.py"), str(package.folder), str(keys)]
    with (
        process(command, env, folder) as (url, log),
        httpx.Client(base_url=url, timeout=30, trust_env=False) as http,
    ):
        yield CloudRun(http, log, folder, google)


@contextmanager
def process(command: list[str], env: Mapping[str, str], folder: Path) -> Iterator[tuple[str, Path]]:
    """A process that says in its log on which port it is ready."""
    log = folder / f"log-{time.monotonic_ns()}"
    with log.open("w") as out:
        running = subprocess.Popen(command, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)

    def port() -> str | None:
        assert running.poll() is None, log.read_text()
        found = re.findall(r" ready .*port=(\d+)", log.read_text())
        return found[-1] if found else None

    try:
        yield f"http://127.0.0.1:{eventually(port)}", log
    finally:
        running.terminate()
        running.wait(20)


class Functions:
    """Through the host's Python worker."""

    def __init__(self, running: Child, folder: Path) -> None:
        self._running = running
        self._folder = folder
        self.indexed: dict[str, Any] = running.read()

    def run(self, function: str, asked: Any) -> Any:
        told = self._running.ask(function=function, event=asked)
        if "error" in told:
            raise Refused(f"{told['error']}: {told['message']}")
        return told["result"]

    def http(self, path: str, body: Any, **headers: str) -> Answer:
        url = f"https://acme-x1y2z3-worker.azurewebsites.net{path}"
        asked = {"method": "POST", "url": url, "headers": headers, "body": json.dumps(body)}
        told = self.run("http", asked)
        return Answer(told["status"], [(key, value) for key, value in told["headers"]], told["body"])

    def command(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        answered = self.http("/_alien/commands", envelope, **{azure_functions.PRINCIPAL: "agents-id"})
        if answered.status != httpx.codes.OK:
            raise Refused(answered.body)
        told: dict[str, Any] = json.loads(answered.body)
        return told

    def call(self, command: str, parameters: Mapping[str, Any]) -> tuple[int, Any]:
        body = {"command": command, "parameters": parameters, "id": "call_1"}
        answered = self.http("/_alien/invoke", body, **{azure_functions.PRINCIPAL: "callers-id"})
        return answered.status, json.loads(answered.body)

    def message(self, body: str, *, attempt: int = 1) -> bool:
        asked = event("azure", "message")
        asked["body"] = body
        asked["metadata"]["DeliveryCount"] = attempt
        return self._is_done("queue-jobs", asked)

    def schedule(self) -> bool:
        asked = event("azure", "schedule")
        # A timer tells when it woke before, and never for which instant it wakes: that is its present.
        asked["ScheduleStatus"]["Last"] = _a_week_before_the_last_monday().isoformat()
        return self._is_done("schedule-0", asked)

    def created(self) -> bool:
        return self._is_done("created-files", event("azure", "created"))

    def _is_done(self, function: str, asked: Any) -> bool:
        return comes_to(partial(self.run, function), asked)

    def web(self) -> Answer:
        told = self.run("http", event("azure", "http"))
        return Answer(told["status"], [(key, value) for key, value in told["headers"]], told["body"])

    def forged(self) -> list[str]:
        notice = event("azure", "created")
        notice["body"]["subject"] = notice["body"]["subject"].replace("/files/", "/others/")
        other = event("azure", "created")
        other["body"]["type"] = "Microsoft.Storage.BlobDeleted"
        found = []
        for asked in (notice, other):
            try:
                found.append(f"taken: {self.run('created-files', asked)}")
            except Refused as error:
                found.append(str(error))
        told = json.loads(self.http("/_alien/commands", {"protocol": "arc.v1"}).body)
        return [*found, f"{told['code']}: {told['message']}"]

    @property
    def log(self) -> str:
        return self._running.log.read_text()

    def notes(self) -> list[dict[str, Any]]:
        return notes(self._folder)


def _a_week_before_the_last_monday() -> dt.datetime:
    """Between this and now there is one Monday at three."""
    now = dt.datetime.now(dt.UTC)
    monday = (now - dt.timedelta(days=now.weekday())).replace(hour=3, minute=0, second=0, microsecond=0)
    last = monday if monday <= now else monday - dt.timedelta(days=7)
    return last - dt.timedelta(days=7)


@contextmanager
def on_azure(package: Package, folder: Path, triggers: Triggers = TRIGGERS) -> Iterator[Functions]:
    """An app on Flex Consumption."""
    bindings = {
        "jobs": ServiceBusQueue(namespace="acme-x1y2z3-bus", queue_name="acme-x1y2z3-jobs"),
        "files": BlobStorage(account_name="acmex1y2z3files", container_name="files"),
    }
    env = common("azure", folder, {name: told.dump() for name, told in bindings.items()}, triggers) | {
        azure_functions.CREATED_QUEUES: json.dumps({"files": "acme-x1y2z3-worker-files"}),
        azure_functions.CALLED: "true",
        azure_functions.timer_name(0): "0 0 3 * * 1",
        "HOME_SITE": str(package.folder),
    }
    with child([str(package.python), str(CHILDREN / "functions_worker.py")], env, folder) as running:
        yield Functions(running, folder)
