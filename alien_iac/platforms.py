"""The table of platforms, and loading of their packages by name, so that nobody pays for a cloud that is not theirs.

A platform package is a top-level package with literal tables in its `__init__`, read without importing any SDK:
`MAPPING` (kind -> "module:function"; beside the kinds `Provider`, and `Checks` and `Offline` where it has them),
`UNSUPPORTED` and `IGNORED` (kind or `Kind.argument` -> reason), `ROLES` (kind -> roles of native resources), `RESERVED`
(ids that it needs itself), `IMAGE_NEEDS_DOCKER`.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from alien_iac.errors import Missing
from alien_iac.models.declared import Support
from alien_iac.models.platform import Platform

__all__ = ["CHECKS", "OFFLINE", "PACKAGER", "PACKAGES", "Platform", "installed", "load", "packager", "support"]

PACKAGES: Mapping[Platform, str] = {
    Platform.AWS: "alien_iac_aws",
    Platform.AZURE: "alien_iac_azure",
    Platform.GCP: "alien_iac_gcp",
    Platform.LOCAL: "alien_iac_local",
}
CHECKS = "Checks"
"""In `MAPPING`: checks of the platform's own, `check(stack, settings) -> findings`, which import no SDK."""
OFFLINE = "Offline"
"""In `MAPPING`: outputs made up where there is no cloud, `outputs(settings) -> (type, name, inputs) -> outputs`."""
PACKAGER = "alien_iac.packaging.artifacts"
"""Has `make(folder, purpose, cache)`."""


def support(platform: Platform) -> Support:
    """What the platform's package says of itself. Raises Missing where it is not installed."""
    package = _package(platform)
    return Support(
        kinds=frozenset(package.MAPPING),
        unsupported=package.UNSUPPORTED,
        ignored=package.IGNORED,
        roles=package.ROLES,
        reserved=frozenset(package.RESERVED),
        image_needs_docker=package.IMAGE_NEEDS_DOCKER,
    )


def installed() -> tuple[Platform, ...]:
    """The platforms whose packages can be loaded here."""
    return tuple(p for p, name in PACKAGES.items() if importlib.util.find_spec(name) is not None)


def load(platform: Platform, kind: str) -> Callable[..., Any]:
    """What the platform's package makes a kind with. Imports its SDK. Raises Missing where it is not installed."""
    module, _, function = _package(platform).MAPPING[kind].partition(":")
    try:
        made: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        raise _missing(platform, error) from error
    return made


def packager() -> ModuleType:
    """The module that packages source folders; a layer above this one, so it is found by name."""
    return importlib.import_module(PACKAGER)


def _package(platform: Platform) -> ModuleType:
    try:
        return importlib.import_module(PACKAGES[platform])
    except ModuleNotFoundError as error:
        raise _missing(platform, error) from error


def _missing(platform: Platform, error: ModuleNotFoundError) -> Missing:
    extra = "deploy" if platform is Platform.LOCAL else platform.value
    return Missing(
        f"the platform {platform} is not installed: there is no module {error.name}",
        hint=f"pip install 'alien-iac[{extra}]'",
    )
