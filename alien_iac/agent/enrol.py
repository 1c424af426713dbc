"""Enrolment: a one-time code becomes an agent's folder: its key, the first root of trust, the customer's say."""

import base64
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from alien_iac import projects
from alien_iac.agent import answers, say
from alien_iac.agent.place import Identity, Place, refuse_taken, write, write_identity
from alien_iac.agent.version import VERSION
from alien_iac.errors import Unavailable, Untrusted
from alien_iac.protocol.api import Enrol, Enrolled
from alien_iac.protocol.tuf import Metadata, RepositoryError, Root

TIMEOUT_S = 30


def enrol(control_plane: str, code: str, folder: Path, *, transport: httpx.BaseTransport | None = None) -> Identity:
    """Make `folder` the folder of an agent, and return who it is.

    The private key is made here and never leaves. Raises Conflict where the folder has an agent, Unauthorized where
    the code is wrong or used, Unavailable where the control plane does not answer, Untrusted where its root is none.
    """
    place = Place(folder.resolve())
    refuse_taken(place)
    url = answers.checked_url(control_plane)
    key = Ed25519PrivateKey.generate()
    enrolled = _register(url, Enrol(code=code, public_key=_public(key), agent_version=VERSION), transport)
    root = _root(enrolled)
    identity = Identity(
        control_plane=url,
        deployment_id=enrolled.deployment_id,
        customer=enrolled.customer,
        platform=enrolled.platform,
        program=enrolled.program,
        prefix=projects.make_prefix(enrolled.customer),
    )
    _lay_out(place, identity, key, root)
    return identity


def _register(url: str, body: Enrol, transport: httpx.BaseTransport | None) -> Enrolled:
    try:
        with httpx.Client(transport=transport, timeout=TIMEOUT_S) as http:
            answer = http.post(f"{url}/v1/enrol", json=body.dump())
    except httpx.TransportError as error:
        raise answers.silent(url, error) from error
    answers.check(answer)
    try:
        return Enrolled.model_validate_json(answer.content)
    except ValidationError as error:
        raise Unavailable(
            f"{url} does not answer like a control plane", hint="check the address, and the proxy in between"
        ) from error


def _root(enrolled: Enrolled) -> bytes:
    """The first root, after a look that it is one and signs itself."""
    try:
        content = base64.b64decode(enrolled.root, validate=True)
        metadata = Metadata[Root].from_bytes(content)
        metadata.signed.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    except (ValueError, RepositoryError) as error:  # base64 that is none, or what is no ASCII at all
        raise Untrusted(
            f"the root of trust that the control plane gave is broken: {error}", hint="ask the vendor for a new code"
        ) from error
    return content


def _public(key: Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _lay_out(place: Place, identity: Identity, key: Ed25519PrivateKey, root: bytes) -> None:
    place.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.root.chmod(0o700)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write(place.key, private)
    write(place.tuf / "first-root.json", root)
    projects.passphrase_file(place.root)
    if not place.say.exists():
        write(place.say, say.DEFAULT_TEXT.encode())
    write_identity(place, identity)  # last: with it, the folder is an agent's
