"""What holds for every component on every platform."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
from contract.conftest import Run
from contract.programs import MAKE, everything, nothing

import alien_iac as alien
from alien_iac import platforms
from alien_iac.models.arguments import Kind
from alien_iac.models.platform import Platform
from alien_iac.resources.tokens import TOKENS
from alien_iac.testing.monitor import Resource
from alien_iac.testing.recording import Recording

KINDS = sorted(MAKE)
LONG = "a-name-with-forty-characters-in-it-12345"
DATA = ("Storage", "Kv", "Queue", "Secret")


def natives(recording: Recording) -> list[Resource]:
    """The platform's own resources; providers are the ground that they stand on."""
    return [r for r in recording.resources if r.custom and not r.type.startswith("pulumi:")]


@pytest.mark.parametrize("preview", [False, True])
def test_every_native_resource_has_a_component_above_it_and_the_pinned_provider(run: Run, preview: bool) -> None:  # noqa: FBT001
    recording = run(everything, preview=preview)
    assert recording.error is None
    components = {r.urn for r in recording.resources if r.type in TOKENS.values()}
    assert natives(recording)
    for native in natives(recording):
        assert native.parent in components, native.urn
        assert "pulumi:providers:" in native.provider, native.urn


@pytest.mark.parametrize("preview", [False, True])
def test_every_component_registers_its_outputs(run: Run, preview: bool) -> None:  # noqa: FBT001
    recording = run(everything, preview=preview)
    components = [r for r in recording.resources if r.type in TOKENS.values()]
    assert len(components) == 8
    assert [r.urn for r in components if r.outputs is None] == []


def test_no_urn_and_no_name_of_a_type_is_taken_twice(run: Run) -> None:
    counted = Counter((r.type, r.name) for r in run(everything).resources)
    assert [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("kind", KINDS)
def test_two_of_a_kind_live_side_by_side(run: Run, kind: Kind) -> None:
    recording = run(lambda: (MAKE[kind]("one"), MAKE[kind]("two")))
    assert recording.error is None
    assert [r.name for r in recording.of_type(TOKENS[kind])] == ["one", "two"]
    one, two = (len(recording.children(r)) for r in recording.of_type(TOKENS[kind]))
    assert one == two > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_of_forty_characters_fits(run: Run, kind: Kind) -> None:
    assert run(lambda: MAKE[kind](LONG)).error is None


@pytest.mark.parametrize("kind", KINDS)
def test_children_are_named_after_their_component(run: Run, kind: Kind) -> None:
    recording = run(lambda: MAKE[kind]("thing"))
    (component,) = recording.of_type(TOKENS[kind])
    assert all(child.name == "thing" or child.name.startswith("thing-") for child in recording.children(component))


@pytest.mark.parametrize("kind", KINDS)
def test_data_is_protected_and_outlives_the_stack(run: Run, kind: Kind) -> None:
    recording = run(lambda: MAKE[kind]("thing"))
    (component,) = recording.of_type(TOKENS[kind])
    child = recording.children(component)[0]
    assert (child.protect, child.retain_on_delete) == (kind in DATA, kind in DATA)


@pytest.mark.parametrize("kind", DATA)
def test_retain_false_lets_data_go_with_the_stack(run: Run, kind: Kind) -> None:
    recording = run(lambda: MAKE[kind]("thing"), {"alien:retain": "false"})
    assert not [r for r in natives(recording) if r.protect or r.retain_on_delete]


def test_a_volume_is_data(run: Run) -> None:
    def program() -> None:
        alien.Container("index", source="api", volumes=[alien.Volume("/data")])

    kept = [r for r in natives(run(program)) if r.protect]
    assert kept
    assert all(r.retain_on_delete for r in kept)


@pytest.mark.parametrize("kind", KINDS)
def test_options_of_the_author_are_honoured(run: Run, kind: Kind) -> None:
    def program() -> None:
        first = alien.Storage("first")
        opts = pulumi.ResourceOptions(
            protect=kind not in DATA,
            retain_on_delete=False,
            aliases=[pulumi.Alias(name="former")],
            ignore_changes=["env"],
            depends_on=[first],
        )
        MAKE[kind]("thing", opts=opts)

    recording = run(program)
    assert recording.error is None
    component = recording.one(TOKENS[kind], "thing")
    storage = next(r for r in natives(recording) if r.name == "first")
    assert component.aliases == ("former",)
    for child in recording.children(component):
        assert child.protect is (kind not in DATA)
        assert child.retain_on_delete is False
        assert child.ignore_changes == ("env",)
        assert storage.urn in child.depends_on


@pytest.mark.parametrize("kind", KINDS)
def test_a_component_lives_under_another_one(run: Run, kind: Kind) -> None:
    class Product(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("vendor:index:Product", "product")
            MAKE[kind]("thing", opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({})

    recording = run(Product)
    assert recording.one(TOKENS[kind], "thing").parent == recording.one("vendor:index:Product", "product").urn


@pytest.mark.parametrize("kind", KINDS)
def test_every_role_can_be_transformed_and_read(run: Run, kind: Kind, platform: Platform) -> None:
    seen: list[str] = []

    def change(role: str) -> Any:
        def changed(
            props: dict[str, Any], opts: pulumi.ResourceOptions
        ) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
            seen.append(role)
            changes = pulumi.ResourceOptions(ignore_changes=[role])
            return props, pulumi.ResourceOptions.merge(opts, changes)

        return changed

    def program() -> None:
        roles = platforms.support(platform).roles[kind]
        component = MAKE[kind]("thing", transform={role: change(role) for role in roles})
        for role in roles:
            pulumi.export(role, component.native[role].apply(urns))

    recording = run(program)
    assert recording.error is None
    changed = {r.urn: r.ignore_changes for r in natives(recording) if r.ignore_changes}
    told = {urn: (role,) for role in set(seen) for urn in recording.outputs[role]}
    assert changed == told
    assert len(changed) == len(seen) > 0


def urns(native: Any) -> pulumi.Output[list[str]]:
    """All of a role's resources: a role that this component has no use for has none."""
    resources = native if isinstance(native, list) else [native]
    return pulumi.Output.all(*(resource.urn for resource in resources if resource is not None))


@pytest.mark.parametrize("kind", KINDS)
def test_every_native_resource_below_a_component_has_a_role(run: Run, kind: Kind, platform: Platform) -> None:
    def unchanged(props: dict[str, Any], opts: pulumi.ResourceOptions) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
        return props, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["seen"]))

    transform = dict.fromkeys(platforms.support(platform).roles[kind], unchanged)
    recording = run(lambda: MAKE[kind]("thing", transform=transform))
    (component,) = recording.of_type(TOKENS[kind])
    assert [r.urn for r in recording.children(component) if r.ignore_changes != ("seen",)] == []


def test_a_transform_that_raises_is_told_in_one_line(run: Run) -> None:
    def program() -> None:
        def broken(*_: object) -> Any:
            raise ValueError("no")

        alien.Storage("files", transform=dict.fromkeys(alien.Storage("other").native, broken))

    recording = run(program)
    assert isinstance(recording.error, pulumi.RunError)
    assert "files: the transform of " in str(recording.error)
    assert str(recording.error).endswith(" raised ValueError: no")


def test_a_role_that_is_not_there_is_named(run: Run) -> None:
    recording = run(lambda: alien.Storage("files").native["nonsense"])
    assert isinstance(recording.error, KeyError)
    assert 'files has no role "nonsense" here; it has ' in str(recording.error)


def test_values_of_env_may_be_outputs(run: Run) -> None:
    def program() -> None:
        given = {"PLAIN": "a", "LATER": pulumi.Output.from_input("b"), "SECRET": pulumi.Output.secret("c")}
        MAKE["Function"]("worker", env={**given, "SOON": asyncio.sleep(0, "d")})

    recording = run(program)
    assert recording.error is None
    told = set(variables([r.inputs for r in natives(recording)]))
    assert told >= {("PLAIN", "a"), ("LATER", "b"), ("SOON", "d")}


def variables(value: Any) -> Iterator[tuple[str, str]]:
    """What may be environment variables: a mapping's texts, or the `name` and `value` of a list's items."""
    if isinstance(value, list):
        for item in value:
            yield from variables(item)
    elif isinstance(value, Mapping):
        yield from ((name, text) for name, text in value.items() if isinstance(text, str))
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            yield value["name"], value["value"]
        yield from variables(list(value.values()))


def test_one_pinned_provider_serves_components_and_raw_resources(run: Run) -> None:
    class Raw(pulumi.CustomResource):
        def __init__(self, provider: pulumi.ProviderResource) -> None:
            opts = pulumi.ResourceOptions(provider=provider)
            super().__init__(f"{provider.package}:index:Raw", "raw", {}, opts)

    recording = run(lambda: (Raw(alien.provider()), everything()))
    assert recording.error is None
    raw = next(r for r in recording.resources if r.name == "raw")
    package = raw.type.partition(":")[0]  # what is of our own plugin has a provider of its own
    assert {r.provider for r in natives(recording) if r.type.partition(":")[0] == package} == {raw.provider}


def test_a_provider_of_the_author_comes_before_the_pinned_one(run: Run) -> None:
    class Own(pulumi.ProviderResource):
        def __init__(self, package: str) -> None:
            super().__init__(package, "own", {})

    def program() -> None:
        own = Own(alien.provider().package)
        alien.Storage("files", opts=pulumi.ResourceOptions(providers=[own]))
        alien.Storage("other")

    recording = run(program)
    providers = {r.name: r.provider.split("::")[-2] for r in natives(recording)}
    assert providers["files"] == "own"
    assert providers["other"] != "own"


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_component_shows_nothing_of_its_arguments(run: Run, kind: Kind) -> None:
    recording = run(lambda: pulumi.export("thing", MAKE[kind]("thing", transform={})))
    assert recording.error is None
    assert set(recording.outputs["thing"]) <= {"id", "kind", "urn"}


def test_a_program_without_components_is_left_alone(run: Run) -> None:
    def program() -> None:
        nothing()
        pulumi.export("x", 1)

    recording = run(program)
    assert recording.error is None
    assert recording.outputs["x"] == 1
    assert not recording.resources


def test_a_containers_token_is_where_its_identity_alone_reads_it(run: Run, platform: Platform) -> None:
    def program() -> None:
        alien.Container("api", source="./api", port=8080, commands=True)

    recording = run(program, {"alien:agentUrl": "http://127.0.0.1:4100"})
    told = recording.outputs["alien"]
    (workload,) = told["workloads"]
    if platform is Platform.LOCAL:
        assert workload["tokenFile"]
        assert "tokenSecret" not in workload
        return
    assert workload["tokenSecret"] == "api-commands"
    assert told["secrets"]["api-commands"]
    assert "api-commands" not in {one["id"] for one in told["kept"]}
    own = recording.one("alien:index:Secret", "api-commands")
    assert not any(each.protect or each.retain_on_delete for each in recording.children(own))


PUSHED = {"alien:controlPlane": "https://control.example", "alien:deploymentId": "dep_1"}


@pytest.mark.parametrize("kind", ["Function", "Container"])
def test_where_no_agent_is_a_workload_asks_the_control_plane_itself(run: Run, kind: Kind) -> None:
    recording = run(lambda: MAKE[kind]("api", commands=True), PUSHED)
    assert recording.error is None
    (workload,) = recording.outputs["alien"]["workloads"]
    assert workload["tokenSecret"] == "api-commands"
    assert recording.outputs["alien"]["secrets"]["api-commands"]
    own = recording.one("alien:index:Secret", "api-commands")
    assert not any(each.protect or each.retain_on_delete for each in recording.children(own))
    told = json.dumps([dict(r.inputs) for r in natives(recording)])  # ECS and machines have theirs within a text
    for name in ("URL", "TOKEN_SECRET", "TARGET_RESOURCE_ID", "TARGET_RESOURCE_TYPE"):
        assert f"ALIEN_COMMANDS_{name}" in told
    assert "https://control.example/v1" in told
    assert "dep_1" in told
    assert "ALIEN_AGENT_URL" not in told


def test_a_function_without_commands_asks_nobody(run: Run) -> None:
    recording = run(lambda: alien.Function("api", source="worker"), PUSHED)
    assert "ALIEN_COMMANDS_URL" not in dict(pair for r in natives(recording) for pair in variables([r.inputs]))


def test_a_container_without_an_agent_has_no_token(run: Run) -> None:
    recording = run(lambda: alien.Container("api", source="./api", port=8080, commands=True))
    assert not recording.of_type("alien:index:Secret")
