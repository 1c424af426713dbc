"""What is special to the stores on Google Cloud: layouts, refusals, credentials, and what other programs send."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore_v1 import Client
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.types import PubsubMessage
from runtime import stores_gcp
from runtime.conformance import Env
from runtime.emulators import Emulators
from runtime.google_doubles import PROJECT
from runtime.stores_gcp import GoogleStores

from alien_iac.errors import (
    AlienError,
    BindingInvalid,
    Forbidden,
    InvalidInput,
    NotFound,
    SecretNotSet,
    Unauthorized,
    Unavailable,
)
from alien_iac.runtime import kv, queue, secret, storage
from alien_iac.runtime.stores.gcp_errors import translated

Link = Callable[[Env], None]


@pytest.fixture
def stores(emulators: Emulators) -> GoogleStores:
    return GoogleStores(emulators.get(stores_gcp.google))


def binding(env: Env, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(env[f"ALIEN_{name.upper()}_BINDING"])
    return found


def test_an_items_document(stores: GoogleStores, linked: Link) -> None:
    env = stores.kv("sessions")
    linked(env)
    sessions = kv("sessions").sync
    sessions.put("user:7", b"hi\n", ttl_seconds=60)
    raw: Any = Client(project=PROJECT, database=binding(env, "sessions")["databaseId"]).collection("sessions")
    fields = raw.document("user:7").get().to_dict()
    assert set(fields) == {"value", "created_at", "expires_at"}
    assert fields["value"] == "aGkK"
    assert fields["expires_at"] - fields["created_at"] == timedelta(seconds=60)
    assert abs(fields["created_at"] - datetime.now(UTC)) < timedelta(seconds=30)
    assert sessions.put("user:7", b"2", if_version=getattr(sessions.get("user:7"), "version", None))
    assert set(raw.document("user:7").get().to_dict()) == {"value", "created_at"}
    raw.document("theirs").create({"value": "AGE=", "created_at": datetime.now(UTC)})
    entry = sessions.get("theirs")
    assert entry is not None
    assert entry.value == b"\0a"
    assert sessions.put("theirs", b"", if_version=entry.version)


@pytest.mark.parametrize("key", [".", "..", "__a__", "____"])
def test_keys_that_firestore_keeps_for_itself(stores: GoogleStores, linked: Link, key: str) -> None:
    linked(stores.kv("sessions"))
    sessions = kv("sessions").sync
    for attempt in (sessions.get, sessions.delete, lambda refused: sessions.put(refused, b"")):
        with pytest.raises(InvalidInput, match="Google Cloud"):
            attempt(key)
    sessions.put(f"{key}-x", b"")
    assert [item.key for item in sessions.scan(key).items] == [f"{key}-x"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (exceptions.Unauthenticated, Unauthorized),
        (exceptions.PermissionDenied, Forbidden),
        (exceptions.NotFound, NotFound),
        (exceptions.InvalidArgument, InvalidInput),
        (exceptions.DeadlineExceeded, Unavailable),
        (exceptions.ServiceUnavailable, Unavailable),
        (exceptions.Aborted, Unavailable),
        (exceptions.RetryError, Unavailable),
    ],
)
def test_errors_are_ours_and_quote_nothing(theirs: type[exceptions.GoogleAPIError], ours: type[AlienError]) -> None:
    cause = (ValueError(),) if theirs is exceptions.RetryError else ()
    with pytest.raises(ours, match='kv "sessions"') as caught, translated('kv "sessions"'):
        raise theirs("hunter2", *cause)
    assert type(caught.value) is ours
    assert "hunter2" not in str(caught.value)


def test_no_credentials() -> None:
    with pytest.raises(Unauthorized, match="service account"), translated('kv "sessions"'):
        raise DefaultCredentialsError("hunter2")


def test_a_subscription_that_is_not_there(stores: GoogleStores, linked: Link) -> None:
    env = stores.queue("jobs")
    gone = {**binding(env, "jobs"), "subscription": f"projects/{PROJECT}/subscriptions/gone"}
    linked({**env, "ALIEN_JOBS_BINDING": json.dumps(gone)})
    with pytest.raises(NotFound, match='queue "jobs"'):
        queue("jobs").sync.receive()


def test_messages_of_other_programs(stores: GoogleStores, linked: Link) -> None:
    env = stores.queue("jobs")
    linked(env)
    bodies = [b'{"a": 1}', b"plain", b"\xff"]
    topic = binding(env, "jobs")["topic"]
    PublisherClient().publish(topic=topic, messages=[PubsubMessage(data=body) for body in bodies])
    received = queue("jobs").sync.receive(10, wait_seconds=5)
    assert [(m.payload_type, m.payload) for m in received] == [
        ("json", {"a": 1}),
        ("text", "plain"),
        ("text", "\ufffd"),
    ]


def test_a_secret_needs_a_project(stores: GoogleStores, linked: Link) -> None:
    linked({**stores.secret("crm"), "GOOGLE_CLOUD_PROJECT": ""})
    with pytest.raises(BindingInvalid, match="GOOGLE_CLOUD_PROJECT"):
        secret("crm").sync.get()
    linked({"GOOGLE_CLOUD_PROJECT": PROJECT})
    with pytest.raises(SecretNotSet):
        secret("crm").sync.get()


def test_a_key_that_a_bucket_keeps_for_itself(stores: GoogleStores, linked: Link) -> None:
    linked(stores.storage("files"))
    with pytest.raises(InvalidInput, match="acme-challenge"):
        storage("files").sync.put(".well-known/acme-challenge/a", b"")
