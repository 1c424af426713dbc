"""Who may call a Function on Azure: whom Azure has asked for a token, and let in."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from alien_iac.errors import NotFound, Unauthorized
from alien_iac.protocol import azure_functions


class Principal:
    """Azure names who it let in by a header that it takes from nobody. `is_asked`: whether it asks at all."""

    guards_health = True

    def __init__(self, *, is_asked: bool) -> None:
        self._is_asked = is_asked

    async def admit(self, request: Request) -> None:
        """NotFound where nobody may call, Unauthorized for whom Azure has not let in."""
        if not self._is_asked:
            raise NotFound("there is nothing here")
        if not request.headers.get(azure_functions.PRINCIPAL):
            raise Unauthorized("the request has no token that Azure let in")


def admission(environ: Mapping[str, str]) -> Principal:
    """Who is let in, by the environment."""
    return Principal(is_asked=bool(environ.get(azure_functions.CALLED)))
