"""The image that a workload runs, in the deployment's own registry: assembled from its source, or copied by its digest.

So nothing is pulled from elsewhere when a workload starts, and what the customer runs is what was reviewed.
"""

from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_gcp.artifactregistry import (
    Repository,
    RepositoryDockerConfigArgs,
    RepositoryVulnerabilityScanningConfigArgs,
)

from alien_iac.protocol.code import BASE
from alien_iac.resources.context import Context
from alien_iac.resources.native import Image
from alien_iac_gcp import naming
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.place import IMPERSONATE, place
from alien_iac_gcp.shared import after, with_apis
from alien_iac_gcp.workload import of_source


@dataclass(frozen=True, kw_only=True)
class Imported:
    """An image that Google Cloud can start."""

    reference: pulumi.Output[str]
    repository: str
    """The id of its repository."""
    image: Image


def imported(context: Context) -> Imported:
    """The image. Role: `image`."""
    where, registry = place(context.deployment.settings), repository(context)
    name = naming.name(context.deployment.config, "repository", "images")
    here = f"{where.region}-docker.pkg.dev/{where.project}/{name}/{context.declared.id}"
    impersonated = context.deployment.settings.get(IMPERSONATE)
    props: dict[str, Any] = {
        "repository": here,
        "identity": {"impersonateServiceAccount": impersonated} if impersonated else None,
        **_source(context),
    }
    made = context.waiting_for([registry]).native("image", Image, props, suffix="image")
    return Imported(reference=made.reference, repository=name, image=made)


def repository(context: Context) -> Repository:
    """The deployment's registry, which waits for nothing that a single workload waits for."""
    context, key = keyed(with_apis(replace(context, needed=()), "artifactregistry"), "artifactregistry")
    config = context.deployment.config
    props = {
        "repository_id": naming.name(config, "repository", "images"),
        "location": place(context.deployment.settings).region,
        "format": "DOCKER",
        "mode": "STANDARD_REPOSITORY",
        "description": f"Images of {config.prefix}",
        "docker_config": RepositoryDockerConfigArgs(immutable_tags=True),
        "vulnerability_scanning_config": RepositoryVulnerabilityScanningConfigArgs(enablement_config="INHERITED"),
        "kms_key_name": key,
    }
    return context.shared.shared(after(Repository, context.needed), "images", props)


def _source(context: Context) -> dict[str, Any]:
    if context.artifact is None:
        return {"source": context.recorded.given["image"]}
    return {
        "source": str(context.artifact.path),
        "sha256": context.artifact.sha256,
        "base": BASE,
        "command": of_source(context.declared),
    }
