"""The keys of the config that Google Cloud reads: one project, one region, a zone of it, a key in the same region."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_gcp import naming, place

KEY = "alien:encryptionKey"
_KEY = re.compile(r"projects/[^/]+/locations/(?P<region>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")
_IN_BUCKET = "google"
_GOOGLE = re.compile(rf"goog|.*{_IN_BUCKET}")


def check(stack: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Pulumi's keys and ours."""
    yield from _project(settings)
    yield from _region(settings)
    if stack.config is not None:
        yield from _names(stack, stack.config)
        yield from _labels(stack.config)
        yield from _key(stack.config, settings)


def _project(settings: Mapping[str, Any]) -> Iterator[Finding]:
    project, hint = settings.get(place.PROJECT), f"pulumi config set {place.PROJECT} acme-production"
    if not project:
        yield finding("CONFIG_MISSING", place.PROJECT, "the deployment's config does not have it", hint)
    elif not place.PROJECT_ID.fullmatch(str(project)):
        yield finding("CONFIG_INVALID", place.PROJECT, f'"{project}" is not the id of a project', hint)


def _region(settings: Mapping[str, Any]) -> Iterator[Finding]:
    region, hint = settings.get(place.REGION), f"pulumi config set {place.REGION} europe-west1"
    if not region:
        yield finding("CONFIG_MISSING", place.REGION, "the deployment's config does not have it", hint)
    elif not place.AREA.fullmatch(str(region)):
        yield finding("CONFIG_INVALID", place.REGION, f'"{region}" is not a region', hint)
    zone = settings.get(place.ZONE)
    if zone and not str(zone).startswith(f"{region}-"):
        message = f'"{zone}" is not a zone of {region}'
        yield finding("CONFIG_INVALID", place.ZONE, message, f"such as {region}-b, or leave it out")


def _names(stack: Stack, config: DeploymentConfig) -> Iterator[Finding]:
    if _GOOGLE.match(config.prefix):
        message = f'names that start with "{config.prefix}" are kept for Google itself'
        yield finding("GCP_NAME", "alien:prefix", message, "a prefix neither starts with goog nor has google in it")
    for component in stack.components:
        if component.kind == "Storage" and _IN_BUCKET in component.id:
            message = f'no bucket has "{_IN_BUCKET}" in its name'
            yield finding("GCP_NAME", component.id, message, "give the Storage another id")


def _labels(config: DeploymentConfig) -> Iterator[Finding]:
    left_out = sorted(key for key, value in config.labels.items() if not naming.is_label(key, value))
    if left_out:
        message = f"{', '.join(left_out)}: not a label here, so resources go without"
        hint = "letters, digits, hyphens and underscores, and a letter first in the key"
        yield finding("GCP_LABEL", "alien:labels", message, hint)


def _key(config: DeploymentConfig, settings: Mapping[str, Any]) -> Iterator[Finding]:
    if config.encryption_key is None:
        return
    found, region = _KEY.fullmatch(config.encryption_key), settings.get(place.REGION)
    if not found:
        message = f'"{config.encryption_key}" is not the name of a key'
        hint = "projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>, and no version"
        yield finding("CONFIG_INVALID", KEY, message, hint)
    elif found["region"] != region:
        message = f"the key is in {found['region']}, and {place.REGION} is {region}"
        yield finding("CONFIG_INVALID", KEY, message, "use a key of the same region")
    else:
        message = "databases, secrets, disks and images have their key from the day they are made, and keep it"
        hint = "set it before the first deployment; whoever deploys grants Google's services the use of the key"
        yield finding("GCP_KEY", KEY, message, hint)
        message = "logs and schedules are encrypted with Google's own key"
        yield finding("GCP_KEY", KEY, message, "a key for logs is set for the whole project, by Cloud Logging")
