"""A counter that keeps its value on a volume, over restarts and releases."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from alien_iac.runtime import command, serve

VALUE = Path(os.environ["ALIEN_VOLUME_VAR_LIB_COUNTER"]) / "value"


def value() -> int:
    return int(VALUE.read_text()) if VALUE.exists() else 0


@command("count")
def count(by: int = 1) -> int:
    """Add to the counter, and say what it is now."""
    VALUE.write_text(str(value() + by))
    return value()


async def show(_request: Request) -> JSONResponse:
    return JSONResponse({"value": value()})


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/", show), Route("/health", show)]))
