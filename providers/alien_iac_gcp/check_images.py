"""Images: each is copied into the deployment's own registry, so it is named by its digest, and made for x86_64."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding

_DIGEST = "@sha256:"


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every workload with an image. One that only the update knows is looked at then."""
    for component in stack.components:
        workload = component.workload
        if workload is None or workload.image is None:
            continue
        if isinstance(workload.image, str) and _DIGEST not in workload.image:
            message = f'the image "{workload.image}" has no digest, so what is deployed would change under its name'
            yield finding("GCP_IMAGE", component.id, message, "write it as docker.io/vendor/app@sha256:…")
        if workload.architecture == "arm64":
            message = "gcp has no image for arm64 here: Cloud Run and its machines are x86_64"
            yield finding("UNSUPPORTED", component.id, message, "give it an image for x86_64, or for both")
