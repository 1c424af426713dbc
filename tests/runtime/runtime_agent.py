"""A control plane's or agent's side of `arc.v1` and heartbeats, over real HTTP, as a test wants it to behave."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from runtime.runtime_workload import envelope

from alien_iac.protocol import arc


class Agent:
    """Commands wait in `pending`; what was asked of it is in `leases`, `results`, `released` and `beats`."""

    def __init__(self) -> None:
        self.pending: list[arc.Envelope] = []
        self.lease_seconds = 60.0
        self.holds = True
        self.gone = False
        self.token = "agent-token"
        self.leases: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.released: list[str] = []
        self.renewed: list[str] = []
        self.renews = True
        self.beats: list[dict[str, Any]] = []
        self.uploads: list[object] = []
        self.submit_statuses: list[int] = []
        """What the next submissions are answered; 204 when it is empty."""
        self.url = ""

    def add(self, command: str, params: bytes = b"{}", **changes: Any) -> None:
        number = changes.setdefault("command_id", f"c{len(self.leases)}-{len(self.pending)}")
        target = arc.Target(resource_id="api", resource_type="container")
        made = envelope(command, params, target=target, **changes)
        handling = made.response_handling.model_copy(
            update={"submit_response_url": f"../commands/{number}/response?token=x"}
        )
        self.pending.append(made.model_copy(update={"response_handling": handling}))

    def lease(self, asked: dict[str, Any], wait: float) -> dict[str, Any]:
        self.leases.append(asked)
        end = time.monotonic() + (wait if self.holds else 0)
        while not self.pending and time.monotonic() < end and not self.gone:
            time.sleep(0.02)
        given = [self.pending.pop(0) for _ in range(min(asked["maxLeases"], len(self.pending)))]
        expires = datetime.now(UTC) + timedelta(seconds=self.lease_seconds)
        leases = tuple(
            arc.Lease(
                lease_id=f"lease_{one.command_id}",
                lease_expires_at=expires,
                command_id=one.command_id,
                attempt=1,
                envelope=one,
            )
            for one in given
        )
        return arc.Leases(leases=leases).dump()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, agent: Agent) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.agent = agent


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        agent, body = self.server.agent, self._body()
        path, _, query = self.path.partition("?")
        if self.headers["authorization"] != f"Bearer {agent.token}":
            agent.refused.append(path)
            self._answer(401, {})
        elif path == "/base/commands/leases":
            self._answer(200, agent.lease(body, float(query.partition("wait=")[2] or 0)))
        elif path.endswith("/release"):
            agent.released.append(path.split("/")[-2])
            self._answer(200, {})
        elif path.endswith("/renew"):
            agent.renewed.append(path.split("/")[-2])
            ends = datetime.now(UTC) + timedelta(seconds=agent.lease_seconds)
            told = arc.Renewed(lease_id=agent.renewed[-1], lease_expires_at=ends)
            self._answer(200 if agent.renews else 404, told.dump() if agent.renews else {})
        elif path == "/v1/heartbeats":
            agent.beats.append(body)
            self._answer(204, None)

    def do_PUT(self) -> None:
        agent, body = self.server.agent, self._body()
        assert "authorization" not in self.headers
        if self.path.endswith("/upload"):
            agent.uploads.append(body)
            self._answer(200, None)
            return
        agent.results.setdefault(self.path.split("/")[-2], []).append(body)
        self._answer(agent.submit_statuses.pop(0) if agent.submit_statuses else 204, None)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["content-length"])))

    def _answer(self, status: int, body: object) -> None:
        if self.server.agent.gone:
            self.close_connection = True
            return
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        with suppress(BrokenPipeError):  # a receiver that hung up
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(agent: Agent, port: int = 0) -> Iterator[Callable[[], None]]:
    """Serve it; what is yielded stops it before the end."""
    server = _Server(port, agent)
    agent.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    stopped = threading.Event()

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
            agent.gone = True
            server.shutdown()
            server.server_close()
            thread.join()

    try:
        yield stop
    finally:
        stop()
