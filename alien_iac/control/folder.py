"""The control plane's data folder: the database, files, and the keys that are made at its first start.

DIR/  control.sqlite  blobs/  bodies/  rollouts/  admin-token  lock
      keys/  snapshot.pem  timestamp.pem  urls.key  secrets.key
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from filelock import FileLock, Timeout

from alien_iac.control import tokens
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Database, Transaction
from alien_iac.control.trust import OnlineKeys
from alien_iac.errors import Conflict, InvalidInput
from alien_iac.protocol.api import NewToken
from alien_iac.protocol.tuf import CryptoSigner

_KEY_BYTES = 32


@dataclass(frozen=True)
class DataFolder:
    """The folder, held by one process at a time."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "control.sqlite"

    @property
    def admin_token(self) -> Path:
        return self.path / "admin-token"

    def lock(self) -> FileLock:
        """Take the folder. Conflict where another process has it; the lock ends with the process, however it ends."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self.path / "lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise Conflict(
                f"another control plane runs in {self.path}", hint="stop it, or give this one another folder"
            ) from error
        return lock

    def online_keys(self) -> OnlineKeys:
        """The keys of the roles that are signed here."""
        return OnlineKeys(self._signer("snapshot"), self._signer("timestamp"))

    def url_key(self) -> bytes:
        """The key of signed URLs."""
        return self._key("urls")

    def secrets_key(self) -> bytes:
        """The key from which secrets are derived."""
        return self._key("secrets")

    def first_admin(self, database: Database) -> None:
        """At the first start, a token for the admin, in a file that only its owner may read."""
        if not self.admin_token.exists() and database.read_now(_any):
            return  # it was taken away on purpose
        token = _private(self.admin_token, lambda: tokens.mint("admin").encode()).decode().strip()
        database.write_now(lambda transaction: _admit(transaction, token))

    def _key(self, name: str) -> bytes:
        return _private(self.path / "keys" / f"{name}.key", lambda: secrets.token_bytes(_KEY_BYTES))

    def _signer(self, role: str) -> CryptoSigner:
        path = self.path / "keys" / f"{role}.pem"
        key = load_pem_private_key(_private(path, lambda: CryptoSigner.generate_ed25519().private_bytes), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidInput(f"{path} is not an Ed25519 key")
        return CryptoSigner(key)


def _any(transaction: Transaction) -> bool:
    return bool(store.rows(transaction, None, 1)[0])


def _admit(transaction: Transaction, token: str) -> None:
    if not store.is_known(transaction, token):
        store.add(transaction, NewToken(name="admin", scopes=("admin",)), tokens.fresh("tok"), token)


def _private(path: Path, make: Callable[[], bytes]) -> bytes:
    """A file that only its owner may read: what is in it, or what `make` gives, written whole or not at all."""
    if path.exists():
        return path.read_bytes()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = make()
    handle, name = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
    return content
