"""Any file tree: names to contents and whether they may be executed."""

from pathlib import Path

from hypothesis import strategies as st

_NAME = st.text("abcXYZ0 é-", min_size=1, max_size=6).filter(lambda name: name.strip() == name)
_PATH = st.lists(_NAME, min_size=1, max_size=3).map("/".join)


def files(least: int = 0) -> st.SearchStrategy[dict[str, tuple[bytes, bool]]]:
    content = st.tuples(st.binary(max_size=200), st.booleans())
    return st.dictionaries(_PATH, content, min_size=least, max_size=8).filter(_is_a_tree)


def _is_a_tree(found: dict[str, tuple[bytes, bool]]) -> bool:
    return not any(other.startswith(f"{name}/") for name in found for other in found)


def write(folder: Path, found: dict[str, tuple[bytes, bool]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, executable) in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if executable else 0o644)


def read(folder: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }
