"""A control plane of a test: the real app and database in a temporary folder, with a clock that the test moves."""

import base64
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
from control.control_vendor import Json, Vendor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from alien_iac.control import tokens
from alien_iac.control.admission import Admission
from alien_iac.control.app import create_app
from alien_iac.control.blobs import Folder
from alien_iac.control.collaborators import Control
from alien_iac.control.sealed_files import SealedFolder
from alien_iac.control.signatures import Signer
from alien_iac.control.store import migrations
from alien_iac.control.store import tokens as token_store
from alien_iac.control.store.engine import Database, Store
from alien_iac.control.store.rollouts import RolloutStore
from alien_iac.control.store.sqlite import SqliteStore
from alien_iac.control.trust import OnlineKeys
from alien_iac.control.vault import Vault
from alien_iac.control.waiting import Waiting
from alien_iac.protocol.api import NewToken
from alien_iac.rollout.service import Rollouts

URL = "http://control.test"
WORKER = {"resourceId": "worker", "resourceType": "worker"}
API = {"resourceId": "api", "resourceType": "container"}


@dataclass
class MovedClock:
    """A clock that stands until a test moves it."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class WrongClock(MovedClock):
    """A clock that goes, and is wrong by so many seconds."""

    wrong: float = 0.0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.wrong)


@dataclass(frozen=True, kw_only=True)
class Plane:
    control: Control
    app: FastAPI
    clock: MovedClock
    admin: str
    vendor: Vendor

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=f"{URL}/v1", headers=headers)

    async def call(
        self, method: str, path: str, body: object = None, token: str | None = None, **options: Json
    ) -> httpx.Response:
        """One request; as the admin where no token is given."""
        async with self.client(self.admin if token is None else token or None) as client:
            return await client.request(method, path, json=body, **options)

    async def ok(self, method: str, path: str, body: object = None, token: str | None = None, **options: Json) -> Json:
        """The JSON of an answer that must be a good one."""
        answer = await self.call(method, path, body, token, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def token(self, *scopes: str, **more: Json) -> str:
        made = await self.ok("POST", "/auth/tokens", {"name": "test", "scopes": scopes, **more})
        return str(made["token"])

    async def vendor_release(self, version: str, sequence: int, **more: Json) -> str:
        """A release of the vendor, published; its manifest's path."""
        path = self.vendor.manifest(version, sequence, **more)
        await self.put_blobs()
        await self.ok("POST", "/releases", {"manifest": path, "targetsMetadata": self.vendor.targets()})
        return path

    async def put_blobs(self) -> None:
        for sha256, content in self.vendor.blobs().items():
            answer = await self.call("PUT", f"/blobs/{sha256}", content=content)
            assert answer.status_code == 204, answer.text

    async def agent(self, customer: str = "acme", targets: tuple[Mapping[str, str], ...] = (WORKER,)) -> "Agent":
        """An enrolled agent, whose release takes commands for these targets."""
        body = {"customer": customer, "platform": "local", "labels": {"tier": "gold"}}
        code = await self.ok("POST", "/enrolment-codes", body)
        agent = Agent(plane=self, deployment_id=code["deploymentId"])
        enrol = {"code": code["code"], "publicKey": agent.public_key, "agentVersion": "0.1.0"}
        await self.ok("POST", "/enrol", enrol, token="")
        await agent.renew()
        if targets:
            await agent.report(0, "unchanged", targets=targets)
        return agent


@dataclass
class Agent:
    """An agent as the control plane sees it."""

    plane: Plane
    deployment_id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    token: str = ""

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def assertion(self, *, at: datetime | None = None, key: Ed25519PrivateKey | None = None, **claims: Json) -> str:
        now = (at or self.plane.clock()).timestamp()
        said = {
            "iss": self.deployment_id,
            "sub": self.deployment_id,
            "aud": "alien",
            "iat": now,
            "exp": now + 120,
            "jti": uuid.uuid4().hex,
            **claims,
        }
        return jwt.encode(said, key or self.key, algorithm="EdDSA")

    async def renew(self) -> None:
        made = await self.plane.ok("POST", "/token", {"assertion": self.assertion()}, token="")
        self.token = made["token"]

    async def report(self, revision: int, phase: str, **more: Json) -> httpx.Response:
        body = {"id": uuid.uuid4().hex, "revision": revision, "phase": phase, **more}
        return await self.plane.call("POST", "/agent/reports", body, self.token)

    async def beat(self, release: str | None, health: str = "healthy") -> None:
        body = {"agentVersion": "0.1.0", "release": release, "health": health}
        await self.plane.ok("POST", "/agent/heartbeats", body, self.token)

    async def desired(self, **query: Json) -> Json:
        return await self.plane.ok("GET", "/agent/desired", token=self.token, params=query)

    async def lease(self, **more: Json) -> list[dict[str, Json]]:
        query = {"wait": more.pop("wait", 0)}
        body = {"deploymentId": self.deployment_id, **more}
        found = await self.plane.ok("POST", "/commands/leases", body, self.token, params=query)
        return list(found["leases"])

    async def send(self, command: str = "read-file", **more: Json) -> httpx.Response:
        body = {"deploymentId": self.deployment_id, "command": command, "params": inline({"path": "a"}), **more}
        return await self.plane.call("POST", "/commands", body)

    async def sent(self, **more: Json) -> str:
        answer = await self.send(**more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["commandId"])

    async def answer(self, lease: Mapping[str, Json], value: object = "done") -> httpx.Response:
        """Submit a result as the published receivers do: by the lease's URL, without a token."""
        url = httpx.URL(f"{URL}/v1/commands/leases").join(lease["envelope"]["responseHandling"]["submitResponseUrl"])
        body = {"status": "success", "response": inline(value)}
        async with self.plane.client() as client:
            return await client.put(url, json=body)


def inline(value: object) -> dict[str, str]:
    return {"mode": "inline", "inlineBase64": base64.b64encode(json.dumps(value).encode()).decode()}


def unpack(body: Mapping[str, Json]) -> Json:
    return json.loads(base64.b64decode(body["inlineBase64"]))


@asynccontextmanager
async def plane_in(
    folder: Path, *, rooted: bool = True, clock: MovedClock | None = None, store: Store | None = None
) -> AsyncIterator[Plane]:
    """A control plane whose parts are all real; its effects of rollouts are run by the tests that need them."""
    clock, waiting, vault = clock or MovedClock(), Waiting(), Vault((b"v" * 32,))
    database = Database(store or SqliteStore(folder / "control.sqlite"), clock, waiting.wake, vault)
    migrations.upgrade(database.engine)
    control = Control(
        database=database,
        waiting=waiting,
        blobs=Folder(folder / "blobs", 1 << 20),
        bodies=SealedFolder(folder / "bodies", 4 << 20, vault),
        signer=Signer(b"u" * 32),
        secret=b"s" * 32,
        keys=OnlineKeys.generate(),
        rollouts=Rollouts(RolloutStore(database), clock=clock),
        admission=Admission(database, clock),
        clock=clock,
    )
    admin = tokens.mint("admin")
    new = NewToken(name="admin", scopes=("admin",))
    database.write_now(lambda transaction: token_store.add(transaction, new, tokens.fresh("tok"), admin))
    vendor = Vendor(online=control.keys.public())
    plane = Plane(control=control, app=create_app(control), clock=clock, admin=admin, vendor=vendor)
    if rooted:
        await plane.ok("PUT", "/tuf/root", {"metadata": vendor.root()})
    try:
        yield plane
    finally:
        database.close()
