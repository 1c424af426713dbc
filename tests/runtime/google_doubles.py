"""Doubles of who a workload is on Google Cloud, for tests, over their real HTTP interfaces.

The metadata server of a machine, which tells its service account and gives tokens; and the service that signs at the
account's request. Left out: scopes, audiences, other accounts, and every refusal.
"""

from __future__ import annotations

import base64
import hashlib
import json

from runtime.loopback import Request, Response

PROJECT = "test-project"
EMAIL = f"workload@{PROJECT}.iam.gserviceaccount.com"
TOKEN = "token-of-the-workload"
_ROOT = "/computeMetadata/v1/"


def metadata(request: Request) -> Response:
    """The metadata server."""
    if request.headers.get("metadata-flavor") != "Google":
        return Response(403)
    account = {"email": EMAIL, "aliases": ["default"], "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}
    told: dict[str, object] = {
        "project/project-id": PROJECT,
        "universe/universe-domain": "googleapis.com",
        "instance/service-accounts/default/email": EMAIL,
        f"instance/service-accounts/{EMAIL}/email": EMAIL,
        "instance/service-accounts/default/": account,
        f"instance/service-accounts/{EMAIL}/": account,
    }
    path = request.path.removeprefix(_ROOT)
    if path.endswith("/token"):
        return _told({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
    return _told(told[path]) if path in told else Response(200 if request.path == "/" else 404, b"", _FLAVOUR)


def signing(request: Request) -> Response:
    """IAM's service for credentials: a signature of the bytes that it is sent."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}" or not request.path.endswith(f"{EMAIL}:signBlob"):
        return Response(403, b"{}")
    blob = base64.b64decode(json.loads(request.body)["payload"])
    signed = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return Response(
        200, json.dumps({"keyId": "1", "signedBlob": signed}).encode(), {"Content-Type": "application/json"}
    )


_FLAVOUR = {"Metadata-Flavor": "Google"}


def _told(value: object) -> Response:
    if isinstance(value, str):
        return Response(200, value.encode(), {**_FLAVOUR, "Content-Type": "application/text"})
    return Response(200, json.dumps(value).encode(), {**_FLAVOUR, "Content-Type": "application/json"})
