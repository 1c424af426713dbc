"""Which commands may be given to a workload: declared, allowed, signed."""

import base64
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from agent.agent_commands import envelope, inline
from agent.agent_senders import pem, sender
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.agent.place import Place, write
from alien_iac.agent.policy import Policy, Undeclared
from alien_iac.agent.release import Release
from alien_iac.agent.store import Store
from alien_iac.agent.work import End
from alien_iac.errors import Forbidden, InvalidInput, Untrusted
from alien_iac.protocol import arc, signing
from alien_iac.protocol.api import Report
from alien_iac.protocol.manifest import Blob, DeclaredCommand, Manifest, SignedConfig
from alien_iac.protocol.signing import LIFE_S, SKEW_S, Signed, Signer

NOW = 1_900_000_000.0
DEPLOYMENT = envelope().deployment_id
PARAMS = {"table": "users"}


class Bench:
    """A customer who takes `wipe` from alice alone."""

    def __init__(self, folder: Path, now: float = NOW) -> None:
        self.alice, self.mallory = sender("alice"), sender("mallory")
        self.place = Place(folder)
        self.store = Store(self.place.state)
        self.policy = Policy(self.place, self.store, lambda: now)
        self.say(commands={"signed": ["wipe*"]}, senders={"alice": pem(self.alice)})

    def say(self, **words: Any) -> None:
        write(self.place.say, yaml.safe_dump(words).encode())

    def run(self, *commands: DeclaredCommand, config: dict[str, Any] | None = None) -> None:
        """What runs here, and with which config of the vendor."""
        manifest = Manifest(
            vendor="initech",
            program="app",
            version="1",
            sequence=1,
            platforms=("local",),
            program_bundle=Blob(path="b", sha256="0" * 64, length=0),
            commands=commands,
        )
        signed = SignedConfig(deployment_id=DEPLOYMENT, serial=1, customer="acme", values=config or {}, salt="s")
        release = Release(manifest=manifest, path="manifest.json", digest="0" * 64, config=signed)
        report = Report(id="1", revision=1, phase="succeeded")
        self.store.settle(1, End(phase="succeeded", runs=release, whole=True), report)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def sign(signer: Signer, command: str = "wipe", target: str = "worker", expires: float = NOW + 60) -> arc.Signature:
    body = base64.b64decode(inline(PARAMS).inline_base64)
    return signer.sign(Signed(deployment_id=DEPLOYMENT, command=command, params=body), target, expires)


def asked(command: str = "wipe", number: int = 1, *, to: str = "worker", **more: Any) -> arc.Envelope:
    return envelope(command, to, number, **{"params": inline(PARAMS), **more})


def test_a_command_that_needs_no_signature_needs_none(bench: Bench) -> None:
    assert bench.policy.check_signature(asked("read")) == ""
    assert bench.policy.check_signature(asked("read", signature=sign(bench.mallory, "read"))) == ""


def test_a_signed_command_is_taken_and_its_redelivery_too(bench: Bench) -> None:
    one = asked(signature=sign(bench.alice))
    for _ in range(2):
        assert bench.policy.check_signature(one) == "alice"


def test_a_signature_that_is_missing_is_forbidden(bench: Bench) -> None:
    with pytest.raises(Forbidden, match="only with a sender's signature"):
        bench.policy.check_signature(asked())


def test_what_was_signed_once_is_not_taken_as_another_command(bench: Bench) -> None:
    signature = sign(bench.alice)
    bench.policy.check_signature(asked(signature=signature))
    with pytest.raises(Untrusted, match="used for another"):
        bench.policy.check_signature(asked(number=2, signature=signature))
    bench.store.close()
    again = Policy(bench.place, Store(bench.place.state), lambda: NOW)  # after a restart, too
    with pytest.raises(Untrusted, match="used for another"):
        again.check_signature(asked(number=2, signature=signature))


@pytest.mark.parametrize(
    "changed",
    [
        {"command": "wipe-all"},
        {"params": inline({"table": "orders"})},
        {"deployment_id": "dep_2"},
        {"to": "api"},
    ],
)
def test_a_signature_holds_for_what_it_signs_alone(bench: Bench, changed: dict[str, Any]) -> None:
    signature = sign(bench.alice)
    more = {key: value for key, value in changed.items() if key != "command"}
    with pytest.raises(Untrusted):
        bench.policy.check_signature(asked(str(changed.get("command", "wipe")), signature=signature, **more))


@pytest.mark.parametrize("field", ["nonce", "expires", "signer", "target", "value"])
def test_no_part_of_a_signature_may_be_changed(bench: Bench, field: str) -> None:
    good = sign(bench.alice)
    other = sign(bench.alice, expires=NOW + 61)
    more = {"signer": "mallory", "target": ""}
    value = more.get(field, getattr(other, field))
    with pytest.raises(Untrusted):
        bench.policy.check_signature(asked(signature=good.model_copy(update={field: value})))


def test_a_sender_whom_the_customer_does_not_know_is_not_believed(bench: Bench) -> None:
    with pytest.raises(Untrusted, match="knows no sender mallory"):
        bench.policy.check_signature(asked(signature=sign(bench.mallory)))
    with pytest.raises(Untrusted, match="does not hold"):
        bench.policy.check_signature(asked(signature=sign(Signer("alice", bench.mallory.key))))


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_wrong_by_ten_minutes_changes_nothing(tmp_path: Path, minutes: int) -> None:
    bench = Bench(tmp_path, NOW + 60 * minutes)
    assert bench.policy.check_signature(asked(signature=sign(bench.alice))) == "alice"


@pytest.mark.parametrize("expires", [NOW - SKEW_S - 1, NOW + LIFE_S + SKEW_S + 1])
def test_a_signature_is_good_for_a_time_only(bench: Bench, expires: float) -> None:
    with pytest.raises(Untrusted, match="over, or good for more"):
        bench.policy.check_signature(asked(signature=sign(bench.alice, expires=expires)))


def test_a_signature_is_remembered_for_longer_than_it_is_good(bench: Bench) -> None:
    signature = sign(bench.alice, expires=NOW)
    assert bench.store.use_nonce(signature, "cmd_1", NOW)
    assert not bench.store.use_nonce(signature, "cmd_2", NOW + SKEW_S + 1)


def test_the_vendors_signed_config_can_only_be_stricter(bench: Bench) -> None:
    bench.run(config={"agent:signed": ["read"], "agent:deny": ["drop"]})
    with pytest.raises(Forbidden):
        bench.policy.check_signature(asked("read"))
    with pytest.raises(Forbidden):
        bench.policy.check_signature(asked("wipe"))
    with pytest.raises(Forbidden):
        bench.policy.check(asked("drop"))


def test_a_command_that_the_release_does_not_declare_reaches_no_workload(bench: Bench) -> None:
    bench.run(DeclaredCommand(name="read", resource="worker"), DeclaredCommand(name="list", resource="worker"))
    bench.policy.check(asked("read"))
    with pytest.raises(Undeclared, match="these it does: list, read") as caught:
        bench.policy.check(asked("wipe"))
    assert caught.value.code == "UNKNOWN_COMMAND"
    bench.policy.check(asked("anything", to="api"))


@pytest.mark.parametrize("key", ["", "not a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_key_that_is_none_allows_nothing_and_is_named(bench: Bench, key: str) -> None:
    bench.say(senders={"alice": key})
    with pytest.raises(InvalidInput, match='the key of "alice"'):
        bench.policy.check(asked("read"))


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_only_the_signed_bytes_verify(signed: bytes, given: bytes) -> None:
    alice = sender()
    mine = Signed(deployment_id="d", command="c", params=signed)
    signature = alice.sign(mine, None, time.time() + 60)
    theirs = Signed(deployment_id="d", command="c", params=given)
    try:
        signing.check(theirs, signature, {"alice": pem(alice)}, time.time())
    except Untrusted:
        assert given != signed
    else:
        assert given == signed
