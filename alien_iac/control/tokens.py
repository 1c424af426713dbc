"""What a bearer token is, who comes with one, and what an agent's signed assertion proves. Pure."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from alien_iac.errors import Forbidden, InvalidInput, Unauthorized

AUDIENCE = "alien"
AGENT_TOKEN_LIFE = timedelta(hours=1)
ASSERTION_LIFE = timedelta(minutes=5)
SKEW = timedelta(seconds=30)
"""How far an assertion's clock may be ahead of or behind the server's."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def fresh(prefix: str) -> str:
    """A new id: the prefix and 28 random letters and digits, as `arc.v1` clients expect them."""
    number, letters = secrets.randbits(160), ""
    for _ in range(28):
        number, digit = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[digit]
    return f"{prefix}_{letters}"


def mint(kind: str) -> str:
    """A new secret with 256 random bits. Its first words let secret scanners know it."""
    return f"alien_{kind}_{secrets.token_urlsafe(32)}"


def derive(key: bytes, kind: str, words: str) -> str:
    """The secret that these words always give under this key: a request that is sent again gets the same answer."""
    mac = hmac.new(key, f"derive:{kind}:{words}".encode(), hashlib.sha256)
    return f"alien_{kind}_{mac.hexdigest()}"


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who a request comes from. `deployment_id`: the only deployment it may touch; `target`: the only workload."""

    token_id: str
    name: str
    scopes: frozenset[str]
    deployment_id: str | None = None
    target: str | None = None
    expires_at: datetime | None = None

    @classmethod
    def of_agent(cls, deployment_id: str) -> "Caller":
        """A deployment's agent."""
        name = f"agent:{deployment_id}"
        return cls(token_id=name, name=name, scopes=frozenset({"agent"}), deployment_id=deployment_id)

    @property
    def actor(self) -> str:
        """The name in the audit log."""
        return f"agent:{self.deployment_id}" if "agent" in self.scopes else self.name

    def has(self, *scopes: str) -> bool:
        """Whether it has one of these; `admin` has all but `agent`."""
        wanted = set(scopes)
        return bool(wanted & self.scopes) or ("admin" in self.scopes and bool(wanted - {"agent"}))

    def require(self, deployment_id: str) -> None:
        """Forbidden where the token is bound to another deployment."""
        if self.deployment_id not in {None, deployment_id}:
            raise Forbidden(
                f'this token is not for deployment "{deployment_id}"', hint=f"it is bound to {self.deployment_id}"
            )


def public_key(pem: str) -> Ed25519PublicKey:
    """The key of an agent. InvalidInput for anything but an Ed25519 key in PEM."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInput("publicKey is not a public key in PEM", hint="send an Ed25519 key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput(f"publicKey is {type(key).__name__}; it must be an Ed25519 key")
    return key


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What an assertion says, once its signature was verified."""

    deployment_id: str
    jti: str
    expires_at: datetime


def claimed_deployment(assertion: str) -> str:
    """The deployment that an assertion claims to be from: it says which key to verify with, and no more."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise Unauthorized("the assertion is not a JWT") from error
    return str(claims.get("iss", ""))


def verify_assertion(assertion: str, pem: str, now: datetime) -> Assertion:
    """The assertion, if the key signed it for us and it is of now.

    Unauthorized otherwise. Where only the time is wrong the error's context has `serverTime`, so that an agent whose
    clock is wrong can sign again by ours.
    """
    try:
        claims: Mapping[str, Any] = jwt.decode(
            assertion,
            public_key(pem),
            algorithms=["EdDSA"],
            audience=AUDIENCE,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        raise Unauthorized(f"the assertion does not hold: {error}") from error
    if claims["iss"] != claims["sub"]:
        raise Unauthorized("the assertion's iss and sub differ; both are the deployment's id")
    return _timely(claims, now)


def _timely(claims: Mapping[str, Any], now: datetime) -> Assertion:
    try:
        issued, expires = (datetime.fromtimestamp(float(claims[key]), now.tzinfo) for key in ("iat", "exp"))
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Unauthorized("the assertion's iat and exp must be seconds since 1970") from error
    if expires - issued > ASSERTION_LIFE:
        raise Unauthorized("the assertion lives for more than five minutes")
    if issued > now + SKEW or expires < now - SKEW:
        raise Unauthorized(
            "the assertion is not of now",
            hint="sign again with the server's time, which is in context.serverTime",
            serverTime=now.isoformat(),
        )
    return Assertion(deployment_id=str(claims["iss"]), jti=str(claims["jti"])[:200], expires_at=expires + SKEW)
