"""The queue broker of `local`: its file against a model, its protocol, and what survives a kill."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from runtime.runtime_workload import Machine, Running, queue_binding, rows

from alien_iac.errors import Conflict, Unavailable
from alien_iac.protocol import queue_http as wire
from alien_iac.runtime.broker.file import QueueFile
from alien_iac.runtime.stores.local_queue import BrokerQueue
from alien_iac.runtime.work import Payload


def client(broker: Running, name: str = "jobs") -> BrokerQueue:
    return BrokerQueue(queue_binding(broker, name), name)


def raw(broker: Running, body: object, token: str | None = None, name: str = "jobs") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or 'token-jobs'}"}
    return httpx.post(f"{broker.url}/queues/{name}", json=body, headers=headers, trust_env=False)


def text(value: str) -> Payload:
    return Payload(value, is_json=False)


def test_the_protocol_of_the_public_sdk(machine: Machine) -> None:
    machine.make_queue("jobs")
    broker = machine.broker()
    assert raw(broker, {"operation": "send", "message": {"type": "json", "data": {"a": 1}}}).json() is None
    batch = [{"type": "text", "data": "b"}, {"type": "json", "data": "x" * 70_000}]
    sent = raw(broker, {"operation": "sendBatch", "messages": batch}).json()
    assert [one["status"] for one in sent] == ["sent", "rejected"]
    first, second = raw(broker, {"operation": "receive", "maxMessages": 10}).json()
    assert first["payload"] == {"type": "json", "data": {"a": 1}}
    assert second["payload"] == {"type": "text", "data": "b"}
    assert first["attempt"] == 1
    receipts = [first["receiptHandle"], "gone"]
    renewed = {"operation": "renew", "receipt": receipts[0], "durationSeconds": 60}
    assert raw(broker, renewed).json() is None
    settled = raw(broker, {"operation": "ackBatch", "receipts": receipts}).json()
    assert [one["status"] for one in settled] == ["acknowledged", "failed"]
    assert raw(broker, {"operation": "nack", "receipt": second["receiptHandle"]}).json() is None
    (again,) = raw(broker, {"operation": "receive"}).json()
    assert again["attempt"] == 2
    assert raw(broker, {"operation": "ack", "receipt": again["receiptHandle"]}).json() is None
    assert raw(broker, {"operation": "purge"}).json() is None


def test_refusals_have_a_code_and_no_secret(machine: Machine) -> None:
    machine.make_queue("jobs")
    machine.make_queue("other")
    broker = machine.broker()
    refused = {
        401: raw(broker, {"operation": "receive"}, token="token-other"),
        404: raw(broker, {"operation": "receive"}, name="nothing"),
        400: raw(broker, {"operation": "receive", "maxMessages": 11}),
        409: raw(broker, {"operation": "ack", "receipt": "gone"}),
    }
    for status, answer in refused.items():
        assert answer.status_code == status
        assert {"code", "message", "retryable", "internal"} <= answer.json().keys()
    assert raw(broker, {"operation": "explode"}).status_code == 400
    assert raw(broker, {"operation": "receive"}, name="..%2Fqueues%2Fjobs").status_code == 404
    large = {"operation": "send", "message": {"type": "text", "data": "x" * 65_537}}
    assert raw(broker, large).status_code == 400
    assert "token-" not in broker.text
    assert httpx.get(broker.url + "/health", trust_env=False).json() == {"health": "healthy"}


def test_null_and_what_json_has_no_word_for(machine: Machine) -> None:
    machine.make_queue("jobs")
    broker = machine.broker()
    assert raw(broker, {"operation": "send", "message": {"type": "json", "data": None}}).status_code == 200
    body = b'{"operation": "send", "message": {"type": "json", "data": [NaN]}}'
    headers = {"Authorization": "Bearer token-jobs"}
    assert httpx.post(f"{broker.url}/queues/jobs", content=body, headers=headers, trust_env=False).status_code == 200
    received = raw(broker, {"operation": "receive", "maxMessages": 2}).json()
    assert [one["payload"]["data"] for one in received] == [None, [None]]


def test_dead_letters_and_changed_settings(machine: Machine) -> None:
    path = machine.make_queue("jobs", receives=5)
    broker = machine.broker()
    jobs = client(broker)
    jobs.send(text("poison"))
    for attempt in range(1, 6):
        (message,) = jobs.receive(1, 0)
        assert message.attempt == attempt
        jobs.nack(message.receipt_handle)
    assert jobs.receive(1, 0) == []
    assert rows(path, "SELECT payload, attempts FROM dead_letters") == [("poison", 5)]
    # The plugin changes a queue's settings in place, under a running broker.
    machine.make_queue("jobs", receives=1, visibility=1)
    jobs.send(text("second"))
    assert len(jobs.receive(1, 0)) == 1
    assert jobs.receive(1, 2) == []
    assert len(rows(path, "SELECT * FROM dead_letters")) == 2


def test_kill_and_restart_lose_nothing(machine: Machine) -> None:
    machine.make_queue("jobs", visibility=1)
    broker = machine.broker()
    jobs = client(broker)
    acknowledged: list[str] = []
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            name = str(len(acknowledged))
            try:
                jobs.send(text(name))
            except Unavailable:
                return
            acknowledged.append(name)

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(0.6)
    broker.kill()
    stop.set()
    sender.join()
    assert len(acknowledged) > 5
    again = client(machine.broker())
    found: set[object] = set()
    while batch := again.receive(10, 0):
        for message in batch:
            found.add(message.payload)
            again.ack(message.receipt_handle)
    # One that was on its way may be there as well.
    assert set(acknowledged) <= found
    assert len(found) <= len(acknowledged) + 1


def test_a_client_outlasts_a_restart_on_the_same_port(machine: Machine) -> None:
    machine.make_queue("jobs")
    broker = machine.broker()
    port = int(broker.url.rsplit(":", 1)[1])
    jobs = client(broker)
    assert broker.stop() == 0
    timer = threading.Timer(0.3, lambda: machine.broker(port))
    timer.start()
    jobs.send(text("a"))
    timer.join()
    assert len(jobs.receive(1, 0)) == 1


def test_a_receiver_that_hangs_up_takes_nothing_with_it(machine: Machine) -> None:
    machine.make_queue("jobs")
    broker = machine.broker()
    jobs = client(broker)
    body = {"operation": "receive", "waitSeconds": 20}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{broker.url}/queues/jobs",
            json=body,
            headers={"Authorization": "Bearer token-jobs"},
            trust_env=False,
            timeout=0.5,
        )
    jobs.send(text("a"))
    assert [m.attempt for m in jobs.receive(1, 0)] == [1]


def test_sigterm_ends_waiting_receives(machine: Machine) -> None:
    machine.make_queue("jobs")
    broker = machine.broker()
    answers: list[object] = []
    jobs = client(broker)
    waiting = threading.Thread(target=lambda: answers.append(jobs.receive(1, 20)))
    waiting.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert broker.stop() == 0
    waiting.join()
    assert answers == [[]]
    assert time.monotonic() - started < 4


def test_a_queue_that_is_made_anew_is_another_one(machine: Machine) -> None:
    path = machine.make_queue("jobs")
    broker = machine.broker()
    jobs = client(broker)
    jobs.send(text("old"))
    for file in path.parent.glob("jobs.sqlite*"):
        file.unlink()
    machine.make_queue("jobs")
    assert jobs.receive(1, 0) == []
    jobs.send(text("new"))
    assert [m.payload for m in jobs.receive(10, 0)] == ["new"]


@dataclass
class Message:
    body: str
    sent: int
    visible: int
    attempts: int = 0
    receipt: str | None = None


VISIBILITY, RECEIVES, RETENTION = 30, 5, 600


class QueueModel(RuleBasedStateMachine):
    """A list with times says what the file must do. The clock goes in whole seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        machine = Machine(Path(self.folder.name))
        self.path = machine.make_queue("jobs", visibility=VISIBILITY, receives=RECEIVES, retention=RETENTION)
        self.now = 1_000
        self.file = QueueFile(self.path, clock=lambda: self.now)
        self.waiting: list[Message] = []
        self.dead: list[str] = []
        self.receipts: list[str] = []
        self.sent = 0

    @rule(count=st.integers(1, 3))
    def send(self, count: int) -> None:
        bodies = [f"m{self.sent + number}" for number in range(count)]
        self.sent += count
        self.file.send([text(body) for body in bodies])
        self.waiting += [Message(body, self.now, self.now) for body in bodies]

    @rule(most=st.integers(1, 4))
    def receive(self, most: int) -> None:
        taken = self.file.receive(most)
        self.waiting = [m for m in self.waiting if m.sent > self.now - RETENTION]
        over = [m for m in self.waiting if m.visible <= self.now and m.attempts >= RECEIVES]
        self.dead += [m.body for m in over]
        self.waiting = [m for m in self.waiting if m not in over]
        due = [m for m in self.waiting if m.visible <= self.now][:most]
        assert [(t.payload.text, t.attempt) for t in taken] == [(m.body, m.attempts + 1) for m in due]
        for message, one in zip(due, taken, strict=True):
            message.attempts, message.visible, message.receipt = one.attempt, self.now + VISIBILITY, one.receipt
            self.receipts.append(one.receipt)

    def holder(self, receipt: str) -> Message | None:
        return next((m for m in self.waiting if m.receipt == receipt), None)

    @rule(data=st.data(), what=st.sampled_from(["ack", "nack", "renew"]))
    def settle(self, data: st.DataObject, what: str) -> None:
        receipt = data.draw(st.sampled_from([*self.receipts, "none"]))
        message = self.holder(receipt)
        calls: dict[str, Callable[[], None]] = {
            "ack": partial(self.file.ack, receipt),
            "nack": partial(self.file.nack, receipt),
            "renew": partial(self.file.renew, receipt, 60),
        }
        if message is None or (what == "renew" and message.visible <= self.now):
            with pytest.raises(Conflict):
                calls[what]()
            return
        calls[what]()
        if what == "ack":
            self.waiting.remove(message)
        elif what == "nack":
            message.visible, message.receipt = self.now, None
        else:
            message.visible = self.now + 60

    @rule(seconds=st.sampled_from([1, 10, 31, 200]))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        self.file.close()
        self.file = QueueFile(self.path, clock=lambda: self.now)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert [
            body for (body,) in rows(self.path, "SELECT payload FROM dead_letters ORDER BY dead_at, id")
        ] == self.dead
        found = rows(self.path, "SELECT payload, attempts FROM messages ORDER BY id")
        assert found == [(m.body, m.attempts) for m in self.waiting]

    def teardown(self) -> None:
        self.file.close()
        self.folder.cleanup()


TestQueueModel = QueueModel.TestCase
TestQueueModel.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


@pytest.fixture
def file(machine: Machine) -> Iterator[QueueFile]:
    opened = QueueFile(machine.make_queue("jobs"))
    yield opened
    opened.close()


def test_two_processes_on_one_file_share_it(machine: Machine, file: QueueFile) -> None:
    """As when a broker starts while the last one still ends."""
    other = QueueFile(machine.queues / "jobs.sqlite")
    file.send([text(str(number)) for number in range(20)])
    taken: list[str] = []

    def take(queue: QueueFile) -> None:
        for _ in range(10):
            taken.extend(one.payload.text for one in queue.receive(1))

    threads = [threading.Thread(target=take, args=(queue,)) for queue in (file, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sorted(taken, key=int) == [str(number) for number in range(20)]


def test_a_file_that_the_plugin_did_not_make(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        QueueFile(tmp_path / "none.sqlite")
    assert wire.RECEIVED.validate_json(b"[]") == []
