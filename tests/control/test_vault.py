"""What is kept is sealed: only its own key opens it, whole and as what it was, and keys can be replaced."""

import asyncio
import base64
import io
import json
import secrets
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from control.control_plane import Agent, Plane, inline, unpack
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from alien_iac.control import keyring, vault
from alien_iac.control.blobs import TooLarge
from alien_iac.control.folder import DataFolder
from alien_iac.control.sealed_files import SealedFolder
from alien_iac.control.settings import Settings
from alien_iac.control.vault import CHUNK, KEY_BYTES, Vault
from alien_iac.errors import InvalidInput, Unavailable

PLANTED = "planted-s3cret-value"
OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES


@given(st.binary(max_size=300), st.text(max_size=20), st.integers(0, 10_000), st.integers(1, 255))
def test_only_what_was_sealed_opens(content: bytes, words: str, place: int, flip: int) -> None:
    mine = Vault((OLD,))
    sealed = mine.seal(words, content)
    assert mine.open(words, sealed) == content
    with pytest.raises(InvalidInput):
        mine.open(f"{words}x", sealed)
    with pytest.raises(InvalidInput):
        Vault((NEW,)).open(words, sealed)
    changed = bytearray(sealed)
    place = len(sealed) - 1 - place % (len(sealed) - 15)  # beyond the mark, without which it counts as never sealed
    changed[place] ^= flip
    with pytest.raises(InvalidInput):
        mine.open(words, bytes(changed))


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before = Vault((OLD,)).seal("x", b"content")
    both = Vault((NEW, OLD))
    assert both.open("x", before) == b"content"
    assert not both.is_newest(before)
    assert Vault((NEW,)).open("x", both.seal("x", b"content")) == b"content"


def test_what_is_from_before_opens_as_it_is() -> None:
    assert Vault.fresh().open("x", b"plain") == b"plain"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
async def test_a_large_body_comes_back_and_is_nowhere_in_the_clear(tmp_path: Path, size: int) -> None:
    folder = SealedFolder(tmp_path, 4 * CHUNK, Vault((OLD,)))
    content = (PLANTED.encode() * (size // len(PLANTED) + 1))[:size]
    assert await folder.put("cmd_a.params", _pieces(content)) == size
    assert folder.size("cmd_a.params") == size
    assert b"".join(folder.chunks("cmd_a.params")) == content
    assert PLANTED.encode() not in folder.path("cmd_a.params").read_bytes()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 70_001):
        yield content[start : start + 70_001]


async def test_a_large_body_cannot_be_cut_or_moved(tmp_path: Path) -> None:
    folder = SealedFolder(tmp_path, 4 * CHUNK, Vault((OLD,)))
    await folder.put("cmd_a.params", _pieces(secrets.token_bytes(2 * CHUNK + 5)))
    whole = folder.path("cmd_a.params").read_bytes()
    head = len(whole) - (2 * CHUNK + 5 + 3 * 16)
    first, second = whole[head : head + CHUNK + 16], whole[head + CHUNK + 16 : head + 2 * (CHUNK + 16)]
    rest = whole[head + 2 * (CHUNK + 16) :]
    for wrong in ((first, second), (second, first, rest), (first, rest), (first, second, rest, rest)):
        sealed = whole[:head] + b"".join(wrong)
        with pytest.raises(InvalidInput):
            _all(sealed, "cmd_a.params")
    with pytest.raises(InvalidInput):
        _all(whole, "cmd_b.params")


def _all(sealed: bytes, name: str) -> bytes:
    return b"".join(Vault((OLD,)).chunks(name, io.BytesIO(sealed)))


async def test_a_body_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    folder = SealedFolder(tmp_path, 10, Vault((OLD,)))
    with pytest.raises(TooLarge):
        await folder.put("cmd_a.params", _pieces(b"x" * 11))
    assert folder.size("cmd_a.params") is None
    assert not folder.stems(float("inf"))
    assert not await asyncio.to_thread(_everything, tmp_path)


def test_bodies_from_before_are_still_read(tmp_path: Path) -> None:
    folder = SealedFolder(tmp_path, CHUNK, Vault((OLD,)))
    path = folder.path("cmd_a.params")
    path.parent.mkdir()
    path.write_bytes(b"plain" * 100_000)
    assert folder.size("cmd_a.params") == 500_000
    assert b"".join(folder.chunks("cmd_a.params")) == b"plain" * 100_000


async def test_no_parameter_and_no_result_is_in_the_files(plane: Plane, agent: Agent, tmp_path: Path) -> None:
    for size in (1, 20_000):
        await agent.sent(params=inline([PLANTED] * size), command="visible-name")
        (lease,) = await agent.lease()
        assert (await agent.answer(lease, [PLANTED] * size)).is_success
        status = await plane.ok("GET", f"/commands/{lease['commandId']}/payload")
        assert size > 1 or unpack(status["params"]) == unpack(status["response"]["response"]) == [PLANTED]
    lease_of_failure = await _failed(agent)
    rows = await plane.control.database.read(lambda transaction: transaction.all(text("SELECT * FROM commands")))
    kept = await asyncio.to_thread(_everything, tmp_path) + repr([dict(row) for row in rows]).encode()
    assert b"visible-name" in kept
    assert lease_of_failure.encode() in kept
    for form in _forms(PLANTED):
        assert form not in kept


async def _failed(agent: Agent) -> str:
    command = await agent.sent()
    await agent.lease()
    body = {"status": "error", "code": "HANDLER_ERROR", "message": f"no {PLANTED}", "details": PLANTED}
    await agent.plane.call("PUT", f"/commands/{command}/response", body, agent.token)
    assert PLANTED in (await agent.plane.ok("GET", f"/commands/{command}"))["response"]["message"]
    return command


def _everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def _forms(word: str) -> Sequence[bytes]:
    """A word as it would look in a file: itself, and within base64 at each of three offsets."""
    inner = [base64.b64encode(b" " * offset + word.encode())[4:-4] for offset in range(3)]
    return [word.encode(), *inner]


def _line(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _key_file(folder: Path, *keys: bytes) -> Path:
    path = folder / "vault.keys"
    path.write_text("\n".join(map(_line, keys)) + "\n")
    path.chmod(0o600)
    return path


def test_keys_in_the_folder_are_sealed_and_kept_over_a_change_of_the_vaults_key(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "data", (OLD,))
    facts = (first.url_key(), first.secrets_key(), first.online_keys().public())
    files = sorted((tmp_path / "data" / "keys").iterdir())
    assert [path.name for path in files] == ["secrets.key", "snapshot.pem", "timestamp.pem", "urls.key"]
    for path in files:
        assert b"PRIVATE" not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for keys in ((NEW, OLD), (NEW,)):  # the old key is needed for the first start only
        again = DataFolder(tmp_path / "data", keys)
        assert (again.url_key(), again.secrets_key(), again.online_keys().public()) == facts
    with pytest.raises(InvalidInput, match="sealed with a key that is not here"):
        DataFolder(tmp_path / "data", (OLD,)).online_keys()


def test_a_key_made_in_the_folder_gives_way_to_one_kept_apart(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)
    facts = first.online_keys().public()
    sealed = first.vault.seal("x", b"content")
    apart = DataFolder(tmp_path, (NEW,))
    assert apart.online_keys().public() == facts
    assert apart.vault.open("x", sealed) == b"content"
    (tmp_path / "keys" / "vault.key").unlink()
    assert DataFolder(tmp_path, (NEW,)).online_keys().public() == facts


def test_keys_from_before_are_sealed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "urls.key"
    path.parent.mkdir()
    path.write_bytes(b"u" * 32)
    assert DataFolder(tmp_path, (NEW,)).url_key() == b"u" * 32
    assert b"u" * 32 not in path.read_bytes()


def test_a_key_file_has_the_newest_key_first(tmp_path: Path) -> None:
    path = _key_file(tmp_path, NEW, OLD)
    assert Settings(data=tmp_path, key_file=path).vault_keys() == (NEW, OLD)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = _key_file(tmp_path, NEW)
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="others may read"):
        keyring.from_file(path)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "has no key"),
        (f"{_line(NEW)}\n{PLANTED}!", "line 2 is not base64"),
        (_line(b"short"), "line 1 has 5 bytes, not 32"),
    ],
)
def test_a_wrong_key_file_is_told_without_its_content(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "keys"
    path.write_text(written)
    path.chmod(0o600)
    with pytest.raises(InvalidInput, match=said) as caught:
        keyring.from_file(path)
    assert PLANTED not in str(caught.value)


def _command(code: str) -> str:
    return json.dumps([sys.executable, "-c", code])[1:-1].replace(",", "")


def test_a_command_gives_the_keys(tmp_path: Path) -> None:
    command = _command(f"print('{_line(NEW)}')")
    assert Settings(data=tmp_path, key_command=command).vault_keys() == (NEW,)


def test_a_command_that_fails_shows_nothing_of_what_it_said() -> None:
    with pytest.raises(Unavailable, match="exit code 3") as caught:
        keyring.from_command(_command(f"import sys; sys.stderr.write('{PLANTED}'); sys.exit(3)"))
    assert PLANTED not in str(caught.value)
    for nothing in ("", "/nowhere/kms", "'"):
        with pytest.raises(InvalidInput):
            keyring.from_command(nothing)


def test_there_is_one_place_for_the_keys(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, key_file=tmp_path / "k", key_command="kms")
    with pytest.raises(InvalidInput, match="give one"):
        settings.check()


def test_a_vault_needs_whole_keys() -> None:
    for wrong in ((), (b"short",)):
        with pytest.raises(ValueError, match="32 bytes"):
            vault.Vault(wrong)
