"""Agents of a control plane that runs as a process: each does what it is told, healthily or not."""

import base64
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import jwt
from control.control_process import Process
from control.control_vendor import Json, Vendor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PAUSE_S = 0.1


def publish(process: Process, vendor: Vendor, version: str, sequence: int) -> None:
    path = vendor.manifest(version, sequence)
    for sha256, content in vendor.blobs().items():
        process.call("PUT", f"/blobs/{sha256}", content=content)
    process.call("POST", "/releases", {"manifest": path, "targetsMetadata": vendor.targets()})


def trusted(process: Process) -> Vendor:
    """A vendor whose root the control plane has."""
    vendor = Vendor(online=process.call("GET", "/tuf/online-keys")["keys"])
    process.call("PUT", "/tuf/root", {"metadata": vendor.root()})
    return vendor


@dataclass
class Robot:
    """An agent in a thread. A release in `broken` fails, and it goes back to what it ran before."""

    process: Process
    broken: frozenset[str]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    deployment_id: str = ""
    release: str | None = None
    applied: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def enrol(self, customer: str) -> None:
        code = self.process.call("POST", "/enrolment-codes", {"customer": customer, "platform": "local"})
        self.deployment_id = code["deploymentId"]
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.process.call("POST", "/enrol", {"code": code["code"], "publicKey": pem, "agentVersion": "1"}, "none")
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.ended.set()
        if self.thread is not None:
            self.thread.join()

    def token(self) -> str:
        now = datetime.now(UTC).timestamp()
        claims = {"iss": self.deployment_id, "sub": self.deployment_id, "aud": "alien", "iat": now, "exp": now + 60}
        assertion = jwt.encode({**claims, "jti": uuid.uuid4().hex}, self.key, algorithm="EdDSA")
        return str(self.process.call("POST", "/token", {"assertion": assertion}, "none")["token"])

    def _live(self) -> None:
        token, revision = None, 0
        while not self.ended.wait(PAUSE_S):
            try:
                token = token or self.token()
                revision = self._work(token, revision)
            except (httpx.TransportError, AssertionError):
                token = None  # the control plane is down, or about to be: try again

    def _work(self, token: str, revision: int) -> int:
        self._beat(token)
        wanted = self.process.call("GET", "/agent/desired", None, token, params={"after": revision, "wait": 0.2})
        if wanted["revision"] <= revision:
            return revision
        manifest = wanted.get("manifest")
        version = manifest.split("/")[1] if manifest else None
        self._report(token, wanted, "applying")
        if version in self.broken:
            self.applied.append(str(version))
            self._report(token, wanted, "returned", release=self.release, reason="unhealthy")
        else:
            self.applied.append(str(version))
            self.release = version
            self._beat(token)
            self._report(token, wanted, "succeeded", release=version)
        return int(wanted["revision"])

    def _beat(self, token: str) -> None:
        body = {"agentVersion": "1", "release": self.release, "health": "healthy" if self.release else "unknown"}
        self.process.call("POST", "/agent/heartbeats", body, token)

    def _report(self, token: str, wanted: dict[str, Json], phase: str, **more: object) -> None:
        body = {"id": f"{wanted['revision']}-{phase}", "revision": wanted["revision"], "phase": phase, **more}
        body["rolloutId"] = wanted.get("rolloutId")
        body["targets"] = [{"resourceId": "worker", "resourceType": "worker"}]
        self.process.call("POST", "/agent/reports", {k: v for k, v in body.items() if v is not None}, token)


def inline(text: str) -> dict[str, str]:
    return {"mode": "inline", "inlineBase64": base64.b64encode(text.encode()).decode()}
