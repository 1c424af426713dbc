"""A sender's signature of one command: what is signed, and how it is made and checked.

The customer's agent checks it, so that whoever runs or breaks into the control plane cannot send such a command. It
holds for one deployment, command, workload and parameters, once (the nonce), and not for long.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from alien_iac.errors import InvalidInput, Untrusted
from alien_iac.protocol import arc

LIFE_S = 7 * 86_400
"""How long a signature may be good, at most."""
SKEW_S = 900
"""How wrong the clocks of the sender and of the customer may be."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What a signature speaks of."""

    deployment_id: str
    command: str
    params: bytes

    def text(self, signature: arc.Signature) -> bytes:
        """The bytes that are signed: canonical JSON, the same on either side."""
        facts = {
            "protocol": arc.PROTOCOL,
            "deploymentId": self.deployment_id,
            "command": self.command,
            "paramsSha256": hashlib.sha256(self.params).hexdigest(),
            "signer": signature.signer,
            "target": signature.target,
            "nonce": signature.nonce,
            "expires": signature.expires,
        }
        return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Signer:
    """A sender with its key, by the name under which its customers know it."""

    name: str
    key: Ed25519PrivateKey

    @classmethod
    def from_pem(cls, name: str, pem: bytes) -> "Signer":
        """InvalidInput for anything but an Ed25519 private key in PEM, without a passphrase."""
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidInput("the signing key is not a private key in PEM without a passphrase") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidInput(f"the signing key is {type(key).__name__}; it must be an Ed25519 key")
        return cls(name, key)

    def sign(self, signed: Signed, target: str | None, expires: float) -> arc.Signature:
        """`expires`: seconds since 1970, at most seven days ahead."""
        bare = arc.Signature(
            signer=self.name, target=target or "", nonce=secrets.token_urlsafe(18), expires=int(expires), value=""
        )
        value = base64.b64encode(self.key.sign(signed.text(bare))).decode()
        return bare.model_copy(update={"value": value})


def public_key(pem: str) -> Ed25519PublicKey:
    """A sender's public key. ValueError for anything but an Ed25519 key in PEM."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("it is not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"it is {type(key).__name__}, not an Ed25519 key")  # noqa: TRY004 - pydantic wants ValueError
    return key


def check(signed: Signed, signature: arc.Signature, keys: Mapping[str, str], now: float) -> None:
    """Untrusted where no known sender signed this, or not for now. Whether the nonce was used, the caller knows."""
    pem = keys.get(signature.signer)
    if pem is None:
        raise Untrusted(f"the customer knows no sender {signature.signer}")
    try:
        public_key(pem).verify(base64.b64decode(signature.value, validate=True), signed.text(signature))
    except (InvalidSignature, ValueError) as error:
        raise Untrusted(f"the signature of {signature.signer} does not hold for this command") from error
    if not now - SKEW_S <= signature.expires <= now + LIFE_S + SKEW_S:
        raise Untrusted(f"the signature of {signature.signer} is over, or good for more than seven days")
