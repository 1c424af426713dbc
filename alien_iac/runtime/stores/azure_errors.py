"""Azure's errors as ours: the one place that translates them, for its Kv, Queue and Secret.

The texts name what was asked and the kind of error, and quote nothing that Azure answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from alien_iac.errors import AlienError, Forbidden, InvalidInput, NotFound, Unauthorized, Unavailable

_STATUS: dict[int, type[AlienError]] = {400: InvalidInput, 401: Unauthorized, 403: Forbidden, 404: NotFound}
"""By the HTTP status of an answer; what is not listed is Unavailable."""
_TEXTS = {
    InvalidInput: "Azure refused the request as wrong",
    Unauthorized: "the workload's credentials were not accepted, or there are none",
    Forbidden: "access was refused",
    NotFound: "Azure knows no such resource",
}
_HINTS = {
    Forbidden: "the workload's link may not allow this: to change what is there, it is a `writer()`",
    Unauthorized: "on Azure a workload has them from its managed identity",
}


@contextmanager
def translated(about: str) -> Iterator[None]:
    """Work with one of Azure's clients. `about` begins each error's text, such as `kv "sessions"`."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise refused(about, Unauthorized) from error
    except HttpResponseError as error:
        kind = _STATUS.get(error.status_code or 0)
        if kind:
            raise refused(about, kind) from error
        raise Unavailable(f"{about}: Azure answered {error.status_code}") from error
    except AzureError as error:
        raise Unavailable(f"{about}: Azure did not do it ({type(error).__name__})") from error


def refused(about: str, kind: type[AlienError]) -> AlienError:
    """What Azure's refusal is to the caller."""
    return kind(f"{about}: {_TEXTS[kind]}", hint=_HINTS.get(kind))
