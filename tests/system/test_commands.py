"""Commands over the whole way, from the vendor's command line to a handler at a customer's, and what can go wrong."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from system.system_fleet import Fleet

from alien_iac.agent.place import Place
from alien_iac.agent.store import RUNNING, CommandLine, Store
from alien_iac.protocol.arc import INLINE_LIMIT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def invoke(fleet: Fleet, *words: str, code: int) -> str:
    """What `alien command invoke` says, on either stream; it must end with this exit code."""
    done = fleet.world.run("command", "invoke", *words)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    return said


def settled(fleet: Fleet) -> None:
    """Wait until the customer's log has what was answered: its line follows the vendor's receipt."""
    fleet.until(lambda: _newest(fleet).outcome != RUNNING)


def test_what_a_caller_is_told(fleet: Fleet) -> None:
    assert '"release":' in invoke(fleet, "acme", "version", "--target", "worker", code=0)
    said = invoke(fleet, "acme", "nonsense", "--target", "worker", code=11)
    assert "nonsense" in said
    said = invoke(fleet, "acme", "fail", "--target", "worker", code=11)
    assert "ValueError at " in said
    assert "1234" not in said
    said = invoke(fleet, "acme", "hang", "--target", "worker", code=11)
    assert "HANDLER_TIMEOUT" in said
    said = invoke(fleet, "acme", "big", '{"length": "many"}', "--target", "worker", code=11)
    assert "length" in said
    assert invoke(fleet, "acme", "count", "--target", "store", code=0).splitlines()[0].isdigit()
    assert "these do: worker, store" in invoke(fleet, "acme", "count", "--target", "nobody", code=3)
    settled(fleet)
    log = fleet.world.alien("agent", "log", "--dir", str(fleet.world.agent_dir("acme")))
    told = {line["command"]: line["outcome"] for line in log}
    assert [told[name] for name in ("version", "fail", "hang", "count")] == [
        "success",
        "HANDLER_ERROR",
        "HANDLER_TIMEOUT",
        "success",
    ]
    assert "1234" not in json.dumps(log)


def test_large_bodies_travel(fleet: Fleet) -> None:
    assert fleet.ask("acme", "big", length=2 * INLINE_LIMIT) == "x" * 2 * INLINE_LIMIT


def test_a_deadline_that_passes_while_the_agent_is_away(fleet: Fleet) -> None:
    fleet.world.processes.stop("acme")
    try:
        said = invoke(fleet, "acme", "version", "--target", "worker", "--timeout", "2s", code=7)
        assert "EXPIRED" in said
        assert "running?" in said
        (newest, *_) = fleet.world.alien("command", "ls", "acme")
        assert newest["state"] == "EXPIRED"
    finally:
        fleet.world.run_agent("acme")
    assert fleet.ask("acme", "version")["release"]


def test_a_command_in_work_when_the_agent_is_killed_is_answered(fleet: Fleet) -> None:
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(fleet.ask, "acme", "slow", limit="30s", seconds=2)
        fleet.until(lambda: (_newest(fleet).command, _newest(fleet).outcome) == ("slow", "running"))
        fleet.world.processes.kill("acme")
        fleet.world.run_agent("acme")
        assert asked.result(40) == "done"
    settled(fleet)
    lines = [line for line in _log(fleet) if line.command == "slow"]
    assert [(line.attempt, line.outcome) for line in lines[-2:]] == [(1, "given back"), (2, "success")]


def test_the_commands_of_two_agents_do_not_mix(fleet: Fleet) -> None:
    pids = {customer: fleet.processes(customer)["worker"] for customer in fleet.customers}
    asked = list(fleet.customers) * 10
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda customer: fleet.ask(customer, "version")["pid"], asked))
    assert [[pid] for pid in answers] == [pids[customer] for customer in asked]


def test_the_customer_denies_a_command(fleet: Fleet) -> None:
    say = Place(fleet.world.agent_dir("acme")).say
    kept = say.read_text()
    say.write_text(kept.replace("deny: []", "deny: [vers*]"))
    try:
        said = invoke(fleet, "acme", "version", "--target", "worker", code=11)
        assert "the customer does not allow the command version" in said
        assert fleet.ask("globex", "version")["release"]
    finally:
        say.write_text(kept)
    settled(fleet)
    assert [line.outcome for line in _log(fleet) if line.command == "version"][-1] == "FORBIDDEN"
    assert fleet.ask("acme", "version")["release"]


def _log(fleet: Fleet) -> list[CommandLine]:
    store = Store(Place(fleet.world.agent_dir("acme")).state)
    try:
        return store.command_log()
    finally:
        store.close()


def _newest(fleet: Fleet) -> CommandLine:
    return _log(fleet)[-1]
