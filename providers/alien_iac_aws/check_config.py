"""The keys of the config that AWS reads: one region, one account, roles of that account, whole ARNs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.errors import ConfigInvalid
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_aws import place

_ROLE = re.compile(r"arn:[\w-]+:iam::(?P<account>\d{12}):role/.+")
_KEY = re.compile(r"arn:[\w-]+:kms:(?P<region>[\w-]+):\d{12}:key/[\w-]+")
_BOUNDARY = re.compile(r"arn:[\w-]+:iam::(\d{12}|aws):policy/.+")


def check(stack: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Pulumi's keys and ours."""
    yield from _region(settings)
    yield from _account(settings)
    if stack.config is not None:
        yield from _key(stack.config, settings)
        yield from _boundary(stack.config)


def _region(settings: Mapping[str, Any]) -> Iterator[Finding]:
    region = settings.get(place.REGION)
    if not region:
        hint = f"pulumi config set {place.REGION} eu-central-1"
        yield finding("CONFIG_MISSING", place.REGION, "the deployment's config does not have it", hint)
    elif not place.AREA.fullmatch(str(region)):
        yield finding("CONFIG_INVALID", place.REGION, f'"{region}" is not a region', "such as eu-central-1")


def _account(settings: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        accounts, roles = place.account_ids(settings), place.assumed_roles(settings)
    except ConfigInvalid as wrong:
        yield finding("CONFIG_INVALID", wrong.message.split(" ", 1)[0], wrong.message, wrong.hint or "")
        return
    hint = f"pulumi config set --path '{place.ACCOUNTS}[0]' 123456789012"
    if not accounts:
        yield finding("CONFIG_MISSING", place.ACCOUNTS, "the deployment's config does not have it", hint)
    elif len(accounts) > 1:
        message = f"it names {len(accounts)} accounts, and a deployment is in exactly one"
        yield finding("CONFIG_INVALID", place.ACCOUNTS, message, hint)
    elif not place.ACCOUNT.fullmatch(accounts[0]):
        message = f'"{accounts[0]}" is not an account: it has twelve digits, in quotes where the first one is 0'
        yield finding("CONFIG_INVALID", place.ACCOUNTS, message, hint)
    yield from _roles(roles, accounts)


def _roles(roles: tuple[dict[str, Any], ...], accounts: tuple[str, ...]) -> Iterator[Finding]:
    for number, role in enumerate(roles, 1):
        found = _ROLE.fullmatch(str(role.get("roleArn") or ""))
        if not found:
            message = f'"{role.get("roleArn")}" is not the ARN of a role'
            yield finding("CONFIG_INVALID", place.ROLES, message, "arn:aws:iam::123456789012:role/alien-deploy")
            continue
        if number == len(roles) and accounts and found["account"] not in accounts:
            message = f"the last role is of the account {found['account']}, and {place.ACCOUNTS} is {accounts[0]}"
            yield finding("CONFIG_INVALID", place.ROLES, message, "both are the customer's")
        if not role.get("externalId"):
            message = f"{role['roleArn']} is assumed without an ExternalId"
            hint = "let the customer's role ask for one: it proves that you mean this customer"
            yield finding("AWS_EXTERNAL_ID", place.ROLES, message, hint)


def _key(config: DeploymentConfig, settings: Mapping[str, Any]) -> Iterator[Finding]:
    if config.encryption_key is None:
        return
    key, found = "alien:encryptionKey", _KEY.fullmatch(config.encryption_key)
    if not found:
        message = f'"{config.encryption_key}" is not the ARN of a key'
        yield finding("CONFIG_INVALID", key, message, "arn:aws:kms:eu-central-1:123456789012:key/…; no alias")
    elif found["region"] != settings.get(place.REGION):
        message = f"the key is in {found['region']}, and {place.REGION} is {settings.get(place.REGION)}"
        yield finding("CONFIG_INVALID", key, message, "use a key of the same region")
    else:
        users = f"logs.{found['region']}.amazonaws.com and events.amazonaws.com"
        message = f"the key's policy has to let {users} use it, on behalf of this account"
        yield finding("AWS_KEY_POLICY", key, message)


def _boundary(config: DeploymentConfig) -> Iterator[Finding]:
    boundary = config.permissions_boundary
    if boundary is not None and not _BOUNDARY.fullmatch(boundary):
        message = f'"{boundary}" is not the ARN of a policy'
        yield finding("CONFIG_INVALID", "alien:permissionsBoundary", message, "arn:aws:iam::123456789012:policy/…")
