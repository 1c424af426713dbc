"""The public `alienplatform` SDK and our stores read and write the same data, in both directions.

The SDK runs in a process of its own, which takes about 0.2 s, and never while one of our stores has the same file open.
"""

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runtime.conformance import Env, KvOfBoth, QueueOfBoth, ReachedBySdk, StorageOfBoth
from runtime.emulators import tool_environment

from alien_iac.errors import Conflict
from alien_iac.runtime import kv, queue, storage
from alien_iac.runtime.stores.kv import SyncKv

SDK = "alienplatform==3.3.43"
PROGRAM = Path(__file__).with_name("sdk_program.py")

Link = Callable[[dict[str, str]], None]
Call = tuple[str, list[object], dict[str, object]]


class Sdk:
    """The SDK's side of one resource."""

    def __init__(self, platform: ReachedBySdk, env: Env, kind: str, resource: str) -> None:
        self._env = {**os.environ, **env, **platform.for_sdk(env)}
        self._of = (kind, resource)

    def __call__(self, *calls: Call) -> list[Any]:
        """What each call gives, one after the other in one process."""
        asked = [[*self._of, *call] for call in calls]
        done = subprocess.run(
            [tool_environment(SDK) / "python", PROGRAM],
            input=json.dumps(asked, default=_written),
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        results: list[Any] = json.loads(done.stdout, object_hook=_read)
        return results


def call(method: str, *positional: object, **named: object) -> Call:
    return method, list(positional), named


def _written(value: object) -> object:
    assert isinstance(value, bytes)
    return {"bytes": base64.b64encode(value).decode()}


def _read(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["bytes"]) if set(value) == {"bytes"} else value


KEYS = ["a.txt", "ü/日本 x.txt", "a#b", "50%", "q?*", "%41", "x{y}", "a+b c", "🦑/U\u0308"]


def test_objects(storage_sdk: StorageOfBoth, linked: Link) -> None:
    env = storage_sdk.storage("files")
    linked(env)
    ours, theirs = storage("files").sync, Sdk(storage_sdk, env, "storage", "files")
    for key in KEYS:
        ours.put(f"ours/{key}", key.encode())
    large = bytes(7_000_000)
    ours.put("large", iter([large]))
    found = theirs(
        *(call("get", f"ours/{key}") for key in KEYS),
        *(call("put", f"theirs/{key}", key.encode()) for key in KEYS),
        call("list", "ours"),
        call("put", f"ours/{KEYS[0]}", b"", condition="absent"),
        call("delete", f"ours/{KEYS[1]}"),
        call("put", "empty", b""),
        call("get", "large"),
    )
    assert found[: len(KEYS)] == [key.encode() for key in KEYS]
    listed, refused, _, _, whole = found[2 * len(KEYS) :]
    assert sorted(info["location"] for info in listed) == sorted(f"ours/{key}" for key in KEYS)
    assert refused["raised"]
    assert whole == large
    assert [ours.get(f"theirs/{key}") for key in KEYS] == [key.encode() for key in KEYS]
    assert {info.key for info in ours.list("theirs")} == {f"theirs/{key}" for key in KEYS}
    assert ours.get_optional(f"ours/{KEYS[1]}") is None
    assert ours.get("empty") == b""
    with pytest.raises(Conflict):
        ours.put(f"theirs/{KEYS[0]}", b"", if_absent=True)


def test_items(kv_sdk: KvOfBoth, linked: Link) -> None:
    env = kv_sdk.kv("sessions")
    linked(env)
    keys = [f"ours:{number}" for number in range(20)]

    # Each of ours is closed as it goes out of use: the SDK loses writes to a file that another program holds open.
    def write(ours: SyncKv) -> None:
        for key in keys:
            assert ours.put(key, key, ttl_seconds=None if key.endswith("1") else 3600)
        ours.put("empty", b"")

    def check(ours: SyncKv) -> None:
        for key in ("theirs:1", "theirs:2", "ours:2"):
            entry = ours.get(key)
            assert entry is not None
            assert entry.value == b"\0theirs"
        assert ours.get("ours:1") is None
        assert len(ours.scan("theirs:", limit=1).items) == 1
        assert len(ours.scan().items) == 22
        assert not ours.put("theirs:1", b"", if_absent=True)

    write(kv("sessions").sync)
    theirs = Sdk(kv_sdk, env, "kv", "sessions")
    *found, page, empty = theirs(
        *(call("get", key) for key in keys),
        call("scan", "ours:"),
        call("get", "empty"),
    )
    assert [entry["value"] for entry in found] == [key.encode() for key in keys]
    assert sorted(entry["key"] for entry in page["items"]) == sorted(keys)
    assert empty["value"] == b""
    versions = {entry["key"]: entry["version"] for entry in found}
    done = theirs(
        call("put", "theirs:1", b"\0theirs"),
        call("put", "theirs:2", b"\0theirs", ttl_seconds=3600),
        call("put", "ours:2", b"\0theirs", condition="version", version=versions["ours:2"]),
        call("delete", "ours:1", if_version=versions["ours:1"]),
    )
    assert done == [True] * 4
    check(kv("sessions").sync)


@pytest.mark.slow  # the SDK asks again and again whether a condition holds that does not
def test_conditions_on_what_the_other_wrote(kv_sdk: KvOfBoth, linked: Link) -> None:
    env = kv_sdk.kv("sessions")
    linked(env)
    assert kv("sessions").sync.put("ours", b"1")
    theirs = Sdk(kv_sdk, env, "kv", "sessions")
    (entry,) = theirs(call("get", "ours"))
    assert kv("sessions").sync.put("ours", b"2")
    absent, stale, after = theirs(
        call("put", "ours", b"3", condition="absent"),
        call("put", "ours", b"3", condition="version", version=entry["version"]),
        call("get", "ours"),
    )
    assert (absent, stale, after["value"]) == (False, False, b"2")


def test_messages(queue_sdk: QueueOfBoth, linked: Link) -> None:
    env = queue_sdk.queue("jobs")
    linked(env)
    ours, theirs = queue("jobs").sync, Sdk(queue_sdk, env, "queue", "jobs")
    ours.send({"a": [1, "é"]})
    ours.send_text("plain ☃")
    ours.send_batch([7, None])
    (received,) = theirs(call("receive", 10))
    expected = ['{"a":[1,"é"]}', "7", "null", "plain ☃"]
    assert sorted(message["payload"] for message in received) == sorted(expected)
    theirs(
        *(call("ack", message["receipt_handle"]) for message in received),
        call("send", {"b": ["ü"]}),
        call("send_text", "plain ☃"),
        call("send_batch", [8, "nine"]),
    )
    messages = ours.receive(10)
    got = [(message.payload_type, message.payload) for message in messages]
    assert sorted(got, key=repr) == sorted(
        [("json", {"b": ["ü"]}), ("text", "plain ☃"), ("json", 8), ("json", "nine")], key=repr
    )
    for message in messages:
        ours.ack(message)
    assert theirs(call("send", 1), call("receive", 1))[1][0]["attempt"] == 1
