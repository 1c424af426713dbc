"""Where a deployment is on Google Cloud, read from Pulumi's own keys; pure, so that names are planned."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alien_iac.errors import ConfigInvalid

PROJECT, REGION, ZONE = "gcp:project", "gcp:region", "gcp:zone"
IMPERSONATE, DELEGATES = "gcp:impersonateServiceAccount", "gcp:impersonateServiceAccountDelegates"
PROJECT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
AREA = re.compile(r"[a-z]+-[a-z]+\d+")
_ZONE = "b"
"""Every region has a zone of this letter, and not every one has an `a`."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One region of one project, and the zone in it for what stands in one zone."""

    project: str
    region: str
    zone: str

    def email(self, account_id: str) -> str:
        """The address of a service account of this project."""
        return f"{account_id}@{self.project}.iam.gserviceaccount.com"


def place(settings: Mapping[str, Any]) -> Place:
    """The place that the config pins. Raises ConfigInvalid where it does not say one."""
    project, region = (_text(settings, key) for key in (PROJECT, REGION))
    zone = settings.get(ZONE)
    return Place(project=project, region=region, zone=zone if isinstance(zone, str) and zone else f"{region}-{_ZONE}")


def _text(settings: Mapping[str, Any], key: str) -> str:
    value = settings.get(key)
    if not isinstance(value, str) or not value:
        example = "acme-production" if key == PROJECT else "europe-west1"
        raise ConfigInvalid(f"{key} is not set", hint=f"pulumi config set {key} {example}")
    return value
