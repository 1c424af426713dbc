"""What an author writes inside an argument, kept as it was written.

`Volume(…)`, `Scale(…)` and `schedule(…)` check nothing by themselves: what is wrong with them is found together with
everything else, when the component that they are given to is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Never


@dataclass(frozen=True)
class Written:
    """Arguments of an argument, not yet checked."""

    arguments: Mapping[str, Any]


class Volume(Written):
    """A disk of a Container at `mount_path`, kept when the deployment goes. `shared`: many replicas may write to it."""

    def __init__(self, mount_path: str, *, size: str = "10Gi", shared: bool = False, **unknown: Never) -> None:
        super().__init__({"mount_path": mount_path, "size": size, "shared": shared, **unknown})


class Scale(Written):
    """How many replicas of a Container run: from `min` to `max`, more when they use over `cpu` percent."""

    def __init__(self, *, min: int = 1, max: int = 10, cpu: int = 70, **unknown: Never) -> None:  # noqa: A002 - the author's words
        super().__init__({"min": min, "max": max, "cpu": cpu, **unknown})


def schedule(cron: str, timezone: str = "UTC") -> Written:
    """A trigger at the instants of a crontab line of five fields, in a time zone of the IANA database."""
    return Written({"kind": "schedule", "cron": cron, "timezone": timezone})


def unwrapped(value: Any) -> Any:
    """The value with every `Written` in it replaced by its plain arguments."""
    if isinstance(value, Written):
        return {name: unwrapped(item) for name, item in value.arguments.items()}
    if isinstance(value, list | tuple):
        return [unwrapped(item) for item in value]
    return value
