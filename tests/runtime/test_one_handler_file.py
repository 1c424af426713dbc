"""One handler file on four platforms: whatever starts it, and however it fares, is the same on each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from runtime.driven import INSTANT, KEY, Driven, Refused
from runtime.driven_clouds import on_aws, on_azure, on_gcp
from runtime.driven_local import on_local
from runtime.packaged import EXAMPLE, HANDLERS, packaged
from runtime.runtime_workload import envelope

pytestmark = pytest.mark.slow
CLOUDS: dict[str, Callable[..., AbstractContextManager[Driven]]] = {
    "aws": on_aws,
    "gcp": on_gcp,
    "azure": on_azure,
}
SECRET = "hunter2"


class Platforms:
    """Starts a Function on a platform, from an artifact that is made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = 0

    def example(self, name: str) -> AbstractContextManager[Driven]:
        """The remote worker, which nothing but commands starts."""
        package = packaged(EXAMPLE, name, self._folder, frozenset({"Storage"}))
        return CLOUDS[name](package, self._new(), [])

    def _new(self) -> Path:
        self._started += 1
        folder = self._folder / f"run-{self._started}"
        folder.mkdir()
        return folder

    def start(self, name: str) -> AbstractContextManager[Driven]:
        folder = self._new()
        if name == "local":
            return on_local(HANDLERS, folder)
        return CLOUDS[name](packaged(HANDLERS, name, self._folder), folder)


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Platforms:
    return Platforms(tmp_path_factory.mktemp("platforms"))


@pytest.fixture(scope="module", params=["local", "aws", "gcp", "azure"])
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def function(platforms: Platforms, name: str) -> Iterator[Driven]:
    with ExitStack() as stack:
        yield stack.enter_context(platforms.start(name))


def run(function: Driven, command: str, **parameters: object) -> dict[str, Any]:
    return function.command(envelope(command, json.dumps(parameters).encode()).dump())


def value(response: dict[str, Any]) -> Any:
    assert response["status"] == "success", response
    return json.loads(base64.b64decode(response["response"]["inlineBase64"]))


def test_a_command_is_answered(function: Driven) -> None:
    assert value(run(function, "add", left=1, right=2)) == 3


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("raise", "HANDLER_ERROR"),
        ("say", "EMPTY"),
        ("hang", "HANDLER_TIMEOUT"),
        ("hang-in-a-thread", "HANDLER_TIMEOUT"),
        ("no-json", "RESULT_NOT_JSON"),
        ("add", "INVALID_PARAMETERS"),
        ("nothing", "UNKNOWN_COMMAND"),
    ],
)
def test_a_command_that_fails_says_why(function: Driven, command: str, code: str) -> None:
    told = run(function, command)
    assert (told["status"], told["code"]) == ("error", code)
    assert SECRET not in json.dumps(told)


def test_a_command_for_somebody_else_is_refused(function: Driven) -> None:
    asked = envelope("add", deployment_id="demo/other").dump()
    with pytest.raises(Refused, match="the command is for another one"):
        function.command(asked)


def test_a_linked_workload_calls(function: Driven) -> None:
    assert function.call("add", {"left": 2, "right": 3}) == (200, 5)
    status, told = function.call("nothing", {})
    assert (status, told["code"]) == (404, "UNKNOWN_COMMAND")
    status, told = function.call("say", {})
    assert (status, told["code"], told["message"]) == (422, "EMPTY", "the shelf is empty")


def test_a_message_is_handled_and_acknowledged(function: Driven) -> None:
    assert function.message('{"name": "good"}')
    [noted] = [one for one in function.notes() if one.get("name") == "good"]
    assert noted["attempt"] == 1
    assert noted["id"].startswith("jobs:")


@pytest.mark.parametrize("body", ['{"name": "bad"}', '{"seconds": "x"}', '{"name": "slow", "seconds": 30}', "[]"])
def test_a_message_in_vain_comes_again(function: Driven, body: str) -> None:
    assert not function.message(body)
    assert SECRET not in function.log.replace(f"RuntimeError: {SECRET}", "")


def test_a_schedule_runs_at_its_instant(function: Driven, name: str) -> None:
    assert function.schedule()
    [noted] = [one for one in function.notes() if one["kind"] == "schedule"]
    assert noted["id"] == f"0 3 * * 1@{noted['at']}"
    if name in {"aws", "gcp"}:  # whose events say which instant was meant
        assert noted["at"] == INSTANT


def test_a_new_object_is_told(function: Driven) -> None:
    assert function.created()
    [noted] = [one for one in function.notes() if one["kind"] == "created"]
    assert noted["key"] == KEY
    assert noted["id"].startswith(f"files/{KEY}@")


def test_http_is_the_vendors_own_app(function: Driven) -> None:
    answered = function.web()
    assert answered.status == 201
    assert answered.values("set-cookie") == ["a=1", "b=2"]
    assert json.loads(answered.body) == {
        "method": "POST",
        "path": "/orders/a b",
        "query": "page=2&tag=x%2By",
        "body": "hello",
        "greeting": "hello",
    }


def test_what_is_forged_starts_nothing(function: Driven) -> None:
    before = len(function.notes())
    refusals = function.forged()
    assert refusals
    good = ("InvalidInput", "Forbidden", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "INVALID_INPUT", "http 404")
    assert [each for each in refusals if not each.startswith(good)] == []
    assert len(function.notes()) == before


@pytest.mark.parametrize("cloud", list(CLOUDS))
def test_the_example_answers_commands_and_nothing_else(platforms: Platforms, cloud: str) -> None:
    with platforms.example(cloud) as function:
        assert value(run(function, "add", left=20, right=22)) == 42
        assert run(function, "read-file")["code"] == "INVALID_PARAMETERS"
        with pytest.raises((Refused, KeyError, AssertionError)):
            function.message('{"name": "good"}')
