"""People at a vendor who sign commands."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alien_iac.protocol.signing import Signer


def sender(name: str = "alice") -> Signer:
    return Signer(name, Ed25519PrivateKey.generate())


def pem(signer: Signer) -> str:
    return signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
