"""The encrypted file of a `local` Secret: what the plugin and the command line write, and a workload reads.

The file is `alien-secret.v1`, a newline, a nonce of 12 bytes, and the value under AES-256-GCM with that first line as
associated data. The key file holds the key's 32 bytes in hex. Both are 0600.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from alien_iac.errors import InvalidInput

HEADER = b"alien-secret.v1\n"
NONCE_BYTES = 12
KEY_BYTES = 32


def new_key() -> bytes:
    """A random key, for `seal` and `unseal`."""
    return secrets.token_bytes(KEY_BYTES)


def key_text(key: bytes) -> str:
    """What the key file holds."""
    return f"{key.hex()}\n"


def parse_key(text: str) -> bytes:
    """The key out of what a key file holds. Raises InvalidInput."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInput(f"the secrets' key file is damaged: it should hold {2 * KEY_BYTES} hex digits")
    return key


def seal(plain: bytes, key: bytes) -> bytes:
    """The bytes of a secret's file."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return HEADER + nonce + AESGCM(key).encrypt(nonce, plain, HEADER)


def unseal(sealed: bytes, key: bytes) -> bytes:
    """The value in a secret's file. Raises InvalidInput: it is no such file, was damaged, or the key is another one."""
    if not sealed.startswith(HEADER):
        raise InvalidInput(f"this is not a secret's file: it should begin with {HEADER.decode().strip()!r}")
    body = sealed[len(HEADER) :]
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], HEADER)
    except (InvalidTag, ValueError) as error:
        raise InvalidInput(
            "the secret's file does not open with this key: one of the two is damaged, or from another deployment"
        ) from error
