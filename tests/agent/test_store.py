"""The agent's memory."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from agent.agent_releases import release

from alien_iac.agent.store import RUNNING, CommandLine, Store
from alien_iac.agent.work import End
from alien_iac.protocol.api import Report

WRITER = """
import sys
from pathlib import Path
from alien_iac.agent.store import Store
from alien_iac.protocol.api import Report
store = Store(Path(sys.argv[1]))
for number in range(10**6):
    store.queue(Report(id=str(number), revision=number, phase="accepted"))
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def report(name: str = "a") -> Report:
    return Report(id=name, revision=1, phase="accepted")


def settle(store: Store, revision: int, sequence: int) -> None:
    store.settle(revision, End(phase="succeeded", runs=release(sequence), whole=True), report(str(revision)))


def test_a_report_is_told_until_it_was_acknowledged_and_never_again(store: Store) -> None:
    store.queue(report("a"))
    store.queue(report("b"))
    store.queue(report("a"))
    assert [r.id for r in store.reports()] == ["a", "b"]
    store.acknowledge("a")
    store.queue(report("a"))
    assert [r.id for r in store.reports()] == ["b"]


def test_the_way_back_is_one_step_long(store: Store) -> None:
    settle(store, 1, 1)
    assert (store.current, store.previous) == (release(1), None)
    settle(store, 2, 2)
    assert (store.current, store.previous) == (release(2), release(1))
    settle(store, 3, 2)
    assert (store.current, store.previous) == (release(2), release(1))
    settle(store, 4, 1)
    assert (store.current, store.previous) == (release(1), None)


def test_the_file_is_the_agents_alone(store: Store, tmp_path: Path) -> None:
    store.queue(report())
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o077 == 0


def test_the_log_of_commands_has_each_with_its_outcome(store: Store) -> None:
    line = CommandLine(
        at=datetime.now(UTC), command_id="cmd_1", command="read", target="worker", attempt=1, outcome=RUNNING
    )
    number = store.begin_command(line, "lease_1")
    store.begin_command(line.model_copy(update={"command_id": "cmd_2"}), "lease_2")
    store.end_command(number, "success")
    assert [lease for _, lease in store.unfinished()] == ["lease_2"]
    assert [(each.command_id, each.outcome) for each in store.command_log()] == [
        ("cmd_1", "success"),
        ("cmd_2", RUNNING),
    ]


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        for _ in range(50):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
    with closing(Store(path)) as store:
        assert {report.revision for report in store.reports()} >= set(range(last + 1))
