"""Telemetry at the agent: taken at the customer's level, kept over kills and outages, passed on, counted where lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent.agent_control import DEPLOYMENT
from hypothesis import given, settings
from hypothesis import strategies as st
from otlp.otlp_samples import SECRET, made

from alien_iac.agent import say
from alien_iac.agent.beats import Beats
from alien_iac.agent.forwarding import Forwarder
from alien_iac.agent.gateway import Gateway
from alien_iac.agent.loopback import Loopback
from alien_iac.agent.mailbox import Mailbox
from alien_iac.agent.outbox import KNOWN_S, MOST_AGE_S, Arrival, Outbox
from alien_iac.agent.tails import Tails
from alien_iac.errors import InvalidInput, Unavailable
from alien_iac.protocol.local import Layout
from alien_iac.protocol.telemetry import otlp, stamp
from alien_iac.protocol.telemetry.levels import LEVELS, SIGNALS, Level, Signal, carries

MINE = {"authorization": "Bearer token-of-api", "alien-workload": "api", "content-type": otlp.PROTOBUF}


class Customer:
    """Whose level may change at any time."""

    def __init__(self, level: Level = "events") -> None:
        self.level: Level = level

    def __call__(self) -> Level:
        return self.level


class Carrier:
    """A control plane: `down` and `refuses` are what it is asked to be."""

    def __init__(self) -> None:
        self.down = self.refuses = False
        self.taken: dict[str, tuple[Signal, bytes]] = {}

    async def telemetry(self, signal: Signal, body: bytes, batch: str) -> None:
        if self.down:
            raise Unavailable("away")
        if self.refuses:
            raise InvalidInput("no")
        self.taken[batch or f"losses-{len(self.taken)}"] = (signal, body)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "telemetry.sqlite")
    yield opened
    opened.close()


class Server:
    def __init__(self, folder: Path, outbox: Outbox, customer: Customer) -> None:
        for name in ("api", "index"):
            (folder / name).write_text(f"token-of-{name}\n")
        self.outbox, self.customer = outbox, customer
        gateway = Gateway(outbox, customer)
        app = Loopback(DEPLOYMENT, lambda name: folder / name, Beats(), Mailbox(), gateway).app()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agent")

    async def send(self, signal: str, body: bytes | None = None, **headers: Any) -> httpx.Response:
        given = {**MINE, **{key.replace("_", "-"): value for key, value in headers.items()}}
        content = otlp.written(made(signal)) if body is None and signal in SIGNALS else body
        return await self.http.post(f"/v1/{signal}", content=content, headers=given)


@pytest.fixture
async def server(tmp_path: Path, outbox: Outbox) -> AsyncIterator[Server]:
    server = Server(tmp_path, outbox, Customer())
    yield server
    await server.http.aclose()


@pytest.mark.parametrize("level", LEVELS)
async def test_any_image_may_send_and_the_customers_level_holds(server: Server, level: Level) -> None:
    server.customer.level = level
    for signal in SIGNALS:
        answer = await server.send(signal)
        assert (answer.status_code, answer.headers["alien-telemetry-level"]) == (200, level)
        parcel = server.outbox.oldest()
        assert bool(parcel) is carries(level, signal)
        if parcel:
            assert (SECRET.encode() in parcel.body) is (level == "full")
            request = otlp.read(signal, parcel.body, otlp.PROTOBUF)
            assert stamp.fact(otlp.groups(request)[0].resource.attributes, "alien.workload") == "api"
            server.outbox.done(parcel)


async def test_whoever_is_not_that_workload_is_refused(server: Server) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"authorization": "Bearer x"},
        {"alien_workload": "index"},
        {"alien_workload": "../api"},
    )
    for headers in wrong:
        assert (await server.send("logs", **headers)).status_code == 401
    assert (await server.send("secrets", b"")).status_code == 404
    assert (await server.send("logs", b"\xff\xff")).status_code == 400
    assert (await server.send("logs", bytes(4 << 20))).status_code == 400
    assert server.outbox.oldest() is None


async def test_a_batch_that_comes_again_is_kept_once(server: Server) -> None:
    for _ in range(3):
        await server.send("logs", alien_batch="b1")
    first = server.outbox.oldest()
    assert first
    server.outbox.done(first)
    assert server.outbox.oldest() is None


def forwarder(outbox: Outbox, customer: Customer, carrier: Carrier) -> Forwarder:
    arrived = asyncio.Event()
    arrived.set()
    return Forwarder(outbox, customer, carrier, arrived)


async def once(found: Forwarder) -> None:
    """One round, without the wait for more."""
    try:
        async with asyncio.timeout(1):
            await found.once()
    except TimeoutError:
        return


async def test_what_waits_is_passed_on_in_its_order_once_the_control_plane_is_back(server: Server) -> None:
    carrier = Carrier()
    carrier.down = True
    passing = forwarder(server.outbox, server.customer, carrier)
    for signal in ("logs", "traces", "metrics"):
        await server.send(signal)
    with pytest.raises(Unavailable):
        await passing.once()
    carrier.down = False
    await once(passing)
    assert [signal for signal, _ in carrier.taken.values()] == ["logs", "traces", "metrics"]
    assert server.outbox.oldest() is None
    assert server.outbox.losses() == []


async def test_a_level_that_was_turned_down_meanwhile_holds_for_what_waits(server: Server) -> None:
    carrier = Carrier()
    server.customer.level = "full"
    for signal in SIGNALS:
        await server.send(signal)
    server.customer.level = "metrics"
    await once(forwarder(server.outbox, server.customer, carrier))
    assert [signal for signal, _ in carrier.taken.values()] == ["metrics"]
    assert all(SECRET.encode() not in body for _, body in carrier.taken.values())
    assert server.outbox.losses() == [("logs", "level", 2), ("traces", "level", 1)]


async def test_what_is_refused_is_counted_and_told(server: Server) -> None:
    carrier = Carrier()
    carrier.refuses = True
    await server.send("logs")
    passing = forwarder(server.outbox, server.customer, carrier)
    await once(passing)
    assert server.outbox.losses() == [("logs", "refused", 2)]
    carrier.refuses = False
    await once(passing)
    ((signal, body),) = carrier.taken.values()
    request = otlp.read(signal, body, otlp.PROTOBUF)
    assert "alien.telemetry.lost" in str(request)
    server.customer.level = "off"
    await once(forwarder(server.outbox, server.customer, carrier))
    assert len(carrier.taken) == 1


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 400), max_size=30), lost=st.integers(0, 3))
def test_every_item_is_delivered_or_counted(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], lost: int
) -> None:
    path = tmp_path_factory.mktemp("outbox") / "telemetry.sqlite"
    now = [0.0]
    outbox, delivered = Outbox(path, most_bytes=1_000, clock=lambda: now[0]), 0
    for number, size in enumerate(sizes):
        outbox.put(Arrival(signal="logs", level="events", items=1, body=b"x" * size))
        now[0] += MOST_AGE_S / 20
        if number % 7 == 5:
            outbox.close()
            outbox = Outbox(path, most_bytes=1_000, clock=lambda: now[0])
        if number % 5 == lost and (parcel := outbox.oldest()):
            outbox.done(parcel)
            delivered += parcel.items
    waiting = 0
    while parcel := outbox.oldest():
        outbox.done(parcel)
        waiting += parcel.items
    assert delivered + waiting + sum(items for _, _, items in outbox.losses()) == len(sizes)
    outbox.close()


def test_known_batches_are_forgotten(tmp_path: Path) -> None:
    now = [0.0]
    outbox = Outbox(tmp_path / "o.sqlite", clock=lambda: now[0])
    for _ in range(2):
        outbox.put(Arrival(signal="logs", level="events", items=1, body=b"x", batch="b"))
        now[0] += KNOWN_S + 1
    assert outbox.oldest()
    outbox.done(outbox.oldest())  # type: ignore[arg-type] # it was just seen
    assert outbox.oldest()
    outbox.close()


@pytest.mark.parametrize(
    ("mine", "vendors", "level"),
    [("full", "events", "events"), ("events", "full", "events"), ("off", "full", "off"), ("full", "full", "full")],
)
def test_the_vendor_can_only_be_stricter(mine: Level, vendors: Level, level: Level) -> None:
    assert say.telemetry(say.Say(telemetry=mine), say.vendor_say({"agent:telemetry": vendors})) == level


class Printed:
    """A workload's log file, and what became of its lines."""

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        self.file = Layout(folder).workload("api") / "log" / "output.log"
        self.file.parent.mkdir(parents=True)
        self.outbox, self.customer = outbox, Customer("full")
        self.tails = Tails(folder, outbox, self.customer)

    def write(self, *lines: str) -> None:
        with self.file.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def taken(self) -> list[dict[str, Any]]:
        self.tails.look(["api", "nobody"])
        found: list[dict[str, Any]] = []
        while parcel := self.outbox.oldest():
            request: Any = otlp.read("logs", parcel.body, otlp.PROTOBUF)
            records = request.resource_logs[0].scope_logs[0].log_records
            found += [
                {
                    "text": record.body.string_value,
                    "severity": record.severity_number,
                    **{each.key: each.value.string_value for each in record.attributes},
                }
                for record in records
            ]
            self.outbox.done(parcel)
        return found


@pytest.fixture
def printed(tmp_path: Path, outbox: Outbox) -> Printed:
    made = Printed(tmp_path / "data", outbox)
    made.write("before the agent looked")
    assert made.taken() == []
    return made


def test_what_a_process_prints_leaves_at_full_redacted(printed: Printed) -> None:
    printed.write("ready", f"password={SECRET}", "", "2026-11-25 10:00:00,000 INFO alien function ready")
    assert [line["text"] for line in printed.taken()] == ["ready", "password=***"]
    assert printed.taken() == []


def test_lines_of_json_keep_their_structure(printed: Printed) -> None:
    told = {"level": "error", "template": "user {id} failed", "message": "user 7 failed", "id": 7, "token": SECRET}
    printed.write(json.dumps(told), "{broken")
    first, second = printed.taken()
    assert first == {
        "text": "user 7 failed",
        "severity": 17,
        "id": "7",
        "token": "***",
        "alien.template": "user {id} failed",
    }
    assert second["text"] == "{broken"


@pytest.mark.parametrize("level", ["off", "metrics", "events"])
def test_what_was_printed_at_another_level_never_leaves(printed: Printed, level: Level) -> None:
    printed.customer.level = level
    printed.write("not for others")
    assert printed.taken() == []
    printed.customer.level = "full"
    printed.write("for others")
    assert [line["text"] for line in printed.taken()] == ["for others"]


def test_a_rotated_file_is_read_to_its_end_and_a_lost_one_is_counted(printed: Printed) -> None:
    printed.write("one")
    assert len(printed.taken()) == 1
    printed.write("two")
    printed.file.rename(printed.file.with_name("output.log.1"))
    printed.write("three")
    assert [line["text"] for line in printed.taken()] == ["two", "three"]
    printed.write("four")
    printed.file.rename(printed.file.with_name("gone"))
    printed.write("five")
    assert [line["text"] for line in printed.taken()] == ["five"]
    assert printed.outbox.losses() == [("logs", "old", 1)]


def test_a_line_without_end_waits_and_one_that_is_too_long_is_cut(printed: Printed) -> None:
    with printed.file.open("a") as file:
        file.write("half")
    assert printed.taken() == []
    with printed.file.open("a") as file:
        file.write(f" whole\n{'x y' * 10_000}\n")
    first, second = printed.taken()
    assert (first["text"], len(second["text"])) == ("half whole", 16_384)


def test_the_file_of_the_outbox_is_private(tmp_path: Path, outbox: Outbox) -> None:
    del outbox
    assert (tmp_path / "telemetry.sqlite").stat().st_mode & 0o777 == 0o600
