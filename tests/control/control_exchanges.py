"""Exchanges with the control plane as files: recorded from an agent, and replayed against any later control plane.

A file is a list of steps: a request, and what came back. What differs from one run to the next has a name that starts
with `$`: the first time that a response has it, it is remembered, and from then on it stands for that value. `$time`,
`$text` and `$number` are any of their kind. A response may have more than was recorded, and never less.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import jwt
from control.control_plane import Plane
from control.control_vendor import Json
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FOLDER = Path(__file__).parent / "exchanges"
BASE = "http://127.0.0.1"
LEASES = f"{BASE}/v1/commands/leases"
"""What URLs in leases may be relative to."""
CONTENT = json.dumps("x" * 160_000).encode()
"""Large parameters, and a large result."""
LONG = 200
TICK_S = 0.001
"""Between two steps, so that no two things happen at one instant."""
_NAME = re.compile(r"\$([a-zA-Z]+\d*)")
_KINDS = {
    "deployment": re.compile(r"dep_[0-9a-z]{28}"),
    "command": re.compile(r"cmd_[0-9a-z]{28}"),
    "lease": re.compile(r"lease_(?:all_)?[0-9a-z]{28}"),
    "token": re.compile(r"alien_(?:agent|short|token)_[\w-]{40,}"),
    "code": re.compile(r"alien_enrol_[\w-]{40,}"),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")


class Recorder(httpx.AsyncBaseTransport):
    """The way to a control plane that notes what goes over it."""

    def __init__(self, plane: Plane) -> None:
        self._inner = httpx.ASGITransport(app=plane.app)
        self._admin = plane.admin
        self._clock = plane.clock
        self._names: dict[str, str] = {}
        self.steps: list[Json] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        self._clock.advance(TICK_S)
        self.steps.append(
            {
                "request": self._request(request, content),
                "response": {"status": answer.status_code, **({"body": self._mask(_parsed(body))} if body else {})},
            }
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)

    def _request(self, request: httpx.Request, content: bytes) -> Json:
        url = str(request.url)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        known = self._names.get(url)
        where = {"url": known} if known else {"path": self._mask(request.url.path)}
        body = self._mask(_parsed(content))
        query = {} if known else {key: self._mask(value) for key, value in request.url.params.items()}
        return {
            "method": request.method,
            **where,
            **({"query": query} if query else {}),
            **({"bearer": "$admin" if bearer == self._admin else self._mask(bearer)} if bearer else {}),
            **({"body": "$content" if content == CONTENT else body} if content else {}),
        }

    def _mask(self, value: Json) -> Json:
        match value:
            case dict():
                return {key: self._field(key, item) for key, item in value.items()}
            case list():
                return [self._mask(item) for item in value]
            case str():
                return self._text(value)
            case _:
                return value

    def _field(self, key: str, value: Json) -> Json:
        if key == "inlineBase64" and len(value) > LONG:
            return "$base64"
        if key == "path" and value.startswith("/v1/"):
            return "$text"
        named = {"assertion": "$assertion", "publicKey": "$publicKey", "agentVersion": "$text"}
        return named.get(key) or self._mask(value)

    def _text(self, value: str) -> str:
        if "response_token=" in value or "signature=" in value:
            return self._named(urljoin(LEASES, value), "url")
        if _TIME.fullmatch(value):
            return "$time"
        if len(value) > LONG:
            return "$text"
        for kind, pattern in _KINDS.items():
            value = pattern.sub(lambda found, kind=kind: self._named(found[0], kind), value)  # type: ignore[misc] # a default argument
        return value

    def _named(self, value: str, kind: str) -> str:
        taken = sum(name.rstrip("0123456789") == f"${kind}" for name in self._names.values())
        return self._names.setdefault(value, f"${kind}{taken + 1}")


def _parsed(content: bytes) -> Json:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()


@dataclass
class Replay:
    """Plays recorded exchanges as the one who recorded them."""

    plane: Plane
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    bound: dict[str, str] = field(default_factory=dict)

    async def play(self, steps: list[Json]) -> None:
        """Ask everything again; each answer must have all that was recorded."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.plane.app), base_url=BASE) as http:
            for number, step in enumerate(steps):
                answer = await http.send(self._request(http, step["request"]))
                where = f"step {number}: {step['request']['method']} {step['request'].get('path', 'a signed URL')}"
                assert answer.status_code == step["response"]["status"], f"{where}: {answer.text}"
                if "body" in step["response"]:
                    self._compare(step["response"]["body"], _parsed(answer.content), where)
                self.plane.clock.advance(step.get("thenWait", TICK_S))

    def _request(self, http: httpx.AsyncClient, told: Mapping[str, Any]) -> httpx.Request:
        url = self.bound[told["url"][1:]] if "url" in told else self._filled(told["path"])
        headers = {"authorization": f"Bearer {self._filled(told['bearer'])}"} if "bearer" in told else {}
        headers |= told.get("headers", {})
        body, query = self._filled(told.get("body")), self._filled(told.get("query")) or None
        if isinstance(body, str):
            return http.build_request(told["method"], url, params=query, headers=headers, content=body)
        return http.build_request(told["method"], url, params=query, headers=headers, json=body)

    def _filled(self, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._filled(item) for key, item in value.items()}
            case list():
                return [self._filled(item) for item in value]
            case str():
                return _NAME.sub(lambda found: self._value(found[1]), value)
            case _:
                return value

    def _value(self, name: str) -> str:
        """What a name stands for in a request: made here, or seen in a response before."""
        makers: Mapping[str, Callable[[], str]] = {
            "admin": lambda: self.plane.admin,
            "assertion": self._assertion,
            "publicKey": self._pem,
            "text": lambda: "any",
            "content": CONTENT.decode,
            "base64": lambda: base64.b64encode(CONTENT).decode(),
            "soon": lambda: datetime.fromtimestamp(self.plane.clock().timestamp() + 60, UTC).isoformat(),
        }
        return makers[name]() if name in makers else self.bound[name]

    def _pem(self) -> str:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def _assertion(self) -> str:
        now, who = self.plane.clock().timestamp(), self.bound["deployment1"]
        claims = {"iss": who, "sub": who, "aud": "alien", "iat": now - 60, "exp": now + 120, "jti": uuid.uuid4().hex}
        return jwt.encode(claims, self.key, algorithm="EdDSA")

    def _compare(self, expected: Any, got: Any, where: str) -> None:
        match expected:
            case dict():
                assert isinstance(got, dict), where
                missing = set(expected) - set(got)
                assert not missing, f"{where}: {missing} is gone"
                for key, item in expected.items():
                    self._compare(item, got[key], f"{where}.{key}")
            case list():
                assert isinstance(got, list), where
                assert len(got) == len(expected), f"{where}: {got}"
                for number, (item, one) in enumerate(zip(expected, got, strict=True)):
                    self._compare(item, one, f"{where}[{number}]")
            case str() if expected.startswith("$"):
                self._bind(expected[1:], got, where)
            case _:
                assert got == expected, f"{where}: {got!r}, not {expected!r}"

    def _bind(self, name: str, got: Any, where: str) -> None:
        if name == "time":
            assert datetime.fromisoformat(got).tzinfo, where
        elif name == "number":
            assert isinstance(got, int | float), where
        elif name == "text":
            assert isinstance(got, str), where
        elif name.startswith("url"):
            self.bound[name] = urljoin(LEASES, got)
        else:
            assert self.bound.setdefault(name, got) == got, f"{where}: {got!r}"
