"""Which deployment a review is of: a customer's own config, or a made-up place on each platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alien_iac.engine import config as pulumi_config
from alien_iac.engine.config import StackConfig
from alien_iac.engine.project import Project
from alien_iac.errors import NotFound
from alien_iac.models.platform import Platform

NOBODY = "review"
"""The name of the Pulumi stack where no customer is named."""
PREFIX = "review-a1b2c3"
SECRET = "[secret]"  # noqa: S105 - what stands for one

PLACES: Mapping[Platform, Mapping[str, Any]] = {
    Platform.AWS: {"aws:region": "eu-central-1", "aws:allowedAccountIds": ["123456789012"]},
    Platform.AZURE: {
        "azure-native:location": "westeurope",
        "azure-native:subscriptionId": "00000000-0000-0000-0000-000000000001",
        "azure-native:tenantId": "00000000-0000-0000-0000-000000000002",
        "azure-native:clientId": "00000000-0000-0000-0000-000000000003",
        "alien-azure:application": "00000000-0000-0000-0000-000000000004",
    },
    Platform.GCP: {"gcp:project": "acme-project", "gcp:region": "europe-west1"},
    Platform.LOCAL: {},
}
"""Where nobody's deployment is."""


class Sealed:
    """Opens no secret: a review has no key."""

    def seal(self, text: str) -> str:
        return text

    def open(self, _sealed: str) -> str:
        return SECRET


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One deployment to be reviewed. `config`: full key to the text that a program gets."""

    project: Project
    platform: Platform
    stack: str
    config: Mapping[str, str]
    secret_keys: frozenset[str] = frozenset()


def subject(project: Project, platform: Platform | None, stack: str | None) -> Subject:
    """The deployment of a customer, or one that nobody has, on the platform (default: the customer's).

    Raises NotFound where the customer has no config. On another platform than theirs, a made-up place stands in.
    """
    path = project.stack_file(stack or NOBODY)
    if stack is not None and not path.is_file():
        raise NotFound(f"there is no {path}", hint=f"make it: alien init {stack} --platform local")
    given = pulumi_config.load(path, project.name) if stack else StackConfig(path, project.name)
    given = pulumi_config.with_defaults(given, project)
    theirs = given.values.get("alien:platform")
    where = platform or (Platform(theirs) if theirs in set(Platform) else Platform.LOCAL)
    place = {} if theirs == where else PLACES[where]
    whole = {"alien:prefix": PREFIX, **place, **given.values, "alien:platform": where.value}
    texts = {key: pulumi_config.text_of(pulumi_config.opened(value, Sealed())) for key, value in whole.items()}
    secret = frozenset(key for key, value in given.values.items() if pulumi_config.has_secret(value))
    return Subject(project=project, platform=where, stack=stack or NOBODY, config=texts, secret_keys=secret)
