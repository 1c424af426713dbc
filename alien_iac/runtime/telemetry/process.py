"""The telemetry of one process, from its begin to its end: what is captured, where it is kept, where it is sent."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from alien_iac.protocol import environment
from alien_iac.protocol.telemetry.levels import WORKLOAD_HEADER
from alien_iac.runtime.logs import LOGGER
from alien_iac.runtime.telemetry.active import sink

if TYPE_CHECKING:
    from alien_iac.runtime.telemetry.export import Exporter

END_SECONDS = 3.0
FLUSH_SECONDS = 2.0
"""What a Function of a cloud may spend on it before it answers: it may be frozen afterwards."""


class Telemetry:
    """Installed until `end`."""

    def __init__(self, exporter: Exporter, handlers: tuple[logging.Handler, ...]) -> None:
        self._exporter = exporter
        self._handlers = handlers

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Send all that waits, within about so long. True where all of it was delivered."""
        return self._exporter.flush(seconds)

    def end(self) -> None:
        """Send what can be sent quickly. The rest waits for the next process, where there is a folder for it."""
        self._exporter.stop(END_SECONDS)
        for handler in self._handlers:
            for logger in (logging.getLogger(), LOGGER):
                logger.removeHandler(handler)


def begin(environ: Mapping[str, str] = os.environ, *, in_background: bool = True) -> Telemetry | None:
    """Capture and send from now on, where the environment says where to.

    `in_background` is False for a process that may be frozen between two events: it calls `flush` before each answer.
    """
    endpoint = environ.get(environment.OTLP_ENDPOINT, "").rstrip("/")
    if not endpoint.startswith(("http://", "https://")) or sink() is not None:
        return None
    # Loaded only where it is needed: SQLite, and the rules of what may leave.
    from alien_iac.runtime.telemetry.buffer import Buffer  # noqa: PLC0415 - see above
    from alien_iac.runtime.telemetry.capture import Capture  # noqa: PLC0415 - see above
    from alien_iac.runtime.telemetry.export import Exporter, Target  # noqa: PLC0415 - see above

    capture = Capture(Buffer(_folder(environ) if in_background else None))
    target = Target(endpoint=endpoint, headers=lambda: headers(environ), resource=_resource(environ))
    exporter = Exporter(capture, target)
    made = Telemetry(exporter, _install(capture))
    if in_background:
        exporter.start()
    return made


@contextmanager
def captured(environ: Mapping[str, str] = os.environ) -> Iterator[Telemetry | None]:
    """Telemetry around what a process does; None where none is wanted."""
    telemetry = begin(environ)
    try:
        yield telemetry
    finally:
        if telemetry:
            telemetry.end()


def headers(environ: Mapping[str, str]) -> dict[str, str]:
    """The headers that the environment asks for; the workload's own token is read anew from its file each time."""
    pairs = (pair.partition("=") for pair in environ.get(environment.OTLP_HEADERS, "").split(",") if "=" in pair)
    found = {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
    token = environ.get(environment.TOKEN_FILE)
    if WORKLOAD_HEADER in found and token and Path(token).is_file():
        found["authorization"] = f"Bearer {Path(token).read_text().strip()}"
    return found


def _install(capture: logging.Handler) -> tuple[logging.Handler, ...]:
    """Take what is logged, and leave what the vendor's own handlers do as it is."""
    root = logging.getLogger()
    added: tuple[logging.Handler, ...] = (capture,)
    if not root.handlers and logging.lastResort:
        # Without any handler warnings go to stderr; with ours alone they would not.
        root.addHandler(logging.lastResort)
        added = (capture, logging.lastResort)
        root.setLevel(min(root.level, logging.INFO))
    root.addHandler(capture)
    LOGGER.addHandler(capture)
    return added


def _folder(environ: Mapping[str, str]) -> Path:
    """The workload's own folder, or one of the machine that outlives the process at least."""
    given = environ.get(environment.STATE_DIR)
    workload = environ.get(environment.RESOURCE_ID, "workload")
    return Path(given) if given else Path(tempfile.gettempdir()) / f"alien-{os.getuid()}-{workload}"


def _resource(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        "service.name": environ.get(environment.RESOURCE_ID, ""),
        "service.version": environ.get(environment.RELEASE, ""),
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "alien",
    }
