"""Doubles of two of Azure's services, for tests, over their real HTTP interfaces: who a workload is, and Key Vault.

Left out of the identity's endpoint: its signature (the tokens are unsigned, as azurite takes them) and every refusal
but that of a wrong header. Left out of Key Vault: everything but `get` of a secret, older versions, and permissions.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from runtime.loopback import Request, Response

TENANT = "6f2c1a68-0b3d-4b0e-9f0c-000000000001"
CLIENT = "6f2c1a68-0b3d-4b0e-9f0c-000000000002"
HEADER = "header-of-the-identity"


def identity(request: Request) -> Response:
    """The endpoint that a Container App or a Function on Azure asks for tokens of its managed identity."""
    if request.headers.get("x-identity-header") != HEADER:
        return Response(401, b"{}")
    if request.query.get("client_id") != CLIENT:
        return Response(400, b"{}")
    resource = request.query["resource"]
    ends = int(time.time()) + 3600
    body = {
        "access_token": token(resource, ends),
        "expires_on": str(ends),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": CLIENT,
    }
    return _json(200, body)


def token(resource: str, ends: int) -> str:
    """A token for a resource, with the claims that azurite reads."""
    claims = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": ends - 3700,
        "nbf": ends - 3700,
        "exp": ends,
        "oid": CLIENT,
        "tid": TENANT,
        "appid": CLIENT,
        "sub": CLIENT,
        "ver": "1.0",
    }
    parts = ({"alg": "HS256", "typ": "JWT"}, claims, "signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


@dataclass(frozen=True)
class Kept:
    """A secret's current version."""

    value: str
    content_type: str | None = None


def key_vault(secrets: dict[str, Kept]) -> Callable[[Request], Response]:
    """The secrets of every vault: one namespace."""

    def answer(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            authority = f"https://login.microsoftonline.com/{TENANT}"
            challenge = f'Bearer authorization="{authority}", resource="https://vault.azure.net"'
            return Response(401, b"{}", {"WWW-Authenticate": challenge})
        name = request.path.split("/")[2]
        kept = secrets.get(name)
        if kept is None:
            return _json(404, {"error": {"code": "SecretNotFound", "message": f"{name} was not found"}})
        found = f"https://{request.headers['host']}/secrets/{name}/1"
        attributes = {"enabled": True, "created": 1, "updated": 1}
        return _json(
            200, {"value": kept.value, "contentType": kept.content_type, "id": found, "attributes": attributes}
        )

    return answer


def _json(status: int, body: object) -> Response:
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
