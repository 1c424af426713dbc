"""The parts that decide without doing: marks in an environment, readiness, locks, configuration, sealed files."""

import configparser
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.errors import InvalidInput, NotFound, Unavailable
from alien_iac.plugin import conf, environ, failures, files, lock, ready
from alien_iac.plugin.definition import Definition
from alien_iac.plugin.ready import State
from alien_iac.plugin.values import decode, encode
from alien_iac.protocol import secretfile

PORTS = {"api": 20_001, "queue-broker": 20_002}
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_marks_are_filled_once() -> None:
    text = '{"url": "http://127.0.0.1:{port:queue-broker}", "token": "{file:/a b}"}'
    filled = environ.filled(text, PORTS, lambda path: f"{path}={{port:api}}")
    assert filled == '{"url": "http://127.0.0.1:20002", "token": "/a b={port:api}"}'
    assert environ.mentioned([text, "{port:api}", "{port:}"]) == {"queue-broker", "api"}


@given(st.text().filter(lambda text: "{port:" not in text and "{file:" not in text))
def test_what_is_no_mark_stays(text: str) -> None:
    assert environ.filled(text, PORTS) == text


def test_a_mark_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no workload 'nobody'"):
        environ.filled("{port:nobody}", PORTS)
    with pytest.raises(NotFound, match="No such file"):
        environ.filled(f"{{file:{tmp_path}/token}}", PORTS)


def test_the_configuration_holds_no_values() -> None:
    definition = Definition(id="api", command=("x", "hunter2"), folder="/", env={"KEY": "hunter2"}, stop_seconds=7)
    text = conf.render(20_003, "password", [(definition, "v1")])
    assert "hunter2" not in text
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)
    assert parsed["program:api"]["stopwaitsecs"] == "17"
    assert parsed["inet_http_server"]["port"] == "127.0.0.1:20003"


def waited(
    states: Sequence[State | None], answers: Sequence[str | None] = (None,), timeout_s: float = 60
) -> str | None:
    """What waiting says to these states, and answers of the process, one a look; the last one stays."""
    now, said = held_last(states), held_last(answers)
    return ready.wait(lambda: next(now), lambda: next(said), timeout_s=timeout_s, cancelled=lambda _: False)


Value = TypeVar("Value")


def held_last(values: Sequence[Value]) -> Iterator[Value]:
    yield from values
    while True:
        yield values[-1]


def test_ready_when_it_runs_and_answers() -> None:
    states = [None, State("starting"), State("running")]
    assert waited(states, ["nothing", "answers 503", None]) is None


def test_some_failed_starts_are_forgiven_and_many_are_not() -> None:
    starts = [State("failing", number, 7) for number in (1, 2, 3)]
    assert waited([*starts, State("running", 3)]) is None
    assert "in 4 starts: it ended after its start, with exit status 7" in str(waited([*starts, State("failing", 4, 7)]))


def test_the_last_reason_is_told_when_time_is_up() -> None:
    assert waited([State("running")], ["answers 503"], timeout_s=0.05) == "it was not ready after 0 s: answers 503"
    assert "has not started" in str(waited([None], timeout_s=0.01))


@given(st.integers(1, 10_000))
def test_pauses_grow_and_end_nowhere(count: int) -> None:
    assert failures.pause_s(1) == 1
    assert failures.pause_s(count) <= failures.pause_s(count + 1) <= failures.LONGEST_S


def test_a_process_that_lived_has_not_failed(tmp_path: Path) -> None:
    assert [failures.record(tmp_path, 7, 0.1) for _ in range(3)] == [1, 2, 4]
    assert failures.read(tmp_path) == failures.Failures(3, 7)
    assert failures.record(tmp_path, 7, failures.STEADY_S) == 0
    assert failures.read(tmp_path).count == 0


def test_waiting_can_be_called_off() -> None:
    reason = ready.wait(lambda: None, lambda: None, timeout_s=60, cancelled=lambda _: True)
    assert "cancelled" in str(reason)


def test_a_lock_has_one_holder_and_survives_the_removal_of_its_folder(tmp_path: Path) -> None:
    folder, inside, seen = tmp_path / "a", threading.Semaphore(1), []

    def work(number: int) -> None:
        with lock.held(folder):
            assert inside.acquire(blocking=False)
            seen.append(number)
            inside.release()
            folder.rmdir()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(16))


def test_a_lock_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with lock.held(tmp_path), pytest.raises(Unavailable, match="another process"), lock.held(tmp_path, patience_s=0.1):
        pass


def test_a_private_file_is_whole_or_absent(tmp_path: Path) -> None:
    file = tmp_path / "deep/file"
    files.write_private(file, b"one")
    files.write_private(file, b"two")
    assert not files.add_private(file, b"three")
    assert file.read_bytes() == b"two"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [one.name for one in file.parent.iterdir()] == ["file"]


@given(st.dictionaries(st.text(), JSON))
def test_properties_come_back_as_they_went(plain: dict[str, Any]) -> None:
    found = decode(encode(plain, secret=list(plain)[:1]))
    assert found.plain == plain
    assert found.secret == frozenset(list(plain)[:1])
    assert not found.unknown


@given(st.binary())
def test_a_sealed_value_opens_with_its_key_only(plain: bytes) -> None:
    key = secretfile.new_key()
    sealed = secretfile.seal(plain, key)
    assert secretfile.unseal(sealed, secretfile.parse_key(secretfile.key_text(key))) == plain
    assert sealed != secretfile.seal(plain, key)
    with pytest.raises(InvalidInput, match="does not open"):
        secretfile.unseal(sealed, secretfile.new_key())
    with pytest.raises(InvalidInput, match="does not open"):
        secretfile.unseal(sealed[:-1], key)


def test_what_is_no_sealed_file_or_key_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a secret's file"):
        secretfile.unseal(b"plain text", secretfile.new_key())
    for text in ("", "zz", "00" * 31):
        with pytest.raises(InvalidInput, match="64 hex digits"):
            secretfile.parse_key(text)
