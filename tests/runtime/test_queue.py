"""Queue, on every platform."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import pydantic
import pytest
from runtime.conformance import Env, MakesQueue

from alien_iac.errors import Conflict, InvalidInput
from alien_iac.runtime import queue
from alien_iac.runtime.stores.queue import Queue, QueueMessage

Link = Callable[[Env], None]


class Job(pydantic.BaseModel):
    key: str


async def taken(jobs: Queue, count: int, seconds: float = 20) -> list[QueueMessage]:
    """So many messages, whatever part of them a platform gives at once."""
    found: list[QueueMessage] = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found += await jobs.receive(min(10, count - len(found)), wait_seconds=1)
    assert len(found) == count
    return found


async def test_what_is_sent_is_received(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
    jobs = queue("jobs")
    sent: list[object] = [{"a": [1, None, "é"]}, "text in JSON", 7, None, True, "\ufffe\x00\x1f", {"key": "\n"}]
    for value in sent:
        await jobs.send(value)
    await jobs.send(Job(key="k"))
    for text in ("plain ☃", "7", '{"a": 1}', " ", "a\nb\tc"):
        await jobs.send_text(text)
    jobs.sync.send(b"bytes as text")
    received = await taken(jobs, len(sent) + 7)
    by_type = [(message.payload_type, message.payload) for message in received]
    expected = [("json", value) for value in [*sent, {"key": "k"}, "bytes as text"]]
    expected += [("text", text) for text in ("plain ☃", "7", '{"a": 1}', " ", "a\nb\tc")]
    assert sorted(by_type, key=repr) == sorted(expected, key=repr)
    assert {message.attempt for message in received} == {1}
    assert len({message.id for message in received}) == len(received)
    for message in received:
        await jobs.ack(message)
    assert await jobs.receive(10) == []


async def test_batches(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
    jobs = queue("jobs")
    results = await jobs.send_batch([*range(22), Job(key="k")])
    assert [result.status for result in results] == ["sent"] * 23
    assert await jobs.send_batch([]) == []
    received = await taken(jobs, 23)
    assert sorted((message.payload for message in received), key=repr) == sorted([*range(22), {"key": "k"}], key=repr)


async def test_a_batch_of_large_messages(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
    jobs = queue("jobs")
    values = [str(number) * 65_534 for number in range(6)]
    assert [result.status for result in await jobs.send_batch(values)] == ["sent"] * 6
    assert sorted(str(message.payload) for message in await taken(jobs, 6)) == values


async def test_nack_renew_and_visibility(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs", visibility=2))
    jobs = queue("jobs")
    await jobs.send("a")
    (first,) = await taken(jobs, 1)
    assert await jobs.receive() == []
    await jobs.nack(first)
    (second,) = await taken(jobs, 1)
    assert (second.attempt, second.id) == (2, first.id)
    await jobs.renew(second, 4)
    await asyncio.sleep(2.3)
    assert await jobs.receive() == []
    await jobs.renew(second, 1)
    (third,) = await taken(jobs, 1)
    assert third.attempt == 3
    await jobs.renew(third, 1)
    await jobs.ack(third)
    await asyncio.sleep(1.1)
    assert await jobs.receive() == []


async def test_a_stale_receipt_removes_nothing(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs", visibility=1))
    jobs = queue("jobs")
    await jobs.send("a")
    (first,) = await taken(jobs, 1)
    (second,) = await taken(jobs, 1)
    with contextlib.suppress(Conflict):  # not every platform can tell
        await jobs.ack(first)
    (third,) = await taken(jobs, 1)
    assert third.id == second.id
    await jobs.ack(third)


async def test_a_message_that_is_never_acknowledged_ends(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs", receives=2))
    jobs = queue("jobs")
    await jobs.send("poison")
    for attempt in (1, 2):
        (message,) = await taken(jobs, 1)
        assert message.attempt == attempt
        await jobs.nack(message)
    assert await jobs.receive(wait_seconds=1) == []


async def test_a_waiting_receive_wakes_at_once(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
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
    assert min(took) < 1


async def test_limits(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
    jobs = queue("jobs")
    await jobs.send_text("x" * 65_536)
    with pytest.raises(InvalidInput, match="65537"):
        await jobs.send_text("x" * 65_537)
    with pytest.raises(InvalidInput, match="empty"):
        await jobs.send_text("")
    for text in ("\0", "\x1b[0m", "\ufffe", "\ud800"):
        with pytest.raises(InvalidInput, match="character"):
            await jobs.send_text(text)
    with pytest.raises(InvalidInput, match="no JSON form"):
        await jobs.send(object())
    with pytest.raises(InvalidInput, match="1 to 10"):
        await jobs.receive(11)
    (message,) = await taken(jobs, 1)
    with pytest.raises(InvalidInput, match="1 to 600"):
        await jobs.renew(message, 601)


async def test_purge(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
    jobs = queue("jobs")
    await jobs.send_batch(["a", "b"])
    await taken(jobs, 1)
    await jobs.purge()
    assert await jobs.receive() == []


async def test_receivers_at_once_never_share_a_message(queue_platform: MakesQueue, linked: Link) -> None:
    linked(queue_platform.queue("jobs"))
    jobs = queue("jobs")
    await jobs.send_batch(range(40))
    found: list[object] = []

    async def drain() -> None:
        while len(found) < 40:
            found.extend(message.payload for message in await jobs.receive(3))

    await asyncio.wait_for(asyncio.gather(*(drain() for _ in range(4))), 30)
    assert sorted(n for n in found if isinstance(n, int)) == list(range(40))
