"""Images of workloads: named by their digest, so that what runs is what was released."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.errors import ConfigInvalid
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_aws.place import place


def check(stack: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Every image that is to be copied into the customer's registry; one that is an Output is seen by the plugin."""
    for component in stack.components:
        image = component.workload.image if component.workload else None
        if isinstance(image, str) and "@sha256:" not in image and not _is_near(image, settings):
            message = f'the image "{image}" is not named by its digest, and is copied by it'
            yield finding("AWS_IMAGE", component.id, message, "such as docker.io/library/redis@sha256:…")


def _is_near(image: str, settings: Mapping[str, Any]) -> bool:
    try:
        return place(settings).holds(image)
    except ConfigInvalid:
        return True  # the check of the config says so, and nothing is known of the registry
