"""What runs inside a workload: handlers, bindings and stores, on every platform the same.

    from alien_iac.runtime import command, storage

    files = storage("files")

    @command("read-file")
    async def read_file(path: str) -> str:
        return (await files.get(path)).decode()

Nothing here loads a store, a server or pydantic before it is used.
"""

from typing import TYPE_CHECKING, Any

from alien_iac.errors import HandlerFailed
from alien_iac.runtime.handlers import command, health, on_created, on_message, on_schedule
from alien_iac.runtime.links import container, function, kv, queue, secret, storage
from alien_iac.runtime.work import current

if TYPE_CHECKING:
    from alien_iac.runtime.commands import run_commands, serve_commands
    from alien_iac.runtime.web import serve

__all__ = [
    "HandlerFailed",
    "command",
    "container",
    "current",
    "function",
    "health",
    "kv",
    "on_created",
    "on_message",
    "on_schedule",
    "queue",
    "run_commands",
    "secret",
    "serve",
    "serve_commands",
    "storage",
]


def __getattr__(name: str) -> Any:
    if name in ("run_commands", "serve_commands"):
        from alien_iac.runtime import commands  # noqa: PLC0415 - it brings an HTTP client along

        return getattr(commands, name)
    if name == "serve":
        from alien_iac.runtime.web import serve  # noqa: PLC0415 - it brings a server along

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
