"""One process at a time has an agent's folder."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from alien_iac.agent.place import Place
from alien_iac.errors import Conflict


@contextmanager
def held(place: Place) -> Iterator[None]:
    """Hold the folder; the hold ends with the process, however it ends. Raises Conflict where its agent runs."""
    lock = FileLock(place.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Conflict(
            f"the agent of {place.root} runs already", hint="end it first, or give another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()
