"""Plan, then build, whatever the shape of the stack program."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from contract.conftest import Run
from contract.programs import everything

import alien_iac as alien
from alien_iac.errors import StackInvalid
from alien_iac.testing.recording import Recording


def invoke() -> None:
    pulumi.runtime.invoke("ground:index:lookUp", {})


def plain() -> None:
    everything()


def invoke_in_the_middle() -> None:
    made = everything()
    invoke()
    made["index"].link(made["files"].reader())  # type: ignore[attr-defined]  # it is a Storage


async def asynchronous() -> None:
    made = everything()
    await asyncio.sleep(0.01)
    made["index"].link(made["files"].reader())  # type: ignore[attr-defined]  # it is a Storage


def run_later() -> None:
    files = alien.Storage("early")

    async def main() -> dict[str, Any]:
        await asyncio.sleep(0)
        everything()["index"].link(files)
        return {"later": 1}

    pulumi.run(main)


SHAPES: tuple[Callable[[], Any], ...] = (plain, invoke_in_the_middle, asynchronous, run_later)


def natives(recording: Recording) -> list[str]:
    return [r.name for r in recording.resources if r.custom and not r.type.startswith("pulumi:")]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("preview", [False, True])
def test_a_program_of_any_shape_is_built_when_it_has_ended(run: Run, shape: Callable[[], Any], preview: bool) -> None:  # noqa: FBT001
    recording = run(shape, preview=preview)
    assert recording.error is None
    assert {"files", "sessions", "jobs", "crm", "index", "api", "worker"} <= set(natives(recording))
    assert preview or recording.outputs["alien"]["workloads"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_failing_check_builds_nothing_in_any_shape(run: Run, shape: Callable[[], Any]) -> None:
    def program() -> Any:
        alien.Queue("bad", retention="9d")
        return shape()

    recording = run(program)
    assert isinstance(recording.error, StackInvalid)
    assert isinstance(recording.error, pulumi.RunError)
    assert [f.code for f in recording.findings if f.severity == "error"] == ["RANGE_INVALID"]
    assert natives(recording) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_program_that_raises_half_way_builds_nothing(run: Run, shape: Callable[[], Any]) -> None:
    def program() -> Any:
        shape()
        raise LookupError("the vendor's own mistake")

    async def program_async() -> None:
        await shape()
        raise LookupError("the vendor's own mistake")

    recording = run(program_async if asyncio.iscoroutinefunction(shape) else program)
    assert isinstance(recording.error, LookupError)
    assert natives(recording) == []


def raises_in_run() -> None:
    async def main() -> None:
        everything()
        await asyncio.sleep(0)
        raise LookupError("the vendor's own mistake")

    pulumi.run(main)


def exports_and_raises() -> None:
    pulumi.export("url", everything()["api"].native)
    Raw(everything.__name__, alien.Storage("held").native)
    raise LookupError("the vendor's own mistake")


class Raw(pulumi.CustomResource):
    """A resource of another provider that waits for a component's Output."""

    def __init__(self, name: str, value: pulumi.Input[Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ground:index:Raw", name, {"value": value}, opts)


@pytest.mark.parametrize("program", [raises_in_run, exports_and_raises])
def test_whoever_waits_for_a_component_that_is_never_built_does_not_wait_for_ever(
    run: Run, program: Callable[[], Any]
) -> None:
    recording = run(program)
    assert isinstance(recording.error, LookupError)
    assert natives(recording) == []


def test_raw_resources_wait_for_what_a_component_promised(run: Run) -> None:
    def program() -> None:
        files = alien.Storage("files")
        role = next(iter(files.native))
        Raw("raw", files.native[role].urn)
        pulumi.export("urn", files.native[role].urn)

    recording = run(program)
    assert recording.error is None
    raw = recording.one("ground:index:Raw", "raw")
    assert raw.inputs["value"] == recording.outputs["urn"]
    assert raw.depends_on == (recording.outputs["urn"],)


def test_a_raw_resource_may_depend_on_a_native_one_before_it_is_built(run: Run) -> None:
    async def program() -> None:
        files = alien.Storage("files")
        native = files.native[next(iter(files.native))]
        Raw("raw", "x", pulumi.ResourceOptions(depends_on=[native]))
        await asyncio.sleep(0.01)

    recording = run(program)
    assert recording.error is None
    (urn,) = (r.urn for r in recording.resources if r.custom and r.name == "files")
    assert recording.one("ground:index:Raw", "raw").depends_on == (urn,)


def test_an_unknown_platform_is_a_finding_even_where_its_roles_are_used(run: Run) -> None:
    recording = run(lambda: alien.Storage("files").native["bucket"], {"alien:platform": "ibm"})
    assert recording.codes == ("CONFIG_INVALID",)


def test_the_pinned_provider_of_a_wrong_config_is_refused(run: Run) -> None:
    recording = run(alien.provider, {"alien:platform": "ibm"})
    assert recording.codes == ("CONFIG_INVALID",)


def test_frozen_components_are_told(run: Run) -> None:
    recording = run(lambda: (alien.Storage("files", frozen=True), alien.Kv("kv")))
    assert recording.outputs["alien"]["frozen"] == ["files"]


def test_a_raw_resource_of_a_refused_stack_is_never_made(run: Run) -> None:
    def program() -> None:
        files = alien.Storage("files", colour="blue")  # type: ignore[arg-type]  # wrong on purpose
        Raw("raw", files.native[next(iter(files.native))].urn)

    recording = run(program)
    assert recording.codes == ("ARGUMENT_UNKNOWN",)
    assert natives(recording) == []


def test_a_component_made_in_an_apply_is_checked_and_built_alone(run: Run) -> None:
    def program() -> None:
        first = alien.Storage("first")
        pulumi.Output.from_input(1).apply(lambda _: alien.Kv("late").resource_id)
        pulumi.export("first", first.native[next(iter(first.native))].urn)

    recording = run(program)
    assert recording.error is None
    assert {"first", "late"} <= set(natives(recording))
    assert [m for m in recording.messages if m.startswith("late: ") and m.endswith("[LATE]")]


def test_a_wrong_component_made_in_an_apply_is_refused_alone(run: Run) -> None:
    def program() -> None:
        alien.Storage("first")
        pulumi.Output.from_input(1).apply(lambda _: alien.Queue("late", retention="9d").resource_id)

    recording = run(program)
    assert "RANGE_INVALID" in recording.codes
    assert "late" not in natives(recording)


def test_a_link_that_comes_too_late_says_so(run: Run) -> None:
    def program() -> None:
        files = alien.Storage("files")
        worker = alien.Function("worker", source="worker")
        worker.url.apply(lambda _: worker.link(files))

    recording = run(program)
    assert "worker is built already" in str(recording.error)


def test_a_component_outside_of_a_program_says_what_to_do() -> None:
    pulumi.runtime.settings.set_root_resource(None)  # type: ignore[arg-type]  # no program runs
    with pytest.raises(pulumi.RunError, match="no Pulumi program runs"):
        alien.Storage("files")
