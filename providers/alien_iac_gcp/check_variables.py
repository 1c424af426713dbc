"""A vendor's own variables: those that Google's libraries read are set here, and Cloud Run refuses its own."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding

_SET = frozenset({"GCP_PROJECT_ID", "GCP_REGION", "GOOGLE_CLOUD_PROJECT"})
_REFUSED = re.compile(r"K_(SERVICE|REVISION|CONFIGURATION)|X_GOOGLE_.*")


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """The names in every workload's `env`."""
    for component in stack.components:
        for name in sorted(component.workload.env if component.workload else ()):
            if name in _SET:
                yield finding("ENV_RESERVED", component.id, f"env: {name} is set by alien-iac", "rename it")
            elif _REFUSED.fullmatch(name):
                message = f"env: {name} is Cloud Run's own, and it takes no other"
                yield finding("ENV_RESERVED", component.id, message, "rename it")
