"""The passphrase provider: how secrets of the config and of the state are sealed and opened.

Format `v1`: AES-256-GCM under a key that PBKDF2 (SHA-256, 1,000,000 rounds) makes of the passphrase and a salt. The
salt line carries a sealed known word, so that a wrong passphrase is noticed at once.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from alien_iac.engine import dialect
from alien_iac.errors import InvalidInput, Unsupported

_ROUNDS = 1_000_000
_NONCE_BYTES = 12
_SALT_BYTES = 8
_WORD = "pulumi"


class Cipher(Protocol):
    """Seals and opens one text."""

    def seal(self, plain: str) -> str: ...

    def open(self, sealed: str) -> str: ...


class Plain:
    """Leaves the text as it is: inside a secret, nothing needs sealing again."""

    def seal(self, plain: str) -> str:
        return plain

    def open(self, sealed: str) -> str:
        return sealed


@dataclass(frozen=True)
class PassphraseCipher:
    """A key and the salt line that it belongs to."""

    salt: str
    key: bytes = field(repr=False)

    def seal(self, plain: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, plain.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str) -> str:
        """Raises InvalidInput where the text was not sealed with this key."""
        try:
            version, nonce, body = sealed.split(":")
            if version == "v1":
                opened = AESGCM(self.key).decrypt(base64.b64decode(nonce), base64.b64decode(body), None)
                return opened.decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise InvalidInput(
                "failed to decrypt: incorrect passphrase, or the value was sealed for another stack"
            ) from error
        raise InvalidInput(f"failed to decrypt: unknown version {version!r} of a sealed value")


class Keyring:
    """The ciphers made so far: a key costs a quarter of a second, so a command object keeps one of these."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], PassphraseCipher] = {}

    def new(self, env: Mapping[str, str]) -> PassphraseCipher:
        """A cipher with a fresh salt."""
        phrase, salt = passphrase(env), os.urandom(_SALT_BYTES)
        key = _derive(phrase, salt)
        word = PassphraseCipher("", key).seal(_WORD)
        cipher = PassphraseCipher(f"v1:{base64.b64encode(salt).decode()}:{word}", key)
        self._made[phrase, cipher.salt] = cipher
        return cipher

    def of(self, salt: str, env: Mapping[str, str]) -> PassphraseCipher:
        """The cipher of a salt line. Raises InvalidInput where the passphrase is not the one it was made with."""
        phrase = passphrase(env)
        if (phrase, salt) not in self._made:
            self._made[phrase, salt] = _checked(phrase, salt)
        return self._made[phrase, salt]


def passphrase(env: Mapping[str, str]) -> str:
    """What the environment says. Raises InvalidInput where it says nothing."""
    if "PULUMI_CONFIG_PASSPHRASE" in env:
        return env["PULUMI_CONFIG_PASSPHRASE"]
    if file := env.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InvalidInput(f"unable to read PULUMI_CONFIG_PASSPHRASE_FILE: {error}") from error
    raise InvalidInput(
        "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables"
    )


def refuse_other_providers(provider: str) -> None:
    """Raises Unsupported for anything but the passphrase provider."""
    if provider not in {"", "default", "passphrase"}:
        raise Unsupported(
            f"the embedded engine has no secrets provider {provider!r}, only 'passphrase'", hint=dialect.BEYOND
        )


def _checked(phrase: str, salt: str) -> PassphraseCipher:
    parts = salt.split(":", 2)
    if len(parts) != 3 or parts[0] != "v1":  # noqa: PLR2004 - version, salt, sealed word
        raise InvalidInput(f"malformed encryptionsalt {salt!r}")
    cipher = PassphraseCipher(salt, _derive(phrase, base64.b64decode(parts[1])))
    try:
        right = cipher.open(parts[2]) == _WORD
    except InvalidInput:
        right = False
    if not right:
        raise InvalidInput("incorrect passphrase")
    return cipher


def _derive(phrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", phrase.encode(), salt, _ROUNDS)
