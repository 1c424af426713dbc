"""Sends what was recorded to the endpoint, as OTLP/HTTP in JSON, and learns the level from each answer.

A batch is sent until it is answered: what cannot be delivered now waits in the buffer.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import httpx

from alien_iac.protocol.telemetry.levels import (
    BATCH_HEADER,
    LEVEL_HEADER,
    LEVELS,
    LOST,
    Level,
    Signal,
    carries,
    parse,
)
from alien_iac.runtime.redelivery import Backoff
from alien_iac.runtime.telemetry.buffer import Batch, Buffer
from alien_iac.runtime.telemetry.capture import Capture, wrapped

BATCH_BYTES = 512 << 10
SEND_SECONDS = 10.0
METRICS_SECONDS = 10.0
"""How often metrics are sent, and where nothing else happens, the level is asked for."""
PAUSE_SECONDS = 1.0
_AGAIN = frozenset({401, 403, 408, 429})
"""Refusals that may be over later: a token is being replaced, or there is too much at once."""
_CUMULATIVE = 2
_FIELDS: Mapping[Signal, tuple[str, str, str]] = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where to send. `headers` is called for each request, so that a new token counts at once."""

    endpoint: str
    headers: Callable[[], Mapping[str, str]] = field(repr=False)
    resource: Mapping[str, str] = field(default_factory=dict)
    """Attributes that say who sends."""


class Exporter:
    """Sends from a thread of its own, or by `flush` from the caller's. One request at a time."""

    def __init__(self, capture: Capture, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self._capture = capture
        self._target = target
        self._http = httpx.Client(timeout=SEND_SECONDS, transport=transport, follow_redirects=False)
        self._sending = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alien-telemetry", daemon=True)
        self._ask_at = 0.0
        self._sent: str = ""
        """The points that were sent last."""

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End the thread, and send what can be sent in so long. The rest waits in the buffer."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        self.flush(seconds)
        self._http.close()

    def flush(self, seconds: float) -> bool:
        """Send all that waits, within about so long. True where all of it was delivered."""
        end = time.monotonic() + seconds
        if not self._sending.acquire(timeout=seconds):
            return False
        try:
            with self._capture.quiet():
                return self._flush(end)
        finally:
            self._sending.release()

    def _run(self) -> None:
        backoff, due = Backoff(first=1.0, longest=30.0), 0.0
        while not self._ended.is_set():
            with_metrics = time.monotonic() >= due
            with self._sending, self._capture.quiet():
                good = self._flush(time.monotonic() + 60, metrics=with_metrics)
            if good:
                backoff.reset()
                due = time.monotonic() + METRICS_SECONDS if with_metrics else due
            self._ended.wait(PAUSE_SECONDS if good else backoff.next())

    def _flush(self, end: float, *, metrics: bool = True) -> bool:
        if not self._ask(end):
            return False
        for signal in ("logs", "traces"):
            while (batch := self._capture.buffer.batch(signal, BATCH_BYTES)) is not None:
                if not self._deliver(batch, end):
                    return False
        return not metrics or self._send_metrics(end)

    def _ask(self, end: float) -> bool:
        """Hear the level before anything is sent, and from time to time; each time, where text would leave."""
        now = time.monotonic()
        if now < self._ask_at and self._capture.at != "full":
            return True
        heard = self._send("logs", {"resourceLogs": []}, "", end) is not None
        self._ask_at = now + METRICS_SECONDS if heard else 0.0
        return heard

    def _deliver(self, batch: Batch, end: float) -> bool:
        """Send a batch. False where it has to be sent again."""
        level = self._capture.at
        kept = [(scope, body) for scope, at, body in batch.items if _may(level, at, batch.signal)]
        lost = {"level": len(batch.items) - len(kept)} if len(kept) < len(batch.items) else {}
        status = self._send(batch.signal, self._request(batch.signal, kept), batch.id, end) if kept else httpx.codes.OK
        if status is None:
            return False
        if status != httpx.codes.OK:
            lost["refused"] = len(kept)
        self._capture.buffer.done(batch, lost)
        return True

    def _send_metrics(self, end: float) -> bool:
        buffer = self._capture.buffer
        found = [*map(_metric, self._capture.metrics()), *_losses(buffer)]
        told = json.dumps(found)
        if not found or told == self._sent or not carries(self._capture.at, "metrics"):
            return True
        now = str(time.time_ns())
        for metric in found:
            for point in (metric.get("sum") or metric["histogram"])["dataPoints"]:
                point["timeUnixNano"] = now
        bodies = [("", json.dumps(metric)) for metric in found]
        status = self._send("metrics", self._request("metrics", bodies), "", end)
        self._sent = told if status is not None else self._sent
        return status is not None

    def _send(self, signal: Signal, request: Mapping[str, Any], batch: str, end: float) -> int | None:
        """The answer's status: 200, or what says that the request will never be taken; None: send it again."""
        left = end - time.monotonic()
        if left <= 0:
            return None
        headers = {
            "content-type": "application/json",
            "content-encoding": "gzip",
            **({BATCH_HEADER: batch} if batch else {}),
        }
        body = gzip.compress(json.dumps(request).encode(), 1)
        try:
            url = f"{self._target.endpoint}/v1/{signal}"
            answer = self._http.post(
                url, content=body, headers={**headers, **self._target.headers()}, timeout=min(left, SEND_SECONDS)
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return None
        self._capture.learn(parse(answer.headers.get(LEVEL_HEADER)) or self._capture.at)
        if answer.is_success:
            return httpx.codes.OK
        return None if answer.status_code in _AGAIN or answer.is_server_error else answer.status_code

    def _request(self, signal: Signal, items: list[tuple[str, str]]) -> dict[str, Any]:
        resources, scopes, name = _FIELDS[signal]
        grouped = [
            {"scope": {"name": scope}, name: [json.loads(body) for _, body in group]}
            for scope, group in groupby(sorted(items, key=lambda item: item[0]), key=lambda item: item[0])
        ]
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in self._resource().items()]
        return {resources: [{"resource": {"attributes": attributes}, scopes: grouped}]}

    def _resource(self) -> dict[str, str]:
        return {**self._target.resource, "service.instance.id": self._capture.buffer.id}


def _may(level: Level, recorded_at: Level, signal: Signal) -> bool:
    """Whether what was recorded at one level may leave now: text does not, once it may not."""
    return carries(level, signal) and LEVELS.index(recorded_at) <= LEVELS.index(level)


def _metric(point: Mapping[str, Any]) -> dict[str, Any]:
    attributes = [{"key": key, "value": wrapped(value)} for key, value in point["attributes"].items()]
    told: dict[str, Any] = {"attributes": attributes, "startTimeUnixNano": point["begun"]}
    if point["kind"] == "sum":
        data = {"dataPoints": [{**told, "asDouble": point["sum"]}], "isMonotonic": True}
        return {"name": point["name"], "unit": point["unit"], "sum": {**data, "aggregationTemporality": _CUMULATIVE}}
    told |= {"count": str(point["count"]), "sum": point["sum"], "explicitBounds": point["bounds"]}
    told["bucketCounts"] = [str(count) for count in point["buckets"]]
    data = {"dataPoints": [told], "aggregationTemporality": _CUMULATIVE}
    return {"name": point["name"], "unit": point["unit"], "histogram": data}


def _losses(buffer: Buffer) -> list[dict[str, Any]]:
    return [
        _metric(
            {
                "name": LOST,
                "unit": "{item}",
                "kind": "sum",
                "sum": float(items),
                "begun": "0",
                "attributes": {"alien.signal": signal, "alien.reason": reason, "alien.place": "source"},
            }
        )
        for signal, reason, items in buffer.losses()
    ]
