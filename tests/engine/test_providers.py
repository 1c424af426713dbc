"""Providers explicit and by default, functions, reads, stack references, refreshes."""

import json
from pathlib import Path

import pulumi
import pytest
from engine.probe_programs import Program, Thing, empty, one, things
from engine.probed import Probed
from pulumi import ComponentResource, InvokeOptions, Output, ProviderResource, ResourceOptions, StackReference

from alien_iac.engine.command import EmbeddedPulumi


@pytest.fixture
def probed(tmp_path: Path) -> Probed:
    return Probed(tmp_path, EmbeddedPulumi())


class Probe(ProviderResource):
    def __init__(self, name: str, opts: ResourceOptions | None = None, **props: object) -> None:
        super().__init__("probe", name, props, opts)


def configured(probed: Probed) -> list[object]:
    return [json.loads(line) for line in (probed.folder / "world" / "configured.jsonl").read_text().splitlines()]


def with_provider(region: str) -> Program:
    def program() -> None:
        provider = Probe("p", region=region, key=Output.secret("k"))
        Thing("a", ResourceOptions(provider=provider), value="1")

    return program


def test_an_explicit_provider_is_configured_once_and_kept(probed: Probed) -> None:
    assert probed.up(with_provider("x")) == {"create": 3}
    assert configured(probed) == [{"region": "x", "key": "k"}]
    assert probed.resource("p")["inputs"]["key"]["plaintext"] == '"k"'
    assert probed.resource("a")["provider"] == f"{probed.resource('p')['urn']}::{probed.resource('p')['id']}"
    assert probed.up(with_provider("x")) == {"same": 3}
    assert probed.up(with_provider("y")) == {"same": 2, "update": 1}
    assert configured(probed)[-1] == {"region": "y", "key": "k"}
    probed.run("destroy", empty)
    assert probed.world() == {}


def test_a_component_hands_its_providers_on(probed: Probed) -> None:
    def program() -> None:
        above = ComponentResource("probe:index:Group", "g", None, ResourceOptions(providers=[Probe("p", region="x")]))
        below = ComponentResource("probe:index:Group", "h", None, ResourceOptions(parent=above))
        Thing("a", ResourceOptions(parent=below), value="1")

    probed.up(program)
    assert "pulumi:providers:probe::p::" in probed.resource("a")["provider"]


def test_config_configures_the_default_provider(probed: Probed) -> None:
    probed.stack.set_config("probe:region", pulumi.automation.ConfigValue("x"))
    probed.up(one())
    assert configured(probed) == [{"region": "x", "version": "1.0.0"}]


@pytest.mark.parametrize("barred", ['["probe"]', '["*"]'])
def test_default_providers_can_be_forbidden(probed: Probed, barred: str) -> None:
    probed.stack.set_config("pulumi:disable-default-providers", pulumi.automation.ConfigValue(barred))
    said = probed.failing("up", one())
    assert "Default provider for 'probe' disabled." in said
    assert "Thing::a' must use an explicit provider." in said
    assert probed.up(with_provider("x")) == {"same": 1, "create": 2}


def test_a_provider_that_is_not_there_is_named(probed: Probed) -> None:
    said = probed.failing("up", lambda: (pulumi.CustomResource("absent:index:Thing", "a", {}), None)[1])
    assert "no resource plugin 'pulumi-resource-absent'" in said


def test_functions_answer(probed: Probed) -> None:
    def program() -> None:
        answer = pulumi.runtime.invoke("probe:index:echo", {"x": 1}, InvokeOptions(version="1.0.0"))
        pulumi.export("echo", answer.value["echo"]["x"])

    probed.up(program)
    assert probed.stack.outputs()["echo"].value == 1


def test_a_resource_is_found_by_its_urn(probed: Probed) -> None:
    def program() -> None:
        thing = Thing("a", value="1")
        found = thing.urn.apply(lambda urn: pulumi.runtime.invoke("pulumi:pulumi:getResource", {"urn": urn}).value)
        pulumi.export("found", found["state"]["value"])

    probed.up(program)
    assert probed.stack.outputs()["found"].value == "1"


def test_a_resource_of_others_is_read_and_never_deleted(probed: Probed) -> None:
    probed.up(one())
    (thing,) = probed.world()
    other = Probed(probed.folder, probed.command, name="other", project="elsewhere")

    def program() -> None:
        read = Thing("there", ResourceOptions(id=thing), value=None)
        pulumi.export("value", read.value)

    assert other.up(program) == {"create": 1}
    assert other.stack.outputs()["value"].value == "1"
    assert other.resource("there")["external"] is True
    other.run("destroy", empty)
    assert list(probed.world()) == [thing]


def test_reading_what_is_not_there_fails(probed: Probed) -> None:
    said = probed.failing("up", lambda: (Thing("there", ResourceOptions(id="none")), None)[1])
    assert "resource 'none' does not exist" in said


def test_a_stack_reads_the_outputs_of_another(probed: Probed) -> None:
    def source() -> None:
        pulumi.export("open", {"n": 1})
        pulumi.export("closed", Output.secret("hunter2"))

    def target() -> None:
        reference = StackReference("organization/probe-test/s")
        pulumi.export("n", reference.get_output("open")["n"])
        pulumi.export("closed", reference.get_output("closed"))

    probed.up(source)
    other = Probed(probed.folder, probed.command, name="t", project="elsewhere")
    other.up(target)
    outputs = other.stack.outputs()
    assert outputs["n"].value == 1
    assert (outputs["closed"].value, outputs["closed"].secret) == ("hunter2", True)
    assert "hunter2" not in (probed.folder / "backend/.pulumi/stacks/elsewhere/t.json").read_text()
    said = other.failing("up", lambda: (StackReference("organization/probe-test/none"), None)[1])
    assert "none" in said


def test_a_refresh_takes_over_what_changed_and_drops_what_is_gone(probed: Probed) -> None:
    program = things(("a", {"value": "1"}), ("b", {"value": "2"}))
    probed.up(program)
    gone, changed = probed.resource("a")["id"], probed.resource("b")["id"]
    places = probed.folder / "world" / "things"
    (places / f"{gone}.json").unlink()
    (places / f"{changed}.json").write_text(json.dumps({"inputs": {"value": "drifted"}, "serial": 5}))
    changes = probed.run("refresh", program).summary.resource_changes
    assert changes == {"same": 1, "update": 1, "delete": 1}
    assert probed.names() == ["b"]
    assert probed.resource("b")["outputs"] == {"value": "drifted", "serial": 5}
    assert probed.up(program) == {"same": 1, "create": 1, "update": 1}
    assert probed.resource("b")["outputs"] == {"value": "2", "serial": 6}


def test_drift_in_outputs_alone_asks_the_provider(probed: Probed) -> None:
    probed.up(one())
    deployment = probed.stack.export_stack()
    assert deployment.deployment is not None
    (thing,) = [r for r in deployment.deployment["resources"] if r["type"] == "probe:index:Thing"]
    thing["outputs"]["value"] = "drifted"
    probed.stack.import_stack(deployment)
    started = (probed.folder / "world" / "plugins").read_text()
    probed.up(one())
    assert (probed.folder / "world" / "plugins").read_text() != started


def test_secrets_of_the_config_are_hidden_in_what_is_said(probed: Probed) -> None:
    probed.stack.set_config("password", pulumi.automation.ConfigValue("swordfish", secret=True))

    def program() -> None:
        pulumi.log.warn(f"the password is {pulumi.Config().require('password')}")

    said = probed.run("up", program).stdout
    assert "the password is [secret]" in said
    assert "swordfish" not in said + str([vars(event) for event in probed.seen])
