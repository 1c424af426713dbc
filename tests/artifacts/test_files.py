"""Which files travel, and which never do."""

import zipfile
from pathlib import Path

import pytest
from artifacts import trees
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.errors import Conflict, InvalidInput
from alien_iac.packaging import archive
from alien_iac.packaging.files import collect, refuse_secrets, secrets
from alien_iac.packaging.unpack import unpack


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return folder


def collected(folder: Path) -> list[str]:
    return [each.name for each in collect(folder)]


NOISE = (
    ".git/config",
    "__pycache__/a.pyc",
    "pkg/__pycache__/b.pyc",
    ".venv/bin/python",
    ".env",
    ".env.prod",
    "id_ed25519",
    "tls.key",
    "tls.pem",
    "Pulumi.acme.yaml",
    ".alien/state",
    "node_modules/x.js",
    ".python/lib.py",
)


def test_what_tools_leave_and_secrets_stay_behind(tmp_path: Path) -> None:
    tree(tmp_path, "main.py", "pkg/mod.py", "Pulumi.yaml", ".env.example", *NOISE)
    assert collected(tmp_path) == [".env.example", "Pulumi.yaml", "main.py", "pkg/mod.py"]


def test_an_ignore_file_adds_and_brings_back_but_never_a_secret(tmp_path: Path) -> None:
    tree(tmp_path, "main.py", "big.bin", "keep/big.bin", ".config/x", ".env", "pkg/a.txt", "pkg/b.txt")
    (tmp_path / ".alienignore").write_text("*.bin\n!keep/big.bin\n!.config/\n!.env\npkg/*.txt\n")
    (tmp_path / "pkg" / ".alienignore").write_text("!b.txt\n")
    assert collected(tmp_path) == [".config/x", "keep/big.bin", "main.py", "pkg/b.txt"]


def test_a_private_key_in_any_file_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, "main.py")
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "settings.txt").write_bytes(b"key = '''" + private + b"'''")
    with pytest.raises(InvalidInput, match=r"a private key is in it: settings.txt") as caught:
        collect(tmp_path)
    assert private.decode().splitlines()[1] not in str(caught.value)
    (tmp_path / ".alienignore").write_text("settings.txt\n")
    assert collected(tmp_path) == ["main.py"]
    tree(tmp_path, "doc.md")
    (tmp_path / "doc.md").write_text("it begins with -----BEGIN PRIVATE KEY-----\n")
    assert collected(tmp_path) == ["doc.md", "main.py"]


def test_secrets_are_refused_where_everybody_gets_the_folder(tmp_path: Path) -> None:
    tree(tmp_path, "__main__.py", ".env", "deep/server.key")
    assert secrets(tmp_path) == (".env", "deep/server.key")
    with pytest.raises(InvalidInput, match=r"it looks like a secret: \.env, deep/server\.key"):
        refuse_secrets(tmp_path)
    (tmp_path / ".alienignore").write_text(".env\n*.key\n")
    refuse_secrets(tmp_path)


def test_links_stay_inside(tmp_path: Path) -> None:
    folder = tree(tmp_path / "app", "main.py")
    (folder / "same.py").symlink_to("main.py")
    assert collected(folder) == ["main.py", "same.py"]
    (tmp_path / "secret").write_text("s")
    (folder / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidInput, match="is a link to"):
        collect(folder)
    (folder / "out").unlink()
    (folder / "folder").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="is a link to"):
        collect(folder)


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    folder = tree(tmp_path / "app", "main.py")
    entries = collect(folder)
    (folder / "main.py").write_text("other")
    with pytest.raises(Conflict, match="changed while it was packaged"):
        archive.write(entries, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(files=trees.files())
def test_any_tree_comes_out_of_its_archive_as_it_went_in(
    files: dict[str, tuple[bytes, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("tree")
    first, second = place / "first", place / "second"
    trees.write(first, files)
    trees.write(second, dict(reversed(files.items())))
    made = archive.write(collect(first), place / "a")
    again = archive.write(collect(second), place / "b")
    assert made.path.read_bytes() == again.path.read_bytes()
    assert archive.fingerprint(collect(first)) == archive.fingerprint(collect(second))
    unpack(made.path, place / "out")
    assert trees.read(place / "out") == files


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_any_change_gives_another_fingerprint(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    files = data.draw(trees.files(least=1))
    place = tmp_path_factory.mktemp("tree")
    trees.write(place / "a", files)
    name = data.draw(st.sampled_from(sorted(files)))
    content, executable = files[name]
    changed = data.draw(st.sampled_from([(content + b"!", executable), (content, not executable), None]))
    rest = {key: value for key, value in files.items() if key != name}
    trees.write(place / "b", rest | ({name: changed} if changed else {}))
    assert archive.fingerprint(collect(place / "a")) != archive.fingerprint(collect(place / "b"))


def test_archives_carry_no_time_and_no_owner(tmp_path: Path) -> None:
    made = archive.write(collect(tree(tmp_path / "app", "main.py")), tmp_path / "out")
    with zipfile.ZipFile(made.path) as opened:
        info = opened.getinfo("main.py")
    assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert info.external_attr >> 16 == 0o100644
    assert info.extra == b""
