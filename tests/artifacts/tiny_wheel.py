"""A wheel made by hand, so that no test needs an index."""

import zipfile
from pathlib import Path


def make(folder: Path, name: str = "tiny", *, requires: tuple[str, ...] = (), script: bool = False) -> Path:
    """A wheel of one module with `WORD`; with a console script `<name>-say` where asked."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    files = {
        f"{name}.py": f"WORD = '{name}'\ndef main(): print(WORD)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name}-say = {name}:main\n"
    files[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in files.items():
            wheel.writestr(each, text)
    return path


def requirements(folder: Path, *lines: str) -> None:
    """A requirements.txt that looks for wheels in the folder's `wheels/` alone."""
    text = "\n".join(["--no-index", "--find-links ./wheels", *lines])
    (folder / "requirements.txt").write_text(text + "\n")
