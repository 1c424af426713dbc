"""The adapters of AWS and Google Cloud within this process: fast, and over the checkout's own code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from runtime.driven import Child, Driven, common
from runtime.driven_clouds import AUDIENCE, CALLER, STARTER, CloudRun, Google, Lambda
from runtime.packaged import HANDLERS
from runtime.runtime_workload import envelope

from alien_iac.errors import BindingInvalid
from alien_iac.protocol import cloud_run
from alien_iac.protocol.bindings import S3Storage, SqsQueue
from alien_iac.runtime import settings, workload
from alien_iac.runtime.asgi import Served
from alien_iac.runtime.aws_lambda.entry import Handler, start
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.doors import Doors, app
from alien_iac.runtime.gcp.callers import admission
from alien_iac.runtime.gcp.pushes import Pushes
from alien_iac.runtime.http import async_client
from alien_iac.runtime.workload import Asgi


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 3000


class Within(Child):
    """A child that is this process."""

    def __init__(self, handler: Handler, log: Path) -> None:
        self._handler = handler
        self.log = log

    def ask(self, **asked: Any) -> dict[str, Any]:
        try:
            return {"result": self._handler(json.loads(json.dumps(asked["event"])), Context())}
        except Exception as error:  # noqa: BLE001 - as Lambda does
            return {"error": type(error).__name__, "message": str(error)}


class OverAsgi(httpx.BaseTransport):
    """HTTP without a server."""

    def __init__(self, asgi: Asgi, loop: asyncio.Runner) -> None:
        self._served = Served(asgi)
        self._loop = loop
        loop.run(self._served.start())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = self._loop.run(self._served.answer(sent, ""))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)

    def close(self) -> None:
        self._loop.run(self._served.stop())


def env(cloud: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: str) -> dict[str, str]:
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/acme-x1y2z3-jobs"
    told = {"jobs": SqsQueue(queue_url=url).dump(), "files": S3Storage(bucket_name="acme-x1y2z3-files").dump()}
    made = common(cloud, folder, told) | more
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    (tmp_path / "log").touch()
    handler = start(env("aws", tmp_path, monkeypatch, LAMBDA_TASK_ROOT=str(HANDLERS)))
    yield Lambda(Within(handler, tmp_path / "log"), tmp_path)
    handler.close()


@pytest.fixture
def gcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    google = Google()
    told = {cloud_run.CALLERS: json.dumps([CALLER, STARTER]), cloud_run.AUDIENCE: AUDIENCE}
    made = env("gcp", tmp_path, monkeypatch, **told)
    mine = workload.load(HANDLERS, settings.read(made), SystemClock())
    let_in = admission(made, lambda: {"k1": google.certificate})
    doors = Doors(mine.answers(async_client), mine.vitals, let_in, mine.clock)
    served = app([*doors.routes(3), *Pushes(mine, let_in).routes(3)], mine.asgi)
    with asyncio.Runner() as loop, httpx.Client(transport=OverAsgi(served, loop), base_url=AUDIENCE) as http:
        yield CloudRun(http, tmp_path / "log", tmp_path, google)


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_events_are_handled_and_forged_ones_are_not(name: str, request: pytest.FixtureRequest) -> None:
    function: Driven = request.getfixturevalue(name)
    assert function.message('{"name": "good"}')
    assert not function.message('{"name": "bad"}')
    assert function.schedule()
    assert function.created()
    assert function.web().status == 201
    assert function.call("add", {"left": 1, "right": 2}) == (200, 3)
    assert function.command(envelope("add", b'{"left": 1, "right": 2}').dump())["status"] == "success"
    noted = len(function.notes())
    assert not [each for each in function.forged() if each.startswith("taken")]
    assert len(function.notes()) == noted == 4


def test_health_is_told_to_who_may_call(aws: Lambda, gcp: CloudRun) -> None:
    assert aws.invoke({"alien": {"kind": "health"}}) == {"health": "healthy", "release": "1.2.3", "message": ""}
    assert gcp.get("/_alien/health", who="").status_code == 401
    assert gcp.get("/_alien/health").json()["health"] == "healthy"


def test_who_may_call_is_said_or_the_function_does_not_start() -> None:
    with pytest.raises(BindingInvalid, match="is not set"):
        admission({})
    with pytest.raises(BindingInvalid, match="not a list of accounts"):
        admission({cloud_run.AUDIENCE: AUDIENCE, cloud_run.CALLERS: "{}"})
