"""Stack programs on the embedded engine with the real plugin: five shapes, each right, refused and raising half-way."""

from pathlib import Path

import pytest
from contract.engine_project import Project, natives
from pulumi.automation import OpType
from pulumi.automation.errors import CommandError

HEAD = "import asyncio, pulumi, alien_iac as alien\n"
SHAPES = {
    "plain": "{body}\n",
    "invoke in the middle": """\
files = alien.Storage("files")
pulumi.runtime.sync_await._sync_await(asyncio.sleep(0.05))
{body}
""",
    "async": """\
async def main():
    await asyncio.sleep(0.05)
    {body}
pulumi.run(main)
files = alien.Storage("files")
""",
    "run after components": """\
files = alien.Storage("files")
async def main():
    await asyncio.sleep(0)
    {body}
    return {{"made": "yes"}}
pulumi.run(main)
""",
    "in a function": """\
def main():
    {body}
main()
""",
}
EXPECTED = ["alien:local:Directory docs", "alien:local:Kv sessions", "pulumi:providers:alien alien"]


def project(folder: Path, shape: str, body: str) -> Project:
    return Project.below(folder, HEAD + SHAPES[shape].format(body=body))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_program_is_built_and_taken_down(tmp_path: Path, shape: str) -> None:
    shop = project(tmp_path, shape, 'alien.Storage("docs"), alien.Kv("sessions")')
    stack = shop.open()
    outputs = stack.up().outputs
    assert set(EXPECTED) <= set(natives(stack))
    assert (shop.data / "storage" / "docs").is_dir()
    assert {kept["id"] for kept in outputs["alien"].value["kept"]} >= {"docs", "sessions"}
    again = stack.up().summary.resource_changes
    assert again is not None
    assert set(again) == {"same"}
    stack.destroy()
    assert natives(stack) == []
    assert not (shop.data / "storage" / "docs").exists()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_failing_check_makes_nothing_and_says_everything_once(tmp_path: Path, shape: str) -> None:
    shop = project(tmp_path, shape, 'alien.Storage("Docs", colour="blue"), alien.Queue("jobs", retention="9d")')
    stack = shop.open({"alien:colour": "blue"})
    with pytest.raises(CommandError) as refused:
        stack.up()
    said = str(refused.value)
    codes = ("CONFIG_UNKNOWN", "ARGUMENT_UNKNOWN", "ID_INVALID", "RANGE_INVALID")
    assert [said.count(f"[{code}]") for code in codes] == [1, 1, 1, 1]
    assert "the stack has 4 error(s), and nothing was created" in said
    assert "Traceback" not in said
    assert natives(stack) == []
    assert not shop.data.exists()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_program_that_raises_half_way_makes_nothing(tmp_path: Path, shape: str) -> None:
    shop = project(tmp_path, shape, 'alien.Storage("docs"); raise LookupError("the vendor\'s own mistake")')
    stack = shop.open()
    with pytest.raises(CommandError, match="the vendor's own mistake"):
        stack.up()
    assert natives(stack) == []
    assert not shop.data.exists()


def test_a_refused_change_leaves_what_runs_as_it_is(tmp_path: Path) -> None:
    shop = Project.below(tmp_path, HEAD + 'alien.Storage("docs"), alien.Kv("sessions")')
    stack = shop.open()
    stack.up()
    before = natives(stack)
    (tmp_path / "program" / "__main__.py").write_text(HEAD + 'alien.Storage("docs", colour="blue")')
    with pytest.raises(CommandError, match="ARGUMENT_UNKNOWN"):
        stack.up()
    assert natives(stack) == before
    assert (shop.data / "kv" / "sessions").is_dir()


def test_a_preview_writes_nothing(tmp_path: Path) -> None:
    shop = Project.below(tmp_path, HEAD + 'alien.Storage("docs"), alien.Queue("jobs")')
    stack = shop.open()
    assert stack.preview().change_summary[OpType.CREATE] >= 5
    assert natives(stack) == []
    assert not shop.data.exists()


def test_kept_data_survives_its_component(tmp_path: Path) -> None:
    shop = Project.below(tmp_path, HEAD + 'alien.Storage("docs", opts=pulumi.ResourceOptions(protect=False))')
    stack = shop.open({"alien:retain": "true"})
    stack.up()
    (shop.data / "storage" / "docs" / "a.txt").write_text("kept")
    stack.destroy()
    assert (shop.data / "storage" / "docs" / "a.txt").read_text() == "kept"


def test_default_providers_are_not_needed(tmp_path: Path) -> None:
    shop = Project.below(tmp_path, HEAD + 'alien.Storage("docs")')
    stack = shop.open({"pulumi:disable-default-providers": '["*"]'})
    stack.up()
    assert "alien:local:Directory docs" in natives(stack)
