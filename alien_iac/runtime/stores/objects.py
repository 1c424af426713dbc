"""The door to `obstore`: checked keys go in, and its errors come out as ours, for every platform in one place."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore import exceptions

from alien_iac.errors import AlienError, Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from alien_iac.runtime.stores.once import Once

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig  # the configs are names for type checkers only

    from alien_iac.runtime.stores.storage import ObjectPlace  # the faces above import this module

KEY_LIMIT = 1024
RETRY: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=20)}
"""On every cloud: a handler has no minutes to wait for an object store that is away."""
CLIENT: ClientConfig = {"timeout": timedelta(minutes=15), "read_timeout": timedelta(seconds=30)}
"""On every cloud: a large object may take as long as a handler may, as long as its bytes arrive."""

_ABSENT = (FileNotFoundError, exceptions.NotFoundError)
_PRESENT = (exceptions.AlreadyExistsError, exceptions.PreconditionError)
_REFUSED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError)


class ObjectDoor:
    """One storage's place, found when it is first used."""

    def __init__(self, resource_id: str, connect: Callable[[], ObjectPlace]) -> None:
        self._id = resource_id
        self.place = Once(connect)

    @contextmanager
    def open(self, key: str, *, missing_is_fine: bool = False) -> Iterator[ObjectStore]:
        """The store for work on one key."""
        refusal = key_refusal(key) or self.place().refusal(key)
        if refusal:
            raise InvalidInput(f'storage "{self._id}": {key!r} is no key: {refusal}')
        about = f'storage "{self._id}", key {key!r}'
        try:
            yield self.place().objects
        except AlienError:
            raise
        except _ABSENT as error:
            if not missing_is_fine:
                raise NotFound(f"{about}: there is no such object") from error
        except _PRESENT as error:
            raise Conflict(f"{about}: the object exists already") from error
        except _REFUSED as error:
            raise Forbidden(
                f"{about}: access was refused", hint="to put or delete, the link is a `writer()`"
            ) from error
        except (exceptions.BaseError, OSError) as error:
            raise Unavailable(f"{about}: the object store failed ({type(error).__name__})") from error

    @contextmanager
    def open_prefix(self, prefix: str | None) -> Iterator[tuple[ObjectStore, str | None]]:
        """The store for a list, and the prefix as it wants it; no prefix finds everything."""
        trimmed = (prefix or "").removesuffix("/")
        if not trimmed:
            yield self.place().objects, None
            return
        with self.open(trimmed) as objects:
            yield objects, trimmed


def key_refusal(key: str) -> str | None:
    """Why no platform keeps an object under this key, if so."""
    segments = key.split("/")
    if not key or len(key.encode(errors="surrogatepass")) > KEY_LIMIT:
        return f"it has 1 to {KEY_LIMIT} bytes"
    if "" in segments or "." in segments or ".." in segments:
        return 'its segments, parted by "/", are neither empty nor "." nor ".."'
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in key):
        return "it holds a control character"
    return None
