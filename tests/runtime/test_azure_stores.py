"""What is special to the stores on Azure: layouts, refusals, how URLs are signed, what expired, and who holds what."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.data.tables import TableClient
from azure.servicebus import ServiceBusReceivedMessage, ServiceBusReceiver
from azure.servicebus.exceptions import MessageLockLostError
from runtime import azure_doubles, azurite, stores_azure
from runtime.conformance import Env
from runtime.emulators import Emulators
from runtime.stores_azure import AzureStores

from alien_iac.errors import BindingInvalid, Conflict, InvalidInput, NotFound, Unauthorized, Unavailable
from alien_iac.runtime import kv, queue, secret, storage
from alien_iac.runtime.stores.azure_errors import translated
from alien_iac.runtime.stores.azure_identity import credential
from alien_iac.runtime.stores.azure_queue import ENDPOINTS
from alien_iac.runtime.stores.azure_receivers import Receivers
from alien_iac.runtime.stores.azure_signing import signed_query
from alien_iac.runtime.stores.azure_storage import ContainerPlace
from alien_iac.runtime.stores.azure_sweep import EVERY_SECONDS, MOST, Sweep
from alien_iac.runtime.stores.buckets import bucket

Link = Callable[[Env], None]


@pytest.fixture
def stores(emulators: Emulators) -> AzureStores:
    return AzureStores(emulators.get(stores_azure.azure))


def table(env: Env) -> TableClient:
    """The table of a binding, by the SDK itself, with the environment's identity."""
    name = json.loads(env["ALIEN_SESSIONS_BINDING"])["tableName"]
    return TableClient(f"https://{azurite.ACCOUNT}.table.core.windows.net", name, credential=credential())


def test_an_items_entity(stores: AzureStores, linked: Link) -> None:
    env = stores.kv("sessions")
    linked(env)
    before = datetime.now(UTC)
    kv("sessions").sync.put("user:7", b"hi\n", ttl_seconds=60)
    with table(env) as raw:
        (entity,) = raw.list_entities()
        assert (entity["PartitionKey"], entity["RowKey"]) == (f"p{bucket('user:7')}", "user:7")
        assert set(entity) == {"PartitionKey", "RowKey", "Value", "CreatedAt", "ExpiresAt"}
        assert entity["Value"] == "aGkK"
        lives = datetime.fromisoformat(entity["ExpiresAt"]) - datetime.fromisoformat(entity["CreatedAt"])
        assert lives == timedelta(seconds=60)
        assert datetime.fromisoformat(entity["CreatedAt"]) >= before
        # Times as another program writes them: with nine digits.
        raw.upsert_entity({**entity, "ExpiresAt": "2020-01-01T00:00:00.123456789+00:00"})
        assert kv("sessions").sync.get("user:7") is None
        raw.upsert_entity({**entity, "ExpiresAt": "2999-01-01T00:00:00.123456789Z"})
        assert kv("sessions").sync.exists("user:7")


def test_what_expired_is_swept(stores: AzureStores, linked: Link) -> None:
    env = stores.kv("sessions")
    linked(env)
    sessions, now, ticks = kv("sessions").sync, datetime.now(UTC), [0.0]
    keys = [f"k{number}" for number in range(400)]
    many = [key for key in keys if bucket(key) == 3][: MOST + 2]
    for key in many:
        sessions.put(key, b"", ttl_seconds=50)
    sessions.put("stays", b"")
    with table(env) as raw:
        sweep = Sweep(raw, lambda: now + timedelta(seconds=60), lambda: ticks[0])
        removed = []
        for _ in range(33):
            removed += [sweep.turn(), sweep.turn()]  # the second is not its turn
            ticks[0] += EVERY_SECONDS
        assert max(removed) <= MOST
        assert sum(removed) == len(many)
        assert [entity["RowKey"] for entity in raw.list_entities()] == ["stays"]


def test_a_table_or_a_container_that_is_not_there(stores: AzureStores, linked: Link) -> None:
    env = stores.kv("sessions")
    linked(env)
    with table(env) as raw:
        raw.delete_table()
    for attempt in (kv("sessions").sync.get, kv("sessions").sync.delete):
        with pytest.raises(NotFound, match='kv "sessions"'):
            attempt("a")
    with pytest.raises(NotFound):
        kv("sessions").sync.put("a", b"", if_absent=True)


def test_no_identity(stores: AzureStores, linked: Link) -> None:
    linked({**stores.kv("sessions"), **stores.secret("crm"), "IDENTITY_HEADER": "hunter2"})
    sessions = kv("sessions").sync
    for ask in (sessions.scan, secret("crm").sync.get):
        with pytest.raises(Unauthorized, match="managed identity") as caught:
            ask()
        assert "hunter2" not in str(caught.value)


def test_azure_that_does_not_answer() -> None:
    with pytest.raises(Unavailable, match="ServiceRequestError") as caught, translated('kv "sessions"'):
        raise ServiceRequestError("hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["a.", "a./b", "back\\slash", "/".join("a" * 255)])
def test_keys_that_azure_does_not_keep(key: str) -> None:
    place = ContainerPlace(SimpleNamespace(), SimpleNamespace)  # type: ignore[arg-type] # neither is asked
    assert place.refusal(key)
    assert place.refusal("a.b/c d") is None


def test_a_signed_query_says_what_and_until_when_and_not_the_key() -> None:
    key = {
        "SignedOid": "oid",
        "SignedTid": "tid",
        "SignedStart": "2026-01-01T00:00:00Z",
        "SignedExpiry": "2026-01-01T02:00:00Z",
        "SignedService": "b",
        "SignedVersion": "2022-11-02",
        "Value": "a2V5",
    }
    at = datetime(2026, 1, 1, tzinfo=UTC)
    query = httpx.QueryParams(signed_query(key, "/blob/account/files/ü x", "r", at, at + timedelta(hours=1)))
    assert (query["st"], query["se"]) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    assert (query["sp"], query["sr"], query["spr"], query["skoid"]) == ("r", "b", "https", "oid")
    assert "a2V5" not in str(query)


def test_a_signed_url_is_for_less_than_a_week(stores: AzureStores, linked: Link) -> None:
    linked(stores.storage("files"))
    with pytest.raises(InvalidInput, match="7 days"):
        storage("files").sync.signed_url("GET", "a", 7 * 86_400)


def test_a_signed_url_is_for_one_object_and_one_method(stores: AzureStores, linked: Link) -> None:
    linked(stores.storage("files"))
    files = storage("files").sync
    files.put("a", b"1")
    files.put("b", b"2")
    signed = files.signed_url("GET", "a", 60)
    assert httpx.get(signed.url).content == b"1"
    assert httpx.get(signed.url.replace("/a?", "/b?")).status_code == 403
    assert httpx.delete(signed.url).status_code == 403


def test_a_secret_that_says_base64_and_is_not(stores: AzureStores, linked: Link, emulators: Emulators) -> None:
    linked(stores.secret("crm"))
    stores.set_secret("crm", b"\xff")
    kept = emulators.get(stores_azure.azure).secrets
    (name,) = [name for name in kept if name.startswith("crm-")][-1:]
    kept[name] = azure_doubles.Kept("hunter2!", kept[name].content_type)
    with pytest.raises(InvalidInput, match="base64") as caught:
        secret("crm").sync.get_bytes()
    assert "hunter2" not in str(caught.value)


def test_a_map_of_endpoints_that_is_none(stores: AzureStores, linked: Link) -> None:
    linked({**stores.queue("jobs"), ENDPOINTS: "hunter2"})
    with pytest.raises(BindingInvalid, match=ENDPOINTS) as caught:
        queue("jobs").sync.send(1)
    assert "hunter2" not in str(caught.value)


def test_a_receipt_that_nobody_gave(stores: AzureStores, linked: Link) -> None:
    linked(stores.queue("jobs"))
    with pytest.raises(Conflict, match="receipt"):
        queue("jobs").sync.ack("3f2b0c1e-0000-0000-0000-000000000000")


class FakeReceiver:
    """A connection as the SDK has it: messages, locks, and a note of what was done."""

    def __init__(self, done: list[str], lock_seconds: float = 30) -> None:
        self.done = done
        self.lock_seconds = lock_seconds
        self.waiting: list[str] = []

    def receive_messages(self, max_message_count: int, max_wait_time: float) -> list[Any]:
        del max_wait_time
        taken, self.waiting = self.waiting[:max_message_count], self.waiting[max_message_count:]
        return [SimpleNamespace(lock_token=token, locked_until_utc=self._ends()) for token in taken]

    def renew_message_lock(self, message: Any) -> None:
        self.done.append(f"renew {message.lock_token}")
        message.locked_until_utc = self._ends()

    def close(self) -> None:
        self.done.append("close")

    def _ends(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.lock_seconds)


def complete(receiver: Any, message: Any) -> None:
    receiver.done.append(f"complete {message.lock_token}")


def test_a_connection_is_kept_from_others_while_its_messages_are_open() -> None:
    done: list[str] = []
    made: list[FakeReceiver] = []

    def connect() -> Any:
        made.append(FakeReceiver(done))
        made[-1].waiting = [f"{len(made)}a", f"{len(made)}b"]
        return made[-1]

    receivers = Receivers(connect)
    assert len(receivers.receive(2, 1)) == 2
    assert len(receivers.receive(2, 1)) == 2
    assert len(made) == 2
    receivers.settle("1a", complete)
    receivers.settle("2a", complete)
    receivers.settle("2b", complete)
    assert receivers.receive(1, 1) == []  # over the second, which is free again
    assert len(made) == 2
    receivers.settle("1b", complete)  # one connection rests; this one is closed
    assert done == ["complete 1a", "complete 2a", "complete 2b", "complete 1b", "close"]
    with pytest.raises(KeyError):
        receivers.settle("1a", complete)
    receivers.close()
    assert done[-2:] == ["close", "close"]


def test_a_lost_lock_frees_its_connection() -> None:
    done: list[str] = []
    receiver = FakeReceiver(done, lock_seconds=0.05)
    receiver.waiting = ["a", "b"]
    receivers = Receivers(lambda: receiver)  # type: ignore[arg-type,return-value] # the part of it that is used
    receivers.receive(1, 1)
    time.sleep(0.1)
    assert [message.lock_token for message in receivers.receive(1, 1)] == ["b"]
    with pytest.raises(KeyError):
        receivers.settle("a", complete)


def test_a_lock_is_renewed_for_as_long_as_was_asked() -> None:
    done: list[str] = []
    receiver = FakeReceiver(done, lock_seconds=0.4)
    receiver.waiting = ["a"]
    receivers = Receivers(lambda: receiver)  # type: ignore[arg-type,return-value] # the part of it that is used
    receivers.receive(1, 1)
    receivers.renew("a", 1.0)
    time.sleep(0.8)
    assert done.count("renew a") >= 3
    receivers.settle("a", complete)
    renewed = len(done)
    time.sleep(0.5)
    assert len(done) == renewed


def test_an_outcome_that_comes_too_late_leaves_the_message_held() -> None:
    receiver = FakeReceiver([])
    receiver.waiting = ["a"]
    receivers = Receivers(lambda: receiver)  # type: ignore[arg-type,return-value] # the part of it that is used
    receivers.receive(1, 1)

    def late(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        del receiver, message
        raise MessageLockLostError

    with pytest.raises(MessageLockLostError):
        receivers.settle("a", late)
    receivers.settle_all(late)
    receivers.close()
