"""How large an artifact may be where it is to run: each cloud's own limits, in one literal table."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import Kind
from alien_iac.models.finding import Finding
from alien_iac.models.platform import Platform

MB = 2**20


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Of one cloud's service, in bytes."""

    service: str
    unpacked: int | None = None
    """The most that it takes, unpacked."""
    direct: int | None = None
    """The most that it takes with the request itself, as a zip; more goes through a bucket."""


LIMITS: Mapping[tuple[Platform, Kind], Limit] = {
    (Platform.AWS, "Function"): Limit(service="Lambda", unpacked=250 * MB, direct=50 * MB),
}
"""A platform and kind that is not here runs an image, or has no limit of its own that is worth a check."""


def check(platform: Platform, kind: Kind, resource: str, artifact: Path) -> Iterator[Finding]:
    """What a cloud says to an artifact of this size. What is no zip stands for one, and is not looked at."""
    limit = LIMITS.get((platform, kind))
    if limit is None or not zipfile.is_zipfile(artifact):
        return
    with zipfile.ZipFile(artifact) as opened:
        unpacked = sum(info.file_size for info in opened.infolist())
    packed = artifact.stat().st_size
    if limit.unpacked is not None and unpacked > limit.unpacked:
        message = f"its artifact is {_mb(unpacked)} unpacked, and {limit.service} takes {_mb(limit.unpacked)}"
        yield finding("ARTIFACT_TOO_LARGE", resource, message, "leave out what it does not need, or give it an `image`")
    elif limit.direct is not None and packed > limit.direct:
        message = f"its artifact is {_mb(packed)}, more than {limit.service} takes directly: it goes through a bucket"
        yield finding("ARTIFACT_LARGE", resource, message, "every cold start loads it")


def _mb(size: int) -> str:
    return f"{size / MB:,.1f} MB"
