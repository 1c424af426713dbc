"""An agent's gateway on a real port, in this process, for workloads that are real processes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from runtime.runtime_workload import DEPLOYMENT

from alien_iac.agent.beats import Beats
from alien_iac.agent.gateway import Gateway
from alien_iac.agent.loopback import Loopback
from alien_iac.agent.mailbox import Mailbox
from alien_iac.agent.outbox import Outbox
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.levels import Level
from alien_iac.runtime import serving

NAMES = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


@dataclass
class Listening:
    """`raw` has every body as it came over the wire, unpacked; `level` is the customer's."""

    folder: Path
    outbox: Outbox
    level: Level = "events"
    url: str = ""
    raw: list[bytes] = field(default_factory=list)
    _taken: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def environment(self, workload: str, token_file: Path) -> dict[str, str]:
        """What the platform gives a workload."""
        token = token_file.read_text().strip()
        headers = f"authorization=Bearer%20{token},alien-workload={workload}"
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_EXPORTER_OTLP_HEADERS": headers}

    def items(self, signal: str) -> list[dict[str, Any]]:
        """Every item of a signal that was let in so far."""
        while parcel := self.outbox.oldest():
            request = otlp.read(parcel.signal, parcel.body, otlp.PROTOBUF)
            resources, scopes, items = NAMES[parcel.signal]
            told = MessageToDict(request)
            self._taken.setdefault(parcel.signal, []).extend(
                item for group in told[resources] for scope in group.get(scopes, ()) for item in scope.get(items, ())
            )
            self.outbox.done(parcel)
        return self._taken.get(signal, [])


def attribute(item: dict[str, Any], key: str) -> Any:
    for each in item.get("attributes", ()):
        if each["key"] == key:
            return next(iter(each["value"].values()))
    return None


@contextmanager
def gateway(folder: Path, *, port: int = 0) -> Iterator[Listening]:
    """Serve it until the end."""
    outbox = Outbox(folder / "outbox.sqlite")
    made = Listening(folder, outbox)
    loopback = Loopback(
        DEPLOYMENT, lambda _name: folder / "token", Beats(), Mailbox(), Gateway(outbox, lambda: made.level)
    ).app()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        parts: list[bytes] = []

        async def received() -> Any:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        await loopback(scope, received, send)
        if scope["type"] == "http" and scope["path"].split("/")[-1] in NAMES:
            encoding = dict(scope["headers"]).get(b"content-encoding", b"").decode()
            made.raw.append(otlp.unpacked(b"".join(parts), encoding))

    listener = serving.bind(port)
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    served = serving.serve(app, listener, ended, grace_seconds=1)
    thread = threading.Thread(target=loop.run_until_complete, args=(served,))
    thread.start()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
        outbox.close()
