"""The ledger of ports: no two workloads share one, and nobody's changes."""

import json
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from plugin.plugin_world import scratch

from alien_iac.errors import Conflict, Unavailable
from alien_iac.plugin import ports
from alien_iac.plugin.ports import Ledger, holder, is_free

AMONG = range(20_000, 20_012)
NAMES = st.sampled_from([f"w{number}" for number in range(8)])


class LedgerMachine(RuleBasedStateMachine):
    """Allocations, fixed ones among them, releases, and strangers that take ports, in any order."""

    workloads = Bundle("workloads")

    @initialize()
    def start(self) -> None:
        self.scratch = scratch()
        self.path = Path(self.scratch.name, "ports.json")
        self.strangers: set[int] = set()
        self.expected: dict[str, int] = {}
        self.ledger = Ledger(self.path, among=AMONG, free=lambda port: port not in self.strangers)

    def teardown(self) -> None:
        self.scratch.cleanup()

    @rule(target=workloads, name=NAMES)
    def allocate(self, name: str) -> str:
        free = set(AMONG) - self.strangers - set(self.expected.values())
        if name not in self.expected and not free:
            with pytest.raises(Unavailable):
                self.ledger.allocate(name)
            return name
        port = self.ledger.allocate(name)
        assert port == self.expected.get(name, port)
        assert name in self.expected or port in free
        self.expected[name] = port
        return name

    @rule(target=workloads, name=NAMES, port=st.sampled_from([80, *AMONG]))
    def allocate_fixed(self, name: str, port: int) -> str:
        if port in {used for other, used in self.expected.items() if other != name}:
            with pytest.raises(Conflict, match=str(port)):
                self.ledger.allocate(name, port)
        else:
            self.expected[name] = self.ledger.allocate(name, port)
            assert self.expected[name] == port
        return name

    @rule(name=consumes(workloads))
    def release(self, name: str) -> None:
        self.ledger.release(name)
        self.expected.pop(name, None)

    @rule(port=st.sampled_from(AMONG))
    def a_stranger_comes_or_goes(self, port: int) -> None:
        self.strangers ^= {port}

    @rule()
    def another_process_opens_it(self) -> None:
        self.ledger = Ledger(self.path, among=AMONG, free=lambda port: port not in self.strangers)

    @invariant()
    def the_file_says_what_was_given(self) -> None:
        assert self.ledger.read() == self.expected
        assert len(set(self.expected.values())) == len(self.expected)
        assert self.path.exists() is bool(self.expected)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_many_threads_get_different_ports(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=Ledger(tmp_path / "ports.json").allocate, args=(f"w{number}",)) for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = json.loads((tmp_path / "ports.json").read_text())
    assert len(set(found.values())) == len(found) == 20
    assert set(found.values()) <= set(ports.RANGE)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - a stranger may listen everywhere
def test_who_holds_a_port_is_seen(host: str) -> None:
    with socket.create_server((host, 0)) as stranger:
        port = stranger.getsockname()[1]
        assert not is_free(port)
        assert "python" in holder(port)
    assert is_free(port)
    assert holder(port) == ""
