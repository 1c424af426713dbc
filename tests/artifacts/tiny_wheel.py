"""A wheel made by hand, so that no test needs an index."""

import io
import tarfile
import zipfile
from pathlib import Path


def make(  # noqa: PLR0913 - all but the folder by keyword
    folder: Path,
    name: str = "tiny",
    *,
    version: str = "1.0",
    requires: tuple[str, ...] = (),
    script: bool = False,
    tag: str = "py3-none-any",
    text: str | None = None,
) -> Path:
    """A wheel of one module with `WORD`; with a console script `<name>-say` where asked."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    files = {
        f"{name}.py": text or f"WORD = '{name}'\ndef main(): print(WORD)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name}-say = {name}:main\n"
    files[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for each, content in files.items():
            wheel.writestr(each, content)
    return path


def make_source(folder: Path, name: str) -> Path:
    """A source distribution, of which no wheel is there."""
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        content = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
        info = tarfile.TarInfo(f"{name}-1.0/PKG-INFO")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return path


def requirements(folder: Path, *lines: str) -> None:
    """A requirements.txt that looks for wheels in the folder's `wheels/` alone."""
    text = "\n".join(["--no-index", "--find-links ./wheels", *lines])
    (folder / "requirements.txt").write_text(text + "\n")
