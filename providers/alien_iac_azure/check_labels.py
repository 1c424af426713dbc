"""Labels: all of them are tags, but for those whose names Azure keeps for itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding

KEY = "alien:labels"
RESERVED = ("azure", "microsoft", "windows")


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every label of the config."""
    for name in sorted(stack.config.labels if stack.config else ()):
        if name.startswith(RESERVED):
            message = f'"{name}" is no tag on Azure, which keeps names such as this one for itself'
            yield finding("CONFIG_INVALID", KEY, message, f"begin it with none of {', '.join(RESERVED)}")
