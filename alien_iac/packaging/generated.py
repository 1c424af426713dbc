"""Files that an artifact has beside the vendor's own, because a cloud's own runtime asks for them by name."""

from collections.abc import Mapping

from alien_iac.packaging.targets import Target
from alien_iac.protocol import azure_functions

FILES: Mapping[tuple[str, str], Mapping[str, bytes]] = {("azure", "Function"): azure_functions.PACKAGE}
"""Platform and kind of workload to the files' names, relative to the artifact's root, and their content."""


def files(target: Target) -> Mapping[str, bytes]:
    """The files for a target; most have none."""
    return FILES.get((target.platform, target.kind), {})
