"""What the control plane keeps for others is sealed: AES-256-GCM, under a key that can live apart from the data.

The first key seals; further ones only open what was sealed before them, so that a key is replaced by putting a new one
in front. Each seal covers what the thing is for as well: nothing sealed can stand in another's place.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alien_iac.errors import InvalidInput

KEY_BYTES = 32
CHUNK = 1 << 20
"""Bytes that are sealed together in a file: it is read and written without being in memory whole."""
_MARK = b"alien-sealed-1\n"
_ID, _NONCE, _TAG, _PREFIX = 8, 12, 16, 7
_HEAD = len(_MARK) + _ID


class Vault:
    """Seals and opens. What is not sealed is from before it was: it is given back as it is."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a vault needs keys of {KEY_BYTES} bytes")
        self._keys = {hashlib.sha256(key).digest()[:_ID]: _cipher(key) for key in keys}
        self._newest = next(iter(self._keys))

    @classmethod
    def fresh(cls) -> "Vault":
        """With a key that nobody else has."""
        return cls((secrets.token_bytes(KEY_BYTES),))

    def seal(self, words: str, content: bytes) -> bytes:
        """Seal the content of the thing that `words` name."""
        nonce = secrets.token_bytes(_NONCE)
        return _MARK + self._newest + nonce + self._keys[self._newest].encrypt(nonce, content, words.encode())

    def open(self, words: str, sealed: bytes) -> bytes:
        """The content. InvalidInput where the key is another, or it was changed, or is another thing's."""
        if not sealed.startswith(_MARK):
            return sealed
        cipher = self._sealed_by(words, sealed)
        nonce, rest = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
        return _opened(words, cipher, nonce, rest)

    def is_newest(self, sealed: bytes) -> bool:
        """Whether it is sealed, with the key that seals now."""
        return sealed.startswith(_MARK + self._newest)

    def sealer(self, words: str) -> tuple[bytes, Callable[[bytes, bool], bytes]]:
        """A file's head, and what seals its chunks in their order; the last one is marked, so that none can be cut."""
        prefix = secrets.token_bytes(_PREFIX)
        cipher, count = self._keys[self._newest], iter(range(1 << 32))

        def seal(chunk: bytes, last: bool) -> bytes:  # noqa: FBT001 - by position, as the chunk is
            return cipher.encrypt(_nonce(prefix, next(count), last=last), chunk, words.encode())

        return _MARK + self._newest + prefix, seal

    def chunks(self, words: str, file: BinaryIO) -> Iterator[bytes]:
        """The content of a sealed file, by chunks. InvalidInput as `open` says."""
        head = file.read(_HEAD + _PREFIX)
        if not head.startswith(_MARK):
            yield head
            yield from iter(lambda: file.read(CHUNK), b"")
            return
        cipher, prefix = self._sealed_by(words, head), head[_HEAD:]
        number, chunk = 0, file.read(CHUNK + _TAG)
        while chunk:
            following = file.read(CHUNK + _TAG)
            yield _opened(words, cipher, _nonce(prefix, number, last=not following), chunk)
            number, chunk = number + 1, following

    def _sealed_by(self, words: str, sealed: bytes) -> AESGCM:
        found = self._keys.get(sealed[len(_MARK) : _HEAD])
        if found is None:
            raise InvalidInput(
                f"{words} was sealed with a key that is not here",
                hint="add that key to the key file, as a further line",
            )
        return found


def size(path: Path) -> int:
    """Bytes of the content of a sealed file. FileNotFoundError where there is none."""
    whole = path.stat().st_size
    with path.open("rb") as file:
        if not file.read(len(_MARK)).startswith(_MARK):
            return whole
    body = whole - _HEAD - _PREFIX
    return body - _TAG * -(-body // (CHUNK + _TAG))


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=b"alien control plane, at rest").derive(key))


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _opened(words: str, cipher: AESGCM, nonce: bytes, sealed: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, words.encode())
    except InvalidTag as error:
        raise InvalidInput(f"{words} was changed since it was sealed") from error
