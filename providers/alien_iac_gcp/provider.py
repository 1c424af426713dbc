"""The deployment's own Google Cloud provider: one project, one region, the service account that it acts as, labels."""

import json
from typing import Any

from pulumi_gcp.provider import Provider

from alien_iac.resources.deployment import Deployment
from alien_iac_gcp import naming
from alien_iac_gcp.place import DELEGATES, IMPERSONATE, place


def make(deployment: Deployment) -> Provider:
    """The pinned provider. Raises ConfigInvalid where the config does not pin a project and a region."""
    where, settings = place(deployment.settings), deployment.settings
    return Provider(
        "gcp",
        project=where.project,
        region=where.region,
        zone=where.zone,
        impersonate_service_account=settings.get(IMPERSONATE),
        impersonate_service_account_delegates=_listed(settings.get(DELEGATES)),
        default_labels=naming.labels(deployment.config),
        add_pulumi_attribution_label=False,
    )


def _listed(value: Any) -> list[str] | None:
    found = json.loads(value) if isinstance(value, str) else value
    return list(found) if found else None
