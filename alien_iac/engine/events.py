"""What an update tells the world: engine events as the Automation API reads them, to gRPC, a file, and listeners."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import grpc
from pulumi.runtime.proto import events_pb2, events_pb2_grpc

from alien_iac.engine import values, wire
from alien_iac.engine.model import Request, Resource
from alien_iac.engine.steps import COUNTED, Step

Event = dict[str, Any]

SHORTEST = 3
"""Secrets of the config that are shorter are no use hiding in a text: they may be part of any word."""


class Sink(Protocol):
    """Where events go. `close` returns when all of them have arrived."""

    def put(self, event: Event) -> None: ...
    def close(self) -> None: ...


class FileSink:
    """One JSON line an event."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def put(self, event: Event) -> None:
        """Write one event."""
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class GrpcSink:
    """A stream to the server that the Automation API opened."""

    def __init__(self, address: str) -> None:
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._channel = grpc.insecure_channel(address, wire.OPTIONS)
        self._sent = events_pb2_grpc.EventsStub(self._channel).StreamEvents.future(self._requests())

    def put(self, event: Event) -> None:
        """Send one event."""
        self._queue.put(event)

    def close(self) -> None:
        """Wait until the server has all events."""
        self._queue.put(None)
        self._sent.exception(timeout=10)
        self._channel.close()

    def _requests(self) -> Iterator[events_pb2.EventRequest]:
        while (event := self._queue.get()) is not None:
            yield events_pb2.EventRequest(event=json.dumps(event))


def sinks(event_log: str) -> list[Sink]:
    """The sink that `--event-log` names: `tcp://host:port`, a file, or none."""
    if not event_log:
        return []
    address = event_log.removeprefix("tcp://")
    return [GrpcSink(address) if address != event_log else FileSink(Path(event_log.removeprefix("file://")))]


class Events:
    """Numbers events and hands each to every listener, in one order. Its methods may be called from any thread."""

    def __init__(self, listeners: list[Callable[[Event], None]], request: Request) -> None:
        self._listeners, self._planning, self._show = listeners, request.dry, request.show_secrets
        self._config = {k: "[secret]" if k in request.secret_keys else v for k, v in request.config.items()}
        secrets = {request.config[k] for k in request.secret_keys & set(request.config)}
        self._secrets = sorted((s for s in secrets if len(s) >= SHORTEST), key=len, reverse=True)
        self._lock = threading.Lock()
        self._sequence = 0

    def prelude(self) -> None:
        """The update begins."""
        self._emit("preludeEvent", {"config": self._config})

    def begin(self, step: Step) -> None:
        """A step begins."""
        self._emit("resourcePreEvent", {"metadata": self._metadata(step, step.op), "planning": self._planning})

    def outputs(self, step: Step, op: str) -> None:
        """A step ended well, or a component's outputs are there."""
        self._emit("resOutputsEvent", {"metadata": self._metadata(step, op), "planning": self._planning})

    def failed(self, step: Step, done: int) -> None:
        """A step failed."""
        self._emit("resOpFailedEvent", {"metadata": self._metadata(step, step.op), "status": 0, "steps": done})

    def diagnostic(
        self, severity: str, message: str, urn: str = "", stream: int = 0, *, ephemeral: bool = False
    ) -> None:
        """Something to read. `severity`: debug, info, info#err, warning or error."""
        for secret in self._secrets:
            message = message.replace(secret, "[secret]")
        prefix = f"{severity}: " if severity in ("error", "warning", "debug") else ""
        said = {"urn": urn, "prefix": prefix, "message": f"{message}\n", "color": "never", "severity": severity}
        self._emit("diagnosticEvent", {**said, "streamID": stream, "ephemeral": ephemeral})

    def summary(self, changes: Mapping[str, int], seconds: float, *, succeeded: bool) -> None:
        """The update ends, and this is what it did."""
        end = {"maybeCorrupt": False, "durationSeconds": round(seconds), "resourceChanges": dict(changes)}
        end |= {"PolicyPacks": {}, "isPreview": self._planning, "result": "succeeded" if succeeded else "failed"}
        self._emit("summaryEvent", end)

    def cancel(self) -> None:
        """Nothing follows."""
        self._emit("cancelEvent", {})

    def _emit(self, kind: str, body: Event) -> None:
        with self._lock:
            event = {"sequence": self._sequence, "timestamp": int(time.time()), kind: body}
            self._sequence += 1
            for listener in self._listeners:
                listener(event)

    def _metadata(self, step: Step, op: str) -> Event:
        return {
            "op": op,
            "urn": step.resource.urn,
            "type": step.resource.type,
            "old": self._state(step.old),
            "new": self._state(step.new),
            "keys": list(step.diff.replaces),
            "diffs": list(step.diff.changed),
            "detailedDiff": {k: dict(v) for k, v in step.diff.detailed.items()} or None,
            "logical": step.op in COUNTED,
            "provider": step.resource.provider,
        }

    def _state(self, resource: Resource | None) -> Event | None:
        if resource is None:
            return None
        shown = values.bare if self._show else values.masked
        return {
            "type": resource.type,
            "urn": resource.urn,
            "custom": resource.custom,
            "delete": resource.delete,
            "id": resource.id,
            "parent": resource.parent,
            "protect": resource.protect,
            "retainOnDelete": resource.retain_on_delete,
            "inputs": shown(dict(resource.inputs)),
            "outputs": shown(dict(resource.outputs)),
            "provider": resource.provider,
            "initErrors": list(resource.init_errors),
        }
