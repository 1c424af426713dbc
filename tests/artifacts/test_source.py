"""A source folder becomes one artifact: the same bytes everywhere, its requirements inside, made once."""

import os
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from artifacts import tiny_wheel

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.packaging.source import Target, package
from alien_iac.packaging.unpack import unpack


def app(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("import tiny\n")
    (folder / "data").mkdir()
    (folder / "data" / "täst.txt").write_text("x" * 1000)
    script = folder / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    return folder


def with_requirements(folder: Path) -> Path:
    app(folder)
    tiny_wheel.make(folder / "wheels", script=True)
    tiny_wheel.requirements(folder, "tiny", "alien-iac>=99")
    (folder / ".alienignore").write_text("wheels/\n")
    return folder


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_two_builds_in_other_folders_at_other_times_give_the_same_bytes(tmp_path: Path) -> None:
    first = package(with_requirements(tmp_path / "a" / "app"), Target(), tmp_path / "cache-1")
    second_source = with_requirements(tmp_path / "long" / "er" / "app")
    for path in second_source.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    mask = os.umask(0o077)
    try:
        shutil.copytree(second_source, tmp_path / "copy")
        second = package(tmp_path / "copy", Target(), tmp_path / "deep" / "cache-2")
    finally:
        os.umask(mask)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.name == f"{first.sha256}.zip"


def test_requirements_are_installed_and_ours_is_left_out(tmp_path: Path) -> None:
    made = package(with_requirements(tmp_path / "app"), Target(), tmp_path / "cache")
    assert names(made.path) == [
        ".python/bin/tiny-say",
        ".python/tiny-1.0.dist-info/METADATA",
        ".python/tiny-1.0.dist-info/WHEEL",
        ".python/tiny-1.0.dist-info/entry_points.txt",
        ".python/tiny.py",
        "data/täst.txt",
        "main.py",
        "requirements.txt",
        "run.sh",
    ]
    unpack(made.path, tmp_path / "out")
    script = tmp_path / "out" / ".python" / "bin" / "tiny-say"
    assert script.read_text().startswith("#!/usr/bin/env python3\n")
    assert script.stat().st_mode & 0o111
    assert not (tmp_path / "out" / "main.py").stat().st_mode & 0o111
    said = subprocess.run([sys.executable, "main.py"], cwd=tmp_path / "out", env={"PYTHONPATH": ".python"}, check=False)
    assert said.returncode == 0


def test_what_a_requirement_needs_comes_too_but_never_alien_iac(tmp_path: Path) -> None:
    folder = app(tmp_path / "app")
    tiny_wheel.make(folder / "wheels", requires=("other", "alien-iac[deploy]>=1"))
    tiny_wheel.make(folder / "wheels", "other")
    tiny_wheel.requirements(folder, "tiny")
    made = package(folder, Target(), tmp_path / "cache")
    modules = {name for name in names(made.path) if name.endswith(".py") and name.startswith(".python/")}
    assert modules == {".python/tiny.py", ".python/other.py"}


def test_a_pyproject_counts_where_there_is_no_requirements_file(tmp_path: Path) -> None:
    folder = app(tmp_path / "app")
    wheel = tiny_wheel.make(tmp_path / "wheels")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname="app"\nversion="1"\ndependencies=["alien-iac", "tiny @ {wheel.as_uri()}"]\n'
    )
    assert ".python/tiny.py" in names(package(folder, Target(), tmp_path / "cache").path)


def test_neither_file_is_fine(tmp_path: Path) -> None:
    made = package(app(tmp_path / "app"), Target(), tmp_path / "cache")
    assert names(made.path) == ["data/täst.txt", "main.py", "run.sh"]
    assert made.length == made.path.stat().st_size


def test_an_artifact_is_made_once_and_again_when_something_changes(tmp_path: Path) -> None:
    folder = app(tmp_path / "app")
    first = package(folder, Target(), tmp_path / "cache")
    stamp = first.path.stat().st_mtime_ns
    time.sleep(0.01)
    assert package(folder, Target(), tmp_path / "cache") == first
    assert first.path.stat().st_mtime_ns == stamp
    (folder / "run.sh").chmod(0o644)
    assert package(folder, Target(), tmp_path / "cache").sha256 != first.sha256
    first.path.write_bytes(b"torn")
    (folder / "run.sh").chmod(0o755)
    assert package(folder, Target(), tmp_path / "cache").path.stat().st_size == first.length


@pytest.mark.parametrize("include", ["-r more.txt", "--requirement=more.txt", "--constraint more.txt"])
def test_a_file_that_the_requirements_include_counts_too(tmp_path: Path, include: str) -> None:
    folder = app(tmp_path / "app")
    for version in ("1.0", "2.0"):
        tiny_wheel.make(folder / "wheels", version=version, text=f"WORD = '{version}'\n")
    tiny_wheel.requirements(folder, "tiny", include)
    (folder / "more.txt").write_text("tiny==1.0\n")
    first = package(folder, Target(), tmp_path / "cache")
    (folder / "more.txt").write_text("tiny==2.0\n")
    second = package(folder, Target(), tmp_path / "cache")
    for made, word in ((first, "1.0"), (second, "2.0")):
        unpack(made.path, tmp_path / word)
        assert (tmp_path / word / ".python" / "tiny.py").read_text() == f"WORD = '{word}'\n"


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    folder = app(tmp_path / "app")
    tiny_wheel.make(folder / "wheels")
    tiny_wheel.requirements(folder, "tiny", "-r more.txt")
    (folder / "more.txt").write_text("-r requirements.txt\n")
    assert ".python/tiny.py" in names(package(folder, Target(), tmp_path / "cache").path)


def test_many_at_once_share_one_cache(tmp_path: Path) -> None:
    folder = with_requirements(tmp_path / "app")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: package(folder, Target(), tmp_path / "cache"), range(8)))
    assert len(set(made)) == 1
    assert not list((tmp_path / "cache").rglob(".*"))


def test_requirements_that_cannot_be_had_say_so_with_the_last_lines(tmp_path: Path) -> None:
    folder = app(tmp_path / "app")
    (folder / "wheels").mkdir()
    tiny_wheel.requirements(folder, "no-such-thing==4")
    with pytest.raises(InvalidInput, match=r"(?s)could not resolve the requirements.*no-such-thing"):
        package(folder, Target(), tmp_path / "cache")


def test_bad_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        package(tmp_path / "none", Target(), tmp_path / "cache")
    folder = app(tmp_path / "app")
    (folder / "pyproject.toml").write_text("= 1")
    with pytest.raises(InvalidInput, match=r"pyproject.toml is not TOML"):
        package(folder, Target(), tmp_path / "cache")
