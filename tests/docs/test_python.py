"""Every Python block of the documentation runs: stack programs are checked and built, handlers are loaded."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from docs.doc_pages import ROOT, Block, blocks

from alien_iac.testing.recording import config_for, record, surroundings

_SOURCE = re.compile(r'source="\./([\w-]+)"')
BLOCKS = blocks("python")


def is_stack(block: Block) -> bool:
    return "import alien_iac as alien" in block.text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", [one for one in BLOCKS if is_stack(one)], ids=lambda block: block.place)
def test_a_stack_program_is_built_without_a_finding(block: Block, folder: Path) -> None:
    for source in _SOURCE.findall(block.text):
        (folder / source).mkdir()
        (folder / source / "main.py").touch()
    program = folder / "__main__.py"
    program.write_text(block.text, encoding="utf-8")
    if "alien_iac.testing" in block.text:
        runpy.run_path(str(program))
        return
    recording = record(lambda: runpy.run_path(str(program)) and None, surroundings(folder, config_for("local")))
    assert recording.error is None
    assert recording.resources


@pytest.mark.parametrize("block", [one for one in BLOCKS if not is_stack(one)], ids=lambda block: block.place)
def test_handlers_load(block: Block, folder: Path) -> None:
    (folder / "main.py").write_text(block.text, encoding="utf-8")
    described = [sys.executable, "-m", "alien_iac.runtime.describe", str(folder)]
    done = subprocess.run(described, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in re.findall(r'@command\("([\w-]+)"\)', block.text):
        assert name in done.stdout


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.mark.startswith("file: ")], ids=lambda one: one.place)
def test_a_block_that_is_a_file_has_its_text(block: Block, rewrite: bool) -> None:  # noqa: FBT001 - a fixture
    text = (ROOT / block.mark.removeprefix("file: ")).read_text(encoding="utf-8")
    if rewrite:
        page = block.page.read_text(encoding="utf-8")
        mark = f"<!-- {block.mark} -->\n```python\n"
        block.page.write_text(page.replace(f"{mark}{block.text}```", f"{mark}{text}```"), encoding="utf-8")
        return
    assert block.text == text, "run `make golden`"
