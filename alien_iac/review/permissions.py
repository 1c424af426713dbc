"""The permissions that the deploying identity needs, in the form that each cloud's own tools take."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from alien_iac.models.platform import Platform
from alien_iac.protocol import local
from alien_iac.review import permissions_aws, permissions_azure, permissions_gcp
from alien_iac.review.deployments import Subject

FILES: Mapping[Platform, str] = {
    Platform.AWS: "aws-policy.json",
    Platform.AZURE: "azure-role-definition.json",
    Platform.GCP: "gcp-custom-role.json",
}
"""What the file of each cloud is called; `local` needs no permission."""
_KEY = "alien:encryptionKey"
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc"))


def types(platform: Platform) -> frozenset[str]:
    """The types of resources that the tables of a platform know."""
    return _TYPES[platform]


def needed(subject: Subject, kinds: Collection[str]) -> dict[str, Any]:
    """What deploying these types takes; empty on `local`."""
    make = _MAKERS.get(subject.platform)
    return make(subject, sorted(kinds)) if make else {}


def _aws(subject: Subject, kinds: Collection[str]) -> dict[str, Any]:
    config = subject.config
    accounts = json.loads(config.get("aws:allowedAccountIds") or "[]")
    region = config.get("aws:region", "*")
    known = {
        "account": str(accounts[0]) if accounts else "*",
        "partition": next((name for start, name in _PARTITIONS if region.startswith(start)), "aws"),
        "prefix": config["alien:prefix"],
        "region": region,
    }
    return permissions_aws.policy(kinds, known, key=config.get(_KEY))


def _gcp(subject: Subject, kinds: Collection[str]) -> dict[str, Any]:
    return permissions_gcp.role(kinds, {"prefix": subject.config["alien:prefix"]})


def _azure(subject: Subject, kinds: Collection[str]) -> dict[str, Any]:
    config = subject.config
    scope = f"/subscriptions/{config.get('azure-native:subscriptionId', '')}"
    group = config.get("alien:resourceGroup")
    scope = f"{scope}/resourceGroups/{group}" if group else scope
    return permissions_azure.definition(kinds, {"prefix": config["alien:prefix"], "scope": scope})


_MAKERS: Mapping[Platform, Callable[[Subject, Collection[str]], dict[str, Any]]] = {
    Platform.AWS: _aws,
    Platform.AZURE: _azure,
    Platform.GCP: _gcp,
}
_TYPES: Mapping[Platform, frozenset[str]] = {
    Platform.AWS: frozenset(permissions_aws.ACTIONS),
    Platform.AZURE: permissions_azure.types(),
    Platform.GCP: frozenset(permissions_gcp.PERMISSIONS),
    Platform.LOCAL: frozenset({local.DIRECTORY, local.KV, local.PROCESS, local.QUEUE, local.SECRET}),
}
