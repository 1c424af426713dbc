"""The vendor's two private keys: one signs roots of trust, one signs releases. They never reach a control plane.

Each is an Ed25519 key in a PEM file of mode 0600, encrypted with a passphrase.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from alien_iac.errors import InvalidInput, NotFound, Unauthorized
from alien_iac.protocol.tuf import CryptoSigner

_ROOT, _TARGETS = "root.pem", "targets.pem"


@dataclass(frozen=True)
class VendorKeys:
    """The signers for root and targets metadata."""

    root: CryptoSigner
    targets: CryptoSigner

    @classmethod
    def generate(cls) -> Self:
        """Two new keys."""
        return cls(CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519())

    @classmethod
    def load(cls, folder: Path, passphrase: str) -> Self:
        """The keys of a folder. NotFound; Unauthorized for a wrong passphrase."""
        return cls(_load(folder / _ROOT, passphrase), _load(folder / _TARGETS, passphrase))

    def save(self, folder: Path, passphrase: str) -> None:
        """Write the keys, over others that are there. InvalidInput for an empty passphrase."""
        if not passphrase:
            raise InvalidInput("the vendor's keys need a passphrase", hint="set ALIEN_KEY_PASSPHRASE, or type one")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, signer in ((_ROOT, self.root), (_TARGETS, self.targets)):
            _write(folder / name, _encrypted(signer, passphrase))


def _encrypted(signer: CryptoSigner, passphrase: str) -> bytes:
    key = serialization.load_pem_private_key(signer.private_bytes, None)
    locked = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def _load(path: Path, passphrase: str) -> CryptoSigner:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"there is no key {path}", hint="`alien key init` makes the vendor's keys") from error
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() or None)
    except (ValueError, TypeError) as error:
        raise Unauthorized(f"{path} does not open with this passphrase", hint="see ALIEN_KEY_PASSPHRASE") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(f"{path} is not an Ed25519 key")
    return CryptoSigner(key)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and readable by its owner alone from the first byte on."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
