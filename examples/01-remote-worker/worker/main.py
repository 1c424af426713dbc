"""Handlers of the remote worker. The same file runs on every platform."""

from alien_iac.runtime import command, storage

files = storage("files")


@command("read-file")
async def read_file(path: str) -> str:
    """The text of a file in the customer's storage."""
    return (await files.get(path)).decode()


@command("add")
def add(left: int, right: int) -> int:
    """Parameters are checked from this signature before the handler is called."""
    return left + right
