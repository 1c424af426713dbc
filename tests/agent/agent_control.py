"""A control plane in this process, as an HTTP transport: it checks the agent's key, hands out tokens, and remembers."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import jwt
from agent.agent_vendor import Vendor
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

URL = "https://control.example"
DEPLOYMENT = "dep_1"


class ControlPlane:
    """`now` is its clock; `down` makes it not answer; `received` has every body by its path."""

    def __init__(self, vendor: Vendor | None = None) -> None:
        self.vendor = vendor or Vendor()
        self.key = Ed25519PrivateKey.generate()
        self.ahead = timedelta(0)
        self.down = False
        self.tokens = 0
        self.good_tokens = {"good"}
        self.jtis: set[str] = set()
        self.desired: dict[str, Any] = {"revision": 0}
        self.leases: list[dict[str, Any]] = []
        self.received: dict[str, list[Any]] = {}
        self.refuse: dict[str, int] = {}
        self.answers: dict[str, dict[str, Any]] = {}

    @property
    def private_key(self) -> bytes:
        plain = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        answer = self._answer(request)
        answer.headers["date"] = format_datetime(self.now(), usegmt=True)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        body: Any = json.loads(request.content) if request.content else None
        self.received.setdefault(path, []).append(body)
        if path in self.refuse:
            return httpx.Response(self.refuse[path], json={"code": "NO", "message": "refused"})
        if path == "/token":
            return self._token(body["assertion"])
        if path.endswith("/response") or path.startswith("/blobs/cmd_"):  # their URLs carry their own right
            return httpx.Response(200)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.good_tokens:
            return httpx.Response(401, json={"code": "UNAUTHORIZED", "message": "the token is wrong"})
        return self._known(path, request)

    def _known(self, path: str, request: httpx.Request) -> httpx.Response:
        if path in self.answers:
            return httpx.Response(200, json=self.answers[path])
        if path.startswith("/tuf/"):
            request.headers["authorization"] = "Bearer good"
            return self.vendor.answer(request)
        if path == "/commands/leases":
            leases, self.leases = self.leases, []
            return httpx.Response(200, json={"leases": leases})
        return httpx.Response(200, json=self.desired) if path == "/agent/desired" else httpx.Response(204)

    def _token(self, assertion: str) -> httpx.Response:
        try:
            claims = jwt.decode(
                assertion,
                self.key.public_key(),
                ["EdDSA"],
                audience="alien",
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            return httpx.Response(401, json={"code": "UNAUTHORIZED", "message": str(error)})
        late = not claims["iat"] - 60 <= self.now().timestamp() <= claims["exp"] + 60
        if late or claims["jti"] in self.jtis or claims["iss"] != DEPLOYMENT:
            return httpx.Response(401, json={"code": "UNAUTHORIZED", "message": "the assertion is not of now"})
        self.jtis.add(claims["jti"])
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.good_tokens.add(token)
        expires = (self.now() + timedelta(hours=1)).isoformat()
        return httpx.Response(200, json={"token": token, "expiresAt": expires})
