"""A vendor's own environment variables: names that are names, and none of ours."""

import re
from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.protocol.environment import RESERVED

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(stack: Stack) -> Iterator[Finding]:
    """The names in every workload's `env`. Values are never looked at."""
    for component in stack.components:
        for name in component.workload.env if component.workload else ():
            if RESERVED.fullmatch(name):
                message = f"env: {name} is set by alien-iac itself"
                yield finding("ENV_RESERVED", component.id, message, "ALIEN_* and PORT are reserved; rename it")
            elif not _NAME.fullmatch(name):
                message = f'env: "{name}" is not the name of a variable'
                yield finding("ENV_INVALID", component.id, message, "letters, digits and underscores, no digit first")
