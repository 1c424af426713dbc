"""Enrolment."""

import json
from pathlib import Path

import httpx
import jwt
import pytest
import yaml
from agent.agent_control import URL
from agent.agent_vendor import Vendor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from alien_iac import errors
from alien_iac.agent import enrol, place
from alien_iac.agent.client import Credentials
from alien_iac.agent.place import Place


class Desk:
    """Takes the code `good`, once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.bodies: list[dict[str, str]] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["code"] != "good" or self.bodies:
            return httpx.Response(401, json={"code": "UNAUTHORIZED", "message": "the code is wrong, or was used"})
        self.bodies.append(body)
        told = {"deploymentId": "dep_1", "customer": "acme", "platform": "local", "program": "tiny", "root": self.root}
        return httpx.Response(200, json=told)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)


@pytest.fixture
def desk() -> Desk:
    return Desk(Vendor().root_text())


def test_a_code_becomes_a_folder_that_is_the_agents_alone(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    identity = enrol.enrol(URL, "good", folder, transport=desk.transport())
    assert place.read_identity(Place(folder)) == identity
    assert identity.prefix.startswith("acme-")
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("key.pem", "agent.json", "customer.yaml", "passphrase"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load((folder / "customer.yaml").read_text())["updates"] == "auto"
    assert "good" not in (folder / "agent.json").read_text()


def test_the_key_that_was_registered_is_the_one_that_signs(desk: Desk, tmp_path: Path) -> None:
    enrol.enrol(URL, "good", tmp_path / "agent", transport=desk.transport())
    public = load_pem_public_key(desk.bodies[0]["publicKey"].encode())
    assert isinstance(public, Ed25519PublicKey)
    assertion = Credentials("dep_1", (tmp_path / "agent/key.pem").read_bytes()).assertion(now=2_000_000_000)
    claims = jwt.decode(
        assertion, public, ["EdDSA"], audience="alien", options={"verify_exp": False, "verify_iat": False}
    )
    assert (claims["iss"], claims["sub"]) == ("dep_1", "dep_1")
    assert claims["exp"] - claims["iat"] <= 300


def test_a_used_code_says_so_and_leaves_no_agent(desk: Desk, tmp_path: Path) -> None:
    enrol.enrol(URL, "good", tmp_path / "a", transport=desk.transport())
    with pytest.raises(errors.Unauthorized, match="was used"):
        enrol.enrol(URL, "good", tmp_path / "b", transport=desk.transport())
    with pytest.raises(errors.NotFound, match="not the folder of an agent"):
        place.read_identity(Place(tmp_path / "b"))


def test_a_folder_has_one_agent(desk: Desk, tmp_path: Path) -> None:
    enrol.enrol(URL, "good", tmp_path / "a", transport=desk.transport())
    with pytest.raises(errors.Conflict, match="already"):
        enrol.enrol(URL, "good", tmp_path / "a", transport=desk.transport())


def test_a_root_that_does_not_sign_itself_is_not_trusted(tmp_path: Path) -> None:
    for root in ("bm9uc2Vuc2U=", "%%%"):
        with pytest.raises(errors.Untrusted, match="root of trust"):
            enrol.enrol(URL, "good", tmp_path / "a", transport=Desk(root).transport())
    assert not (tmp_path / "a" / "agent.json").exists()


def test_a_control_plane_that_is_down_is_unavailable(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(errors.Unavailable, match="does not answer"):
        enrol.enrol(URL, "good", tmp_path / "a", transport=httpx.MockTransport(refuse))
