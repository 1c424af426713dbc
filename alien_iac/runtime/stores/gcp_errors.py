"""Google's errors as ours: the one place that translates them, for its Kv, Queue and Secret.

The texts name what was asked and the kind of error, and quote nothing that Google answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from alien_iac.errors import AlienError, Forbidden, InvalidInput, NotFound, Unauthorized, Unavailable

_ERRORS: tuple[tuple[type[exceptions.GoogleAPIError], type[AlienError], str], ...] = (
    (exceptions.Unauthenticated, Unauthorized, "the workload's credentials were not accepted"),
    (exceptions.Unauthorized, Unauthorized, "the workload's credentials were not accepted"),
    (exceptions.Forbidden, Forbidden, "access was refused"),
    (exceptions.NotFound, NotFound, "Google Cloud knows no such resource"),
    (exceptions.InvalidArgument, InvalidInput, "Google Cloud refused the request as wrong"),
)
"""The first that fits counts; what is not listed is Unavailable."""
_HINTS = {
    Forbidden: "the workload's link may not allow this: to change what is there, it is a `writer()`",
    Unauthorized: "on Google Cloud a workload has them from its service account",
}


@contextmanager
def translated(about: str) -> Iterator[None]:
    """Work with a client of Google's. `about` begins each error's text, such as `kv "sessions"`."""
    try:
        yield
    except exceptions.GoogleAPIError as error:
        for kind, ours, text in _ERRORS:
            if isinstance(error, kind):
                raise ours(f"{about}: {text}", hint=_HINTS.get(ours)) from error
        raise Unavailable(f"{about}: Google Cloud did not do it ({type(error).__name__})") from error
    except GoogleAuthError as error:
        hint = _HINTS[Unauthorized]
        raise Unauthorized(f"{about}: there are no credentials ({type(error).__name__})", hint=hint) from error
