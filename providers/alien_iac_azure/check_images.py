"""Images: each is copied into the customer's registry by its digest, for the one architecture that there is."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding

DIGEST = "@sha256:"


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every image that is known already."""
    for component in stack.components:
        workload = component.workload
        if workload is None or workload.image is None:
            continue
        if isinstance(workload.image, str) and DIGEST not in workload.image:
            message = f'"{workload.image}" names no digest, so what runs would not be what was reviewed'
            yield finding("AZURE_IMAGE", component.id, message, "write it as docker.io/vendor/app@sha256:…")
        if workload.architecture == "arm64":
            message = "its image is for arm64, and Azure runs x86_64 here"
            yield finding("UNSUPPORTED", component.id, message, "build it for x86_64")
