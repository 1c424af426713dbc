"""The config of a deployment: the `alien:` keys of `Pulumi.<stack>.yaml`, checked like arguments."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from alien_iac.models.names import is_prefix
from alien_iac.models.platform import Platform

_URL = re.compile(r"https?://[^\s/?#@]+(:\d+)?(/[^\s?#]*)?")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")


def _prefix(text: str) -> str:
    if not is_prefix(text):
        allowed = "3 to 40 lower-case letters, digits and single hyphens, a letter first and no hyphen last"
        raise PydanticCustomError("prefix", '"{text}" is not {allowed}', {"text": text, "allowed": allowed})
    return text


def _url(text: str) -> str:
    if not _URL.fullmatch(text):
        raise PydanticCustomError("url", '"{text}" is not an address such as https://alien.example.com', {"text": text})
    return text.rstrip("/")


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise PydanticCustomError("domain", '"{text}" is not a name such as app.example.com', {"text": text})
    return text


def _labels(labels: dict[str, str]) -> dict[str, str]:
    wrong = sorted(part for pair in labels.items() for part in pair if not _LABEL.fullmatch(part))
    if wrong:
        raise PydanticCustomError(
            "labels", "{wrong}: a label and its value are short lower-case words", {"wrong": wrong}
        )
    return labels


Url = Annotated[str, AfterValidator(_url)]


class DeploymentConfig(BaseModel):
    """All `alien:` keys. Each is named as in the file, without `alien:`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    platform: Platform
    prefix: Annotated[str, AfterValidator(_prefix)]
    """Customer and six random characters, written when the deployment is made and never changed."""
    customer: str = ""
    labels: Annotated[dict[str, str], AfterValidator(_labels)] = {}
    """What the waves of a rollout select on."""
    control_plane: Url | None = None
    deployment_id: str | None = Field(default=None, min_length=1)
    """By which id the control plane knows the deployment, where no agent says so."""
    agent_url: Url | None = None
    """Where workloads reach the agent."""
    telemetry_endpoint: Url | None = None
    """Where workloads send their telemetry; the agent sets it, where there is one."""
    telemetry_token: SecretStr | None = Field(default=None, min_length=1)
    """A token with scope `telemetry` for this deployment, where the endpoint is the control plane: a Pulumi secret."""
    domain: Annotated[str, AfterValidator(_domain)] | None = None
    """The customer's domain with its certificate."""
    local_dir: str | None = Field(default=None, min_length=1)
    """Where `local` keeps its data; None is `.alien/<prefix>` in the project's folder."""
    network: str | None = Field(default=None, min_length=1)
    resource_group: str | None = Field(default=None, min_length=1)
    encryption_key: str | None = Field(default=None, min_length=1)
    permissions_boundary: str | None = Field(default=None, min_length=1)
    retain: bool = True
    """Whether data outlives the deployment."""

    @property
    def is_pushed(self) -> bool:
        """Whether workloads ask the control plane for their commands themselves, since no agent brings them."""
        return self.agent_url is None and self.control_plane is not None and self.deployment_id is not None
