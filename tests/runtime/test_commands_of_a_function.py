"""A Function's commands over its HTTP side: what they take, what they answer, and what a failure says."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from runtime.runtime_workload import TOKEN, Machine, Running, envelope, eventually, send

from alien_iac.protocol import arc

CODE = '''
import asyncio, datetime, os, pathlib, time
from typing import Annotated
import pydantic
from alien_iac.runtime import HandlerFailed, command, current, health

class Person(pydantic.BaseModel):
    name: str
    born: datetime.date

@command("greet")
async def greet(person: Person, times: Annotated[int, pydantic.Field(ge=1)] = 2) -> dict:
    """Greet somebody.

    More of it."""
    return {"text": f"hello {person.name} " * times, "year": person.born.year, "id": current().id}

@command("add")
def add(a: int, b: int = 40):
    return a + b

@command("any")
def anything(**values):
    return values

@command("secretive")
def secretive(path: str):
    raise RuntimeError(f"cannot log in with hunter2 at {path}")

@command("outspoken")
def outspoken():
    raise HandlerFailed("there is no such table", code="NO_TABLE")

@command("slow")
async def slow():
    await asyncio.sleep(60)

@command("slow-in-a-thread")
def slow_in_a_thread():
    time.sleep(60)

@command("once")
async def once():
    with open("ran", "a") as f:
        f.write("x")
    await asyncio.sleep(0.5)
    return "done"

@command("odd")
def odd():
    return object()

@command("large")
def large():
    return "y" * 200_000

@command("leave")
def leave():
    raise SystemExit(3)

@command("unlinked")
def unlinked():
    from alien_iac.runtime import storage
    return storage("files").sync.get("a")

@health
def check():
    if pathlib.Path("sick").exists():
        raise RuntimeError("hunter2")
'''


@pytest.fixture
def function(machine: Machine) -> Running:
    return machine.function(CODE, env={"ALIEN_TIMEOUT_SECONDS": "2"})


def call(function: Running, command: str, params: object = None, **changes: object) -> Any:
    answer = send(function, envelope(command, json.dumps(params or {}).encode(), **changes))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if body["status"] == "success":
        return json.loads(base64.b64decode(body["response"]["inlineBase64"]))
    return (body["code"], body["message"])


def test_results_and_failures(function: Running) -> None:
    person = {"name": "Zoë", "born": "1990-02-03"}
    assert call(function, "greet", {"person": person, "times": 1}) == {"text": "hello Zoë ", "year": 1990, "id": "c1"}
    assert call(function, "add", {"a": 2}) == 42
    assert call(function, "any", {"x": 1, "self": [2]}) == {"x": 1, "self": [2]}

    code, text = call(function, "greet", {"person": {"name": 1, "born": "soon"}, "times": 0, "tims": 1})
    assert code == "INVALID_PARAMETERS"
    for place in ("person.name", "person.born", "times", "tims"):
        assert place in text
    assert call(function, "add", [1, 2])[0] == "INVALID_PARAMETERS"

    code, text = call(function, "nope")
    assert code == "UNKNOWN_COMMAND"
    assert "add, any, greet" in text
    assert call(function, "outspoken") == ("NO_TABLE", "there is no such table")
    assert call(function, "odd")[0] == "RESULT_NOT_JSON"
    assert call(function, "leave")[0] == "HANDLER_ERROR"
    code, text = call(function, "unlinked")
    assert code == "HANDLER_ERROR"
    assert "ALIEN_FILES_BINDING" in text


def test_a_failure_says_where_but_not_what(function: Running) -> None:
    code, text = call(function, "secretive", {"path": "/private"})
    assert code == "HANDLER_ERROR"
    assert text.startswith("RuntimeError at main.secretive:")
    assert "hunter2" not in text
    assert "/private" not in text
    # The customer's own log has the whole of it.
    assert "hunter2" in function.text


def test_a_handler_has_its_time(function: Running) -> None:
    started = time.monotonic()
    assert call(function, "slow")[0] == "HANDLER_TIMEOUT"
    assert call(function, "slow-in-a-thread")[0] == "HANDLER_TIMEOUT"
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    assert call(function, "slow", deadline=soon)[0] == "HANDLER_TIMEOUT"
    assert call(function, "slow", deadline=datetime.now(UTC))[0] == "COMMAND_EXPIRED"
    hour_ago = datetime.now(UTC) - timedelta(hours=1)  # by a clock that is wrong
    assert call(function, "slow", deadline=hour_ago, remaining_seconds=0.5)[0] == "HANDLER_TIMEOUT"
    assert time.monotonic() - started < 40  # the handlers sleep for a minute each
    # The thread that hangs does not keep the process.
    assert function.stop() == 0


def test_the_same_command_twice_at_once_runs_once(function: Running, machine: Machine) -> None:
    answers: list[Any] = []
    assert function.url
    threads = [threading.Thread(target=lambda: answers.append(call(function, "once"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["done"] * 3
    assert (machine.folder / "ran").read_text() == "x"


def test_who_may_send(function: Running) -> None:
    good = envelope("add", b'{"a": 1}')
    assert send(function, good, token="forged").status_code == 401
    assert send(function, good, token="Bearer").status_code == 401
    assert httpx.post(function.url + "/_alien/commands", trust_env=False).status_code == 401
    assert send(function, good.model_copy(update={"deployment_id": "demo/other"})).status_code == 403
    other = arc.Target(resource_id="other", resource_type="worker")
    assert send(function, good.model_copy(update={"target": other})).status_code == 403
    assert send(function, {"protocol": "arc.v9"}).status_code == 400
    assert httpx.get(function.url + "/elsewhere", trust_env=False).status_code == 404
    assert TOKEN not in function.text


def test_a_wrong_encoding_is_told(function: Running) -> None:
    broken = envelope("add").model_copy(update={"params": arc.Inline(inline_base64="e30")})
    assert send(function, broken).json()["code"] == "INVALID_ENVELOPE"


def test_health(function: Running, machine: Machine) -> None:
    good = httpx.get(function.url + "/_alien/health", trust_env=False)
    assert (good.status_code, good.json()) == (200, {"health": "healthy", "release": "1.2.3", "message": ""})
    (machine.folder / "sick").touch()
    bad = httpx.get(function.url + "/_alien/health", trust_env=False)
    assert bad.status_code == 503
    assert bad.json()["message"].startswith("RuntimeError at main.check:")


class _Bucket(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"a": 1}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bucket() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_large_parameters_come_by_a_signed_url(function: Running, bucket: ThreadingHTTPServer) -> None:
    get = envelope("add").response_handling.storage_upload_request.model_copy(
        update={
            "operation": "get",
            "backend": arc.HttpBackend(url=f"http://127.0.0.1:{bucket.server_port}/in", method="GET"),
        }
    )
    stored = envelope("add").model_copy(update={"params": arc.Stored(storage_get_request=get)})
    assert send(function, stored).json()["status"] == "success"
    missing = get.model_copy(
        update={"backend": arc.HttpBackend(url="http://127.0.0.1:9/in?secret=hunter2", method="GET")}
    )
    answer = send(function, stored.model_copy(update={"params": arc.Stored(storage_get_request=missing)}))
    assert answer.status_code == 503
    assert "hunter2" not in answer.text + function.text


def test_a_large_result_goes_back_inline(function: Running) -> None:
    assert len(call(function, "large")) == 200_000


def test_sigterm_lets_a_command_end(function: Running) -> None:
    answers: list[Any] = []
    assert function.url
    thread = threading.Thread(target=lambda: answers.append(call(function, "once")))
    thread.start()
    eventually((function.log.parent / "ran").exists)
    assert function.stop() == 0
    thread.join()
    assert answers == ["done"]


def test_the_vendors_app_and_calls_between_functions(machine: Machine) -> None:
    first = machine.function("""
        from alien_iac.runtime import command
        @command("double")
        def double(n: int) -> int:
            return 2 * n
        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                while True:
                    event = await receive()
                    await send({"type": event["type"] + ".complete"})
                    if event["type"] == "lifespan.shutdown":
                        return
            await send({"type": "http.response.start", "status": 201, "headers": []})
            await send({"type": "http.response.body", "body": scope["path"].encode()})
        """)
    page = httpx.get(first.url + "/any/page", trust_env=False)
    assert (page.status_code, page.text) == (201, "/any/page")
    assert httpx.get(first.url + "/_alien/other", trust_env=False).status_code == 404
    binding = {"service": "local", "workerUrl": first.url, "tokenFile": str(machine.folder / "token")}
    second = machine.function(
        """
        from alien_iac.runtime import HandlerFailed, command, function
        @command("quadruple")
        async def quadruple(n) -> int:
            return 2 * await function("first").invoke("double", {"n": n})
        @command("in-a-thread")
        def in_a_thread(n) -> int:
            return 2 * function("first").sync.invoke("double", {"n": n})
        @command("caught")
        async def caught():
            try:
                await function("first").invoke("double", {"n": "x"})
            except HandlerFailed as error:
                return error.context["code"]
        """,
        env={"ALIEN_FIRST_BINDING": json.dumps(binding)},
    )
    assert call(second, "quadruple", {"n": 5}) == 20
    assert call(second, "in-a-thread", {"n": 6}) == 24
    assert call(second, "caught") == "INVALID_PARAMETERS"
    invocation = {"command": "double", "parameters": {"n": 1}}
    assert send(first, invocation, token="forged", path="/_alien/invoke").status_code == 401
