"""Where a deployment is on AWS, read from Pulumi's own keys; pure, so that names and policies are planned."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alien_iac.errors import ConfigInvalid

REGION, ACCOUNTS, ROLES = "aws:region", "aws:allowedAccountIds", "aws:assumeRoles"
ACCOUNT = re.compile(r"\d{12}")
AREA = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_PARTITIONS = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "eusc-": ("aws-eusc", "amazonaws.eu"),
}
_EVERYWHERE_ELSE = ("aws", "amazonaws.com")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One region of one account."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """`aws`, or the partition of China, of the US government, or of the European sovereign cloud."""
        return self._area[0]

    @property
    def domain(self) -> str:
        """The domain of the services' endpoints."""
        return self._area[1]

    @property
    def _area(self) -> tuple[str, str]:
        return next((area for start, area in _PARTITIONS.items() if self.region.startswith(start)), _EVERYWHERE_ELSE)

    def holds(self, image: str) -> bool:
        """Whether an image is in the registry of this account and region."""
        return image.startswith(f"{self.account}.dkr.ecr.{self.region}.{self.domain}/")

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this region of this account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def place(settings: Mapping[str, Any]) -> Place:
    """The place that the config pins. Raises ConfigInvalid where it does not say exactly one."""
    region, accounts = settings.get(REGION), account_ids(settings)
    if not isinstance(region, str) or not region:
        raise ConfigInvalid(f"{REGION} is not set", hint=f"pulumi config set {REGION} eu-central-1")
    if len(accounts) != 1:
        message = f"{ACCOUNTS} names {len(accounts)} accounts, and a deployment is in exactly one"
        raise ConfigInvalid(message, hint=f"pulumi config set --path '{ACCOUNTS}[0]' 123456789012")
    return Place(account=accounts[0], region=region)


def account_ids(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The accounts that may be deployed to, as text."""
    return tuple(str(account) for account in _listed(settings, ACCOUNTS))


def assumed_roles(settings: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The roles that are assumed one after the other, with the keys of Pulumi's config (`roleArn`, `externalId`)."""
    return tuple(role for role in _listed(settings, ROLES) if isinstance(role, dict))


def _listed(settings: Mapping[str, Any], key: str) -> list[Any]:
    """A list as the config has it, or as JSON text. Raises ConfigInvalid for anything else."""
    value = settings.get(key) or []
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, list):
        raise ConfigInvalid(f"{key} is not a list", hint=f"pulumi config set --path '{key}[0]' …")
    return found
