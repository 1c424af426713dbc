"""The keys of the config that Azure reads: one subscription, one tenant, one region, and who calls Functions."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.errors import ConfigInvalid
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac_azure import keys, place, placement

_GUID = "00000000-0000-0000-0000-000000000000"
_NEEDED = (place.SUBSCRIPTION, place.TENANT)
_OPTIONAL = (place.CLIENT, place.APPLICATION)


def check(stack: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Pulumi's keys and ours."""
    yield from _location(settings)
    for key in (*_NEEDED, *_OPTIONAL):
        yield from _guid(key, settings.get(key), needed=key in _NEEDED)
    for component in stack.components:
        yield from _callers(stack, component, settings)
    if stack.config is not None:
        yield from _key(stack, stack.config)
        yield from _boundary(stack.config)


def _location(settings: Mapping[str, Any]) -> Iterator[Finding]:
    location = settings.get(place.LOCATION)
    if not location:
        hint = f"pulumi config set {place.LOCATION} westeurope"
        yield finding("CONFIG_MISSING", place.LOCATION, "the deployment's config does not have it", hint)
    elif not place.AREA.fullmatch(place.plain(str(location))):
        yield finding("CONFIG_INVALID", place.LOCATION, f'"{location}" is not a region', "such as westeurope")


def _guid(key: str, value: object, *, needed: bool) -> Iterator[Finding]:
    hint = f"pulumi config set {key} {_GUID}"
    if not value:
        if needed:
            yield finding("CONFIG_MISSING", key, "the deployment's config does not have it", hint)
    elif not place.GUID.fullmatch(str(value).lower()):
        yield finding("CONFIG_INVALID", key, f'"{value}" is not a GUID', hint)


def _callers(stack: Stack, component: Declared, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """A Function that is called has to know a token that is meant for it, and the agent has to be somebody."""
    if component.kind != "Function" or component.workload is None:
        return
    if placement.is_called(stack, component) and not settings.get(place.APPLICATION):
        message = f"{component.id} is called, and {place.APPLICATION} names no application that tokens are made out to"
        hint = "register one in the customer's tenant, with no secret and no permissions, and set its client id"
        yield finding("CONFIG_MISSING", place.APPLICATION, message, hint)
    if stack.is_called_by_agent(component) and not settings.get(place.CLIENT):
        message = f"{component.id} answers commands, and {place.CLIENT} does not say as whom the agent calls it"
        yield finding("CONFIG_MISSING", place.CLIENT, message, f"pulumi config set {place.CLIENT} {_GUID}")


def _key(stack: Stack, config: DeploymentConfig) -> Iterator[Finding]:
    if config.encryption_key is None:
        return
    try:
        keys.parts(config.encryption_key)
    except ConfigInvalid as wrong:
        yield finding("CONFIG_INVALID", keys.KEY, wrong.message, wrong.hint or "")
        return
    if any(c.kind == "Queue" for c in stack.components):
        message = (
            "messages are encrypted with Microsoft's own key: Service Bus takes another one in its Premium tier only"
        )
        yield finding(
            "AZURE_KEY", keys.KEY, message, "keep what has to be under your key in Storage, and send its name"
        )
    if any(c.workload for c in stack.components):
        message = "logs and images are encrypted with Microsoft's own key"
        yield finding("AZURE_KEY", keys.KEY, message)


def _boundary(config: DeploymentConfig) -> Iterator[Finding]:
    if config.permissions_boundary is not None:
        message = "Azure has no boundary of an identity's permissions"
        hint = "take it out; a condition on the deployer's role assignment limits which roles it may grant"
        yield finding("CONFIG_INVALID", "alien:permissionsBoundary", message, hint)
