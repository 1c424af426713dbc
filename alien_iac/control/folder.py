"""The control plane's data folder: the database, files, and the keys that are made at its first start.

DIR/  control.sqlite  blobs/  bodies/  rollouts/  admin-token  lock
      keys/  snapshot.pem  timestamp.pem  urls.key  secrets.key, sealed by the vault
             vault.key, where the vault's key is not kept apart from the data
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from filelock import FileLock, Timeout

from alien_iac.control import tokens
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Database, Transaction
from alien_iac.control.store.sqlite import SqliteStore
from alien_iac.control.trust import OnlineKeys
from alien_iac.control.vault import KEY_BYTES, Vault
from alien_iac.errors import Conflict, InvalidInput
from alien_iac.protocol.api import NewToken
from alien_iac.protocol.tuf import CryptoSigner


@dataclass(frozen=True)
class DataFolder:
    """The folder: of one process with SQLite, shared by all instances with Postgres."""

    path: Path
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Of the vault, where they are kept apart; none: one is made in the folder."""

    @cached_property
    def vault(self) -> Vault:
        """What seals here. A key that was made in the folder before others were given still opens."""
        own = self.path / "keys" / "vault.key"
        if self.keys and not own.exists():
            return Vault(self.keys)
        return Vault((*self.keys, _private(own, lambda: secrets.token_bytes(KEY_BYTES))))

    @property
    def database(self) -> Path:
        return self.path / "control.sqlite"

    def store(self) -> SqliteStore:
        """The database in the folder, which only its owner may read."""
        self.database.touch(mode=0o600)
        self.database.chmod(0o600)
        return SqliteStore(self.database)

    def make(self) -> None:
        """Make the folder where it is not there."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def admin_token(self) -> Path:
        return self.path / "admin-token"

    def lock(self) -> FileLock:
        """Take the folder. Conflict where another process has it; the lock ends with the process, however it ends."""
        self.make()
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
        return self._sealed(f"{name}.key", lambda: secrets.token_bytes(KEY_BYTES))

    def _signer(self, role: str) -> CryptoSigner:
        path = self.path / "keys" / f"{role}.pem"
        key = load_pem_private_key(self._sealed(path.name, lambda: CryptoSigner.generate_ed25519().private_bytes), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidInput(f"{path} is not an Ed25519 key")
        return CryptoSigner(key)

    def _sealed(self, name: str, make: Callable[[], bytes]) -> bytes:
        """A key of ours; written again where the vault has a newer key than the one that sealed it."""
        path = self.path / "keys" / name
        found = _private(path, lambda: self.vault.seal(name, make()))
        content = self.vault.open(name, found)
        if not self.vault.is_newest(found):
            _write(path, self.vault.seal(name, content))
        return content


def _any(transaction: Transaction) -> bool:
    return bool(store.rows(transaction, None, 1)[0])


def _admit(transaction: Transaction, token: str) -> None:
    if not store.is_known(transaction, token):
        store.add(transaction, NewToken(name="admin", scopes=("admin",)), tokens.fresh("tok"), token)


def _private(path: Path, make: Callable[[], bytes]) -> bytes:
    """A file that only its owner may read: what is in it, or what `make` gives, written whole or not at all.

    Of several processes that make it at once, one does.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = _beside(path, make())
        try:
            os.link(new, path)
        except FileExistsError:  # another instance was faster: its file is the one
            return path.read_bytes()
        finally:
            new.unlink()
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    _beside(path, content).replace(path)


def _beside(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
