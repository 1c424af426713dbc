"""Checkpoints: the model's and the CLI's are the same thing, and nothing is lost between them."""

import json
import math
from dataclasses import replace
from functools import partial

import pytest
from engine.files_workspace import PASSPHRASE, recorded
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.engine import checkpoint
from alien_iac.engine.backend import StackName
from alien_iac.engine.dialect import Json
from alien_iac.engine.model import SECRET, SIGNATURE, Operation, Resource, Snapshot
from alien_iac.engine.rename import checkpoint as renamed
from alien_iac.engine.secrets import Keyring, Plain
from alien_iac.errors import InvalidInput, Unsupported

LATEST = recorded("checkpoint.json")["checkpoint"]["latest"]
ENV = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
KEYRING = Keyring()


def opened(latest: dict[str, Json]) -> Snapshot:
    return checkpoint.snapshot_of(latest, lambda: KEYRING.of(checkpoint.salt_of(latest), ENV))


def secret(value: object) -> dict[str, Json]:
    return {SIGNATURE: SECRET, "value": value}


def without_ciphertexts(value: Json) -> Json:
    return json.loads(
        json.dumps(value), object_hook=lambda body: {**body, **{k: "…" for k in ("ciphertext", "time") if k in body}}
    )


def test_secrets_of_a_recording_are_opened() -> None:
    root = opened(LATEST).resources[0]
    assert root.outputs == {"config": secret("swordfish"), "open": "plain", "token": secret("hunter2")}


def test_a_recording_is_written_as_it_was_read() -> None:
    cipher = KEYRING.of(checkpoint.salt_of(LATEST), ENV)
    again = checkpoint.deployment(opened(LATEST), cipher.salt, LATEST, partial(checkpoint.encode, cipher=cipher))
    assert json.dumps(without_ciphertexts(again)) == json.dumps(without_ciphertexts(LATEST))


def test_an_empty_stack_is_written_as_recorded() -> None:
    destroyed = recorded("destroyed.json")
    salt = checkpoint.salt_of(destroyed["checkpoint"]["latest"])
    text = checkpoint.text(destroyed["checkpoint"]["stack"], checkpoint.empty(salt))
    assert json.dumps(without_ciphertexts(json.loads(text))) == json.dumps(without_ciphertexts(destroyed))
    assert "\n" not in text
    assert ": " not in text


def test_what_this_engine_does_not_know_is_kept() -> None:
    body = {**LATEST["resources"][2], "taint": True, "stackTrace": [{"sourcePosition": "x"}], "novel": {"a": [1]}}
    latest = {
        **LATEST,
        "resources": [body],
        "snippets": [{"uuid": "u"}],
        "metadata": {"integrity_error": {"error": "e"}},
    }
    again = checkpoint.deployment(opened(latest), "", latest, partial(checkpoint.encode, cipher=Plain()))
    kept = again["resources"][0]
    assert (kept["taint"], kept["stackTrace"], kept["novel"]) == (True, [{"sourcePosition": "x"}], {"a": [1]})
    assert list(kept).index("taint") < list(kept).index("provider") < list(kept).index("stackTrace")
    assert (again["snippets"], again["metadata"]) == (latest["snippets"], latest["metadata"])


def test_pending_operations_come_back() -> None:
    thing = Resource(
        urn="urn:pulumi:s::p::a:b:C::c", type="a:b:C", custom=True, inputs={"k": secret({"deep": secret(1)})}
    )
    latest = checkpoint.deployment(
        Snapshot((), (Operation(thing, "creating"),)), "salt", {}, partial(checkpoint.encode, cipher=Plain())
    )
    assert "resources" not in latest
    assert checkpoint.snapshot_of(latest, Plain) == Snapshot((), (Operation(thing, "creating"),))


def test_an_export_shows_secrets_as_recorded() -> None:
    export = recorded("export.json")["deployment"]
    shown = checkpoint.deployment(
        opened(export),
        checkpoint.salt_of(export),
        export,
        partial(checkpoint.encode, cipher=Plain(), show_secrets=True),
    )
    assert json.dumps({**shown, "manifest": export["manifest"]}) == json.dumps(export)


def test_secrets_are_hidden_at_any_depth() -> None:
    value = {"a": [secret({"b": secret("x")})], "c": secret(1)}
    assert checkpoint.revealed(value, show_secrets=False) == {"a": ["[secret]"], "c": "[secret]"}
    assert checkpoint.revealed(value, show_secrets=True) == {"a": [{"b": "x"}], "c": 1}


def test_numbers_that_json_has_no_word_for() -> None:
    cipher = Plain()
    written = checkpoint.sealed({"a": [math.inf, secret(-math.inf)], "b": 0.5}, cipher)
    assert written["a"][0] == {SIGNATURE: "8ad145fe-0d11-4827-bfd7-1abcbf086f5c", "value": "7ff0000000000000"}
    assert checkpoint.opened(written, cipher) == {"a": [math.inf, secret(-math.inf)], "b": 0.5}


@pytest.mark.parametrize("more", [{}, {"ciphertext": "c", "plaintext": "p"}])
def test_a_malformed_secret_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="exactly one"):
        checkpoint.opened({SIGNATURE: SECRET, **more}, Plain())


def test_a_state_with_unknown_features_is_refused() -> None:
    with pytest.raises(Unsupported, match="hooks"):
        checkpoint.refuse_other_versions({"version": 4, "features": ["hooks"]})


def test_a_state_sealed_by_a_cloud_is_refused() -> None:
    with pytest.raises(Unsupported, match="awskms"):
        checkpoint.salt_of({"secrets_providers": {"type": "awskms"}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | inner.map(secret),
    max_leaves=12,
)


@settings(deadline=None)  # files and keys take what they take
@given(
    inputs=st.dictionaries(st.text(), json_values, max_size=4),
    outputs=st.dictionaries(st.text(), json_values, max_size=4),
)
def test_any_properties_survive(inputs: dict[str, Json], outputs: dict[str, Json]) -> None:
    cipher = KEYRING.of(checkpoint.salt_of(LATEST), ENV)
    thing = Resource(urn="urn:pulumi:s::p::a:b:C::c", type="a:b:C", custom=True, inputs=inputs, outputs=outputs)
    text = json.dumps(checkpoint.encode(thing, cipher))
    assert checkpoint.decode(json.loads(text), cipher) == thing


def test_a_rename_reaches_every_urn_and_no_text() -> None:
    old, new = StackName("probe-test", "s"), StackName("other", "t")
    body = json.loads(json.dumps(recorded("checkpoint.json")["checkpoint"]))
    thing = body["latest"]["resources"][2]
    thing["dependencies"] = [body["latest"]["resources"][0]["urn"]]
    thing["inputs"]["note"] = thing["urn"]
    thing["inputs"]["ref"] = {SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": thing["urn"]}
    after = renamed(body, old, new)
    root, provider, moved = after["latest"]["resources"]
    assert (after["stack"], root["urn"]) == (
        "organization/other/t",
        "urn:pulumi:t::other::pulumi:pulumi:Stack::other-t",
    )
    assert moved["urn"] == "urn:pulumi:t::other::probe:index:Thing::s"
    assert moved["parent"] == root["urn"]
    assert moved["dependencies"] == [root["urn"]]
    assert moved["provider"] == f"{provider['urn']}::{provider['id']}"
    assert moved["inputs"]["ref"]["urn"] == moved["urn"]
    assert moved["inputs"]["note"] == thing["urn"]


def test_snapshots_do_not_need_a_passphrase_without_secrets() -> None:
    def refuse() -> Plain:
        raise AssertionError("asked for a key")

    plain = {**LATEST, "resources": [LATEST["resources"][1]]}
    assert replace(checkpoint.snapshot_of(plain, refuse).resources[0], rest={}).id
