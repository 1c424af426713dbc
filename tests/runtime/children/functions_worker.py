"""Plays the Python worker of Azure Functions: indexes `function_app.py`, decodes what the host sends, calls."""

import asyncio
import json
import os
import sys
from types import SimpleNamespace
from typing import Any

folder = os.environ["HOME_SITE"]
sys.path[:0] = [f"{folder}/.python_packages/lib/site-packages", folder]
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import azure.functions as func  # noqa: E402 - from the package
from azure.functions import meta, servicebus, timer  # noqa: E402 - from the package
from function_app import app  # type: ignore[import-not-found]  # noqa: E402 - from the package


def datum(value: Any) -> meta.Datum:
    if isinstance(value, str):
        return meta.Datum(value, "string")
    if isinstance(value, int):
        return meta.Datum(value, "int")
    return meta.Datum(json.dumps(value), "json")


def decoded(kind: str, event: Any) -> Any:
    match kind:
        case "serviceBusTrigger":
            metadata = {name: datum(value) for name, value in event["metadata"].items()}
            return servicebus.ServiceBusMessageInConverter.decode(datum(event["body"]), trigger_metadata=metadata)
        case "timerTrigger":
            return timer.TimerRequestConverter.decode(meta.Datum(json.dumps(event), "json"), trigger_metadata={})
        case _:
            return func.HttpRequest(
                event["method"], event["url"], headers=event["headers"], body=event["body"].encode(), params={}
            )


async def call(function: Any, event: Any) -> Any:
    trigger = function.get_trigger()
    given = {trigger.name: decoded(trigger.get_binding_name(), event)}
    user = function.get_user_function()
    if "context" in user.__code__.co_varnames[: user.__code__.co_argcount]:
        given["context"] = SimpleNamespace(retry_context=None)
    answered = await user(**given)
    if answered is None:
        return None
    headers = list(answered.headers.items())
    return {"status": answered.status_code, "headers": headers, "body": answered.get_body().decode()}


async def serve() -> None:
    functions = {each.get_function_name(): each for each in app.get_functions()}
    indexed = {name: json.loads(each.get_function_json()) for name, each in functions.items()}
    out.write(json.dumps(indexed, default=str) + "\n")
    out.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        try:
            told = {"result": await call(functions[asked["function"]], asked["event"])}
        except Exception as error:  # noqa: BLE001 - as the worker does
            told = {"error": type(error).__name__, "message": str(error)}
        out.write(json.dumps(told) + "\n")
        out.flush()


asyncio.run(serve())
