"""Folders of sources and of images: there, with a `main.py` or a `Dockerfile`. The planner looks; this judges."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding


def check(stack: Stack) -> Iterator[Finding]:
    """Every folder that was looked at."""
    for resource, folder in stack.sources.items():
        if not folder.exists:
            hint = "source is relative to the stack program's file"
            yield finding("SOURCE_MISSING", resource, f'there is no folder "{folder.path}"', hint)
        elif not folder.has_main:
            yield finding(
                "SOURCE_NO_MAIN", resource, f'"{folder.path}" has no main.py', "it is where a workload starts"
            )
    for resource, folder in stack.images.items():
        if not folder.exists:
            hint = "an image that is a path is a folder, relative to the stack program's file"
            yield finding("SOURCE_MISSING", resource, f'there is no folder "{folder.path}"', hint)
        elif not folder.has_dockerfile:
            hint = "write one, or name the image by its digest"
            yield finding("IMAGE_NO_DOCKERFILE", resource, f'"{folder.path}" has no Dockerfile', hint)
