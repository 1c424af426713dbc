"""Files that an artifact has beside the vendor's own, because a cloud's own runtime asks for them by name."""

from collections.abc import Mapping

from alien_iac.packaging.targets import Target

FILES: Mapping[tuple[str, str], Mapping[str, bytes]] = {}
"""Platform and kind of workload to the files' names, relative to the artifact's root, and their content."""


def files(target: Target) -> Mapping[str, bytes]:
    """The files for a target; most have none."""
    return FILES.get((target.platform, target.kind), {})
