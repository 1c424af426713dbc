"""What the Functions host on Azure is told of a folder, and what its functions do, within this process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.functions import servicebus
from runtime.driven import common, event, notes
from runtime.packaged import HANDLERS

from alien_iac.errors import InvalidInput, Unavailable
from alien_iac.protocol import azure_functions
from alien_iac.protocol.bindings import BlobStorage, ServiceBusQueue
from alien_iac.runtime.azure.app import function_app

Run = Callable[..., Awaitable[Any]]
CREATED = {azure_functions.CREATED_QUEUES: json.dumps({"files": "acme-x1y2z3-worker-files"})}


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    bindings = {
        "jobs": ServiceBusQueue(namespace="bus", queue_name="acme-x1y2z3-jobs").dump(),
        "files": BlobStorage(account_name="acmex1y2z3files", container_name="files").dump(),
    }
    made = common("azure", tmp_path, bindings)
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return made


def functions(env: dict[str, str]) -> dict[str, Run]:
    made = function_app(HANDLERS, env).get_functions()
    return {str(each.get_function_name()): each.get_user_function() for each in made}


def message(body: object) -> func.ServiceBusMessage:
    return servicebus.ServiceBusMessage(
        body=json.dumps(body).encode(),
        application_properties={},
        user_properties={},
        message_id="m1",
        delivery_count=1,
        content_type="application/json",
    )


async def test_each_trigger_is_a_function(env: dict[str, str], tmp_path: Path) -> None:
    found = functions(env | CREATED)
    assert sorted(found) == ["created-files", "http", "queue-jobs", "schedule-0"]
    await found["queue-jobs"](message=message({"name": "good"}))
    await found["created-files"](message=message(event("azure", "created")["body"]))
    timer = SimpleNamespace(schedule_status=event("azure", "schedule")["ScheduleStatus"])
    await found["schedule-0"](timer=timer, context=SimpleNamespace(retry_context=None))
    kinds = {one["kind"] for one in notes(tmp_path)}
    assert {"message", "created"} <= kinds
    with pytest.raises(Unavailable, match="the event comes again"):
        await found["queue-jobs"](message=message({"name": "bad"}))


async def test_http_is_the_vendors_own_app_and_nothing_below_our_path_is_open(env: dict[str, str]) -> None:
    http = functions(env | CREATED)["http"]
    asked = event("azure", "http")
    request = func.HttpRequest(asked["method"], asked["url"], headers=asked["headers"], body=asked["body"].encode())
    assert (await http(req=request)).status_code == 201
    ours = func.HttpRequest("POST", "https://worker.azurewebsites.net/_alien/commands", body=b"{}")
    assert (await http(req=ours)).status_code == 404


def test_a_storage_without_a_queue_of_notices_stops_the_start(env: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match='names no queue of the storage "files"'):
        functions(env)


def test_the_drain_is_a_timer_where_a_control_plane_is_asked(env: dict[str, str]) -> None:
    assert "drain" in functions(env | CREATED | {"ALIEN_COMMANDS_URL": "https://control.example"})
