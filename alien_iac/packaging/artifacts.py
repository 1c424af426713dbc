"""The artifact of any workload: a packaged source, or an image that is built from a folder with a `Dockerfile`."""

from pathlib import Path

from alien_iac.models.purpose import Purpose
from alien_iac.packaging import images, source
from alien_iac.packaging.archive import Artifact
from alien_iac.packaging.targets import Target


def make(folder: Path, purpose: Purpose, cache: Path) -> Artifact:
    """The artifact of a folder, made once for the same files. Raises as `source.package` and `images.build` do."""
    if purpose.image:
        return images.build(folder, purpose.architecture or images.ARCHITECTURE, cache)
    return source.package(folder, Target.of(purpose), cache)
