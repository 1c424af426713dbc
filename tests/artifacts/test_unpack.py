"""An archive from somebody else cannot reach beyond its folder."""

import stat
import zipfile
from pathlib import Path

import pytest

from alien_iac.errors import Untrusted
from alien_iac.packaging.unpack import unpack


def archive(path: Path, *entries: tuple[str, int]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            made.writestr(info, b"content")
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("../out.txt", stat.S_IFREG),
        ("a/../../out.txt", stat.S_IFREG),
        ("/etc/out.txt", stat.S_IFREG),
        ("C:/out.txt", stat.S_IFREG),
        ("link", stat.S_IFLNK),
        ("pipe", stat.S_IFIFO),
    ],
)
def test_names_that_lead_out_and_special_files_are_refused(tmp_path: Path, name: str, mode: int) -> None:
    path = archive(tmp_path / "bad.zip", ("good.txt", stat.S_IFREG), (name, mode | 0o644))
    with pytest.raises(Untrusted, match="not a plain file below its folder"):
        unpack(path, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


def test_limits_hold_before_anything_is_written(tmp_path: Path) -> None:
    path = archive(tmp_path / "two.zip", ("a", 0o100644), ("b", 0o100644))
    with pytest.raises(Untrusted, match="2 files; 1 are allowed"):
        unpack(path, tmp_path / "out", max_files=1)
    with pytest.raises(Untrusted, match="14 bytes; 13 are allowed"):
        unpack(path, tmp_path / "out", max_bytes=13)
    assert not (tmp_path / "out").exists()
    unpack(path, tmp_path / "out", max_files=2, max_bytes=14)
    assert (tmp_path / "out" / "b").read_bytes() == b"content"


def test_a_size_that_lies_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path / "lie.zip", ("a", 0o100644))
    content = bytearray(path.read_bytes())
    at = content.index(b"content")
    content[at : at + 7] = b"CONTENT"
    path.write_bytes(content)
    with pytest.raises(Untrusted, match="not a whole zip"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.zip"
    path.write_bytes(content)
    with pytest.raises(Untrusted, match=r"bad.zip is not a whole zip"):
        unpack(path, tmp_path / "out")


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "twice.zip", ("a", 0o100644), ("a", 0o100644))
    with pytest.raises(Untrusted, match="a name twice"):
        unpack(path, tmp_path / "out")
