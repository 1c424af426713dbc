"""The process of a Function on Cloud Run, from its start to its end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from alien_iac.runtime import server, workload
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.gcp.callers import FetchKeys, admission, google_keys
from alien_iac.runtime.gcp.pushes import Pushes
from alien_iac.runtime.server import Serving
from alien_iac.runtime.settings import Settings

LIMIT_SECONDS = 300.0
"""Cloud Run's own, where the Function has no timeout."""
RESULT_LIMIT = 24_000_000
"""Bytes: Cloud Run answers with 32 MiB at most, and a result travels in base64."""


async def run(
    folder: Path, settings: Settings, environ: Mapping[str, str] = os.environ, fetch: FetchKeys = google_keys
) -> None:
    """Load the folder's code and serve it until SIGTERM or SIGINT.

    InvalidInput or BindingInvalid before anything is served, where a trigger has no handler, or nobody is let in.
    """
    mine = workload.load(folder, settings, SystemClock())
    let_in = admission(environ, fetch)
    limit = settings.timeout_seconds or LIMIT_SECONDS
    await server.run(
        mine,
        Serving(
            admission=let_in,
            limit_seconds=limit,
            result_limit=RESULT_LIMIT,
            more=Pushes(mine, let_in).routes(limit),
            freezes=True,
        ),
    )
