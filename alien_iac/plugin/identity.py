"""Who the plugin is in a cloud: the identity of the engine's process, or one that it may take from there.

The clouds' SDKs are imported only by who needs one: the plugin has to start quickly. A secret that is found here goes
into a request's head and nowhere else.
"""

import base64
import importlib
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from alien_iac.errors import Missing, Unauthorized

Identity = Mapping[str, str]
"""`roleArn` and `externalId` (AWS), `impersonateServiceAccount` (GCP), `clientId` (Azure); empty: the process's own."""
Login = tuple[str, str]
"""User and password of a registry."""
_SESSION = "alien-iac"
_GCP_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_AZURE_USER = "00000000-0000-0000-0000-000000000000"
_TIMEOUT_S = 30
_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.")


def storage_credentials(scheme: str, identity: Identity) -> Any:
    """The credential provider of obstore for URLs of a scheme; None where it needs none."""
    found = _STORES.get(scheme)
    return found(identity) if found else None


def registry_login(host: str, identity: Identity) -> Login | None:
    """The login to a registry, by its host: a cloud's by identity, any other as Docker is logged in there."""
    found = next((make for pattern, make in _REGISTRIES if pattern.search(host)), None)
    return found(host, identity) if found else _docker_login(host, Path.home() / ".docker" / "config.json")


def _sdk(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise Missing(f"{error.name} is not installed", hint=f"pip install 'alien-iac[{extra}]'") from error


def _aws_session(identity: Identity, region: str | None = None) -> Any:
    session = _sdk("boto3", "aws").Session(region_name=region)
    if "roleArn" not in identity:
        return session
    who = {"RoleArn": identity["roleArn"], "RoleSessionName": _SESSION}
    more = {"ExternalId": identity["externalId"]} if "externalId" in identity else {}
    keys = session.client("sts").assume_role(**who, **more)["Credentials"]
    return _sdk("boto3", "aws").Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=region,
    )


def _google(identity: Identity) -> Any:
    credentials, _ = _sdk("google.auth", "gcp").default(scopes=[_GCP_SCOPE])
    account = identity.get("impersonateServiceAccount")
    if account is None:
        return credentials
    impersonated = _sdk("google.auth.impersonated_credentials", "gcp")
    return impersonated.Credentials(credentials, target_principal=account, target_scopes=[_GCP_SCOPE])


def _azure(identity: Identity) -> Any:
    client = identity.get("clientId")
    more = {"managed_identity_client_id": client, "workload_identity_client_id": client} if client else {}
    return _sdk("azure.identity", "azure").DefaultAzureCredential(**more)


_STORES: Mapping[str, Callable[[Identity], Any]] = {
    "s3": lambda who: _sdk("obstore.auth.boto3", "aws").Boto3CredentialProvider(_aws_session(who)),
    "gs": lambda who: _sdk("obstore.auth.google", "gcp").GoogleCredentialProvider(_google(who)),
    "az": lambda who: _sdk("obstore.auth.azure", "azure").AzureCredentialProvider(_azure(who)),
}


def _ecr(host: str, identity: Identity) -> Login:
    found = _ECR.match(host)
    session = _aws_session(identity, found["region"] if found else None)
    told = session.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(told).decode().partition(":")
    return user, password


def _artifact_registry(_: str, identity: Identity) -> Login:
    credentials = _google(identity)
    credentials.refresh(_sdk("google.auth.transport.requests", "gcp").Request())
    return "oauth2accesstoken", credentials.token


def _acr(host: str, identity: Identity) -> Login:
    """Azure's registry takes a token of its own, which it gives for one of the identity."""
    token = _azure(identity).get_token("https://containerregistry.azure.net/.default").token
    form = {"grant_type": "access_token", "service": host, "access_token": token}
    answer = httpx.post(f"https://{host}/oauth2/exchange", data=form, timeout=_TIMEOUT_S)
    if not answer.is_success:
        raise Unauthorized(
            f"the registry {host} answers {answer.status_code} to this identity", hint="grant it AcrPush there"
        )
    return _AZURE_USER, answer.json()["refresh_token"]


_REGISTRIES: tuple[tuple[re.Pattern[str], Callable[[str, Identity], Login]], ...] = (
    (_ECR, _ecr),
    (re.compile(r"(\.pkg\.dev|(^|\.)gcr\.io)$"), _artifact_registry),
    (re.compile(r"\.azurecr\.(io|us|cn)$"), _acr),
)


def _docker_login(host: str, file: Path) -> Login | None:
    """The login in Docker's own config, or in the credential program that it names."""
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    name = "https://index.docker.io/v1/" if host == "registry-1.docker.io" else host
    program = config.get("credHelpers", {}).get(name) or config.get("credsStore")
    if program:
        command = [f"docker-credential-{program}", "get"]
        asked = subprocess.run(command, input=name, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        told = json.loads(asked.stdout) if asked.returncode == 0 else {}
        return (told["Username"], told["Secret"]) if told else None
    text = config.get("auths", {}).get(name, {}).get("auth")
    if not text:
        return None
    user, _, password = base64.b64decode(text).decode().partition(":")
    return user, password
