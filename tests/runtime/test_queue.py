"""Queue, on every platform."""

import asyncio
import time
from collections.abc import Callable

import pydantic
import pytest
from runtime.conformance import Platform

from alien_iac.errors import Conflict, InvalidInput, Unauthorized, Unavailable
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime import queue
from alien_iac.runtime.stores.local_queue import BrokerQueue
from alien_iac.runtime.stores.queue import SyncQueue

Link = Callable[[dict[str, str]], None]


class Job(pydantic.BaseModel):
    key: str


async def test_what_is_sent_is_received(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs"))
    jobs = queue("jobs")
    sent: list[object] = [{"a": [1, None, "é"]}, "text in JSON", 7, None, True]
    for value in sent:
        await jobs.send(value)
    await jobs.send(Job(key="k"))
    await jobs.send_text("plain ☃")
    jobs.sync.send(b"bytes as text")
    received = [*await jobs.receive(5), *await jobs.receive(5)]
    by_type = [(message.payload_type, message.payload) for message in received]
    expected = [("json", value) for value in [*sent, {"key": "k"}]]
    assert by_type == [*expected, ("text", "plain ☃"), ("json", "bytes as text")]
    assert {message.attempt for message in received} == {1}
    assert len({message.id for message in received}) == len(received)
    for message in received:
        await jobs.ack(message)
    assert await jobs.receive(10) == []


async def test_batches(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs"))
    jobs = queue("jobs")
    results = await jobs.send_batch(range(12))
    assert [result.status for result in results] == ["sent"] * 12
    assert await jobs.send_batch([]) == []
    assert len(await jobs.receive(10)) == 10
    assert len(await jobs.receive(10)) == 2


async def test_nack_renew_and_visibility(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs", visibility=1))
    jobs = queue("jobs")
    await jobs.send("a")
    (first,) = await jobs.receive()
    assert await jobs.receive() == []
    await jobs.nack(first)
    (second,) = await jobs.receive()
    assert (second.attempt, second.id) == (2, first.id)
    with pytest.raises(Conflict):
        await jobs.ack(first)
    await jobs.renew(second, 3)
    await asyncio.sleep(1.2)
    assert await jobs.receive() == []
    await jobs.renew(second, 1)
    (third,) = await jobs.receive(wait_seconds=5)
    assert third.attempt == 3
    with pytest.raises(Conflict):
        await jobs.renew(second, 10)
    await jobs.ack(third)


async def test_a_waiting_receive_wakes_at_once(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs"))
    jobs = queue("jobs")
    took: list[float] = []
    for _ in range(5):
        waiting = asyncio.create_task(jobs.receive(wait_seconds=10))
        await asyncio.sleep(0.2)
        sent = time.monotonic()
        await jobs.send("a")
        (message,) = await waiting
        took.append(time.monotonic() - sent)
        await jobs.ack(message)
    assert min(took) < 0.3


async def test_limits(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs"))
    jobs = queue("jobs")
    await jobs.send_text("x" * 65_536)
    with pytest.raises(InvalidInput, match="65537"):
        await jobs.send_text("x" * 65_537)
    with pytest.raises(InvalidInput, match="no JSON form"):
        await jobs.send(object())
    with pytest.raises(InvalidInput, match="1 to 10"):
        await jobs.receive(11)
    (message,) = await jobs.receive()
    with pytest.raises(InvalidInput, match="1 to 600"):
        await jobs.renew(message, 601)


async def test_purge(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs"))
    jobs = queue("jobs")
    await jobs.send_batch(["a", "b"])
    (message,) = await jobs.receive()
    await jobs.purge()
    assert await jobs.receive() == []
    with pytest.raises(Conflict):
        await jobs.ack(message)


async def test_receivers_at_once_never_share_a_message(platform: Platform, linked: Link) -> None:
    linked(platform.queue("jobs"))
    jobs = queue("jobs")
    await jobs.send_batch(range(60))

    async def drain() -> list[object]:
        found: list[object] = []
        while batch := await jobs.receive(3):
            found += [message.payload for message in batch]
        return found

    parts = await asyncio.gather(*(drain() for _ in range(5)))
    assert sorted(n for part in parts for n in part if isinstance(n, int)) == list(range(60))


async def test_a_wrong_token(platform: Platform, linked: Link) -> None:
    good = platform.queue("jobs")
    linked({name: value.replace("token-jobs", "hunter2") for name, value in good.items()})
    with pytest.raises(Unauthorized) as caught:
        await queue("jobs").send("a")
    assert "hunter2" not in str(caught.value)


def test_a_broker_that_is_away() -> None:
    binding = LocalQueue(endpoint="http://127.0.0.1:9/q", token="hunter2")
    jobs = SyncQueue("jobs", lambda: BrokerQueue(binding, "jobs", connect_tries=2))
    with pytest.raises(Unavailable, match="ConnectError") as caught:
        jobs.send("a")
    assert "hunter2" not in str(caught.value)
