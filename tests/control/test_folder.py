"""The data folder and a server in this very process: keys that stay, a first admin, one owner, an orderly end."""

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alien_iac.control.folder import DataFolder
from alien_iac.control.server import Started, serve
from alien_iac.control.settings import Settings
from alien_iac.errors import Conflict, InvalidInput


def test_keys_are_made_once(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    first = (folder.url_key(), folder.secrets_key(), folder.online_keys().public())
    assert first == (folder.url_key(), folder.secrets_key(), folder.online_keys().public())
    assert first[0] != first[1]
    assert first[2]["snapshot"]["keyid"] != first[2]["timestamp"]["keyid"]


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "keys" / "snapshot.pem").write_bytes(pem)
    with pytest.raises(InvalidInput, match=r"snapshot\.pem"):
        DataFolder(tmp_path).online_keys()


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    with folder.lock(), pytest.raises(Conflict, match="another control plane"):
        DataFolder(folder.path).lock()
    folder.lock().release()


def _serve_once(data: Path) -> tuple[str, int]:
    """Serve until the first answer has come; the admin's token and how it was received."""
    told: list[tuple[str, int]] = []

    def ask(started: Started) -> None:
        file = Path(started.admin_token_file)
        token = file.read_text(encoding="utf-8") if file.exists() else "-"
        url = f"{started.url}/v1/deployments"
        told.append((token, httpx.get(url, headers={"authorization": f"Bearer {token}"}).status_code))
        os.kill(os.getpid(), signal.SIGTERM)

    serve(Settings(data=data), lambda started: threading.Thread(target=ask, args=(started,)).start())
    return told[0]


def test_a_server_begins_and_ends_here(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    first = _serve_once(tmp_path)
    assert first[1] == 200
    assert _serve_once(tmp_path) == first
    (tmp_path / "admin-token").unlink()
    assert _serve_once(tmp_path) == ("-", 401), "a token that was taken away is not made anew"
    assert signal.getsignal(signal.SIGTERM) is before
