"""Run your product inside your customers' own cloud accounts: one Python stack, released to all of them in waves."""

import importlib

TYPE_CHECKING = False  # type checkers take it for true; `typing` itself would be half of what this import costs
if TYPE_CHECKING:
    from alien_iac.models.links import Link
    from alien_iac.models.platform import Platform
    from alien_iac.models.written import Scale, Volume, schedule
    from alien_iac.resources.container import Container
    from alien_iac.resources.function import Function
    from alien_iac.resources.kv import Kv
    from alien_iac.resources.provider import provider
    from alien_iac.resources.queue import Queue
    from alien_iac.resources.secret import Secret
    from alien_iac.resources.storage import Storage

__all__ = [
    "Container",
    "Function",
    "Kv",
    "Link",
    "Platform",
    "Queue",
    "Scale",
    "Secret",
    "Storage",
    "Volume",
    "provider",
    "schedule",
]

_HOMES = {
    "Container": "resources.container",
    "Function": "resources.function",
    "Kv": "resources.kv",
    "Link": "models.links",
    "Platform": "models.platform",
    "Queue": "resources.queue",
    "Scale": "models.written",
    "Secret": "resources.secret",
    "Storage": "resources.storage",
    "Volume": "models.written",
    "provider": "resources.provider",
    "schedule": "models.written",
}


def __getattr__(name: str) -> object:
    """Public names are loaded on first use: a workload's image needs no Pulumi, and the command line starts fast."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        from alien_iac.errors import Missing  # noqa: PLC0415 - only where something is missing

        raise Missing(f"alien_iac.{name} needs {error.name}", hint="pip install 'alien-iac[deploy]'") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
