"""Handlers of every kind, which write down what they were given. The same file runs on every platform."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from alien_iac.runtime import HandlerFailed, command, current, health, on_created, on_message, on_schedule

SECRET = "hunter2"


class Job(BaseModel):
    name: str
    seconds: float = 0


def note(**facts: object) -> None:
    """Where a test reads it."""
    work = current()
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(json.dumps({**facts, "id": work.id, "attempt": work.attempt}) + "\n")


@command("add")
def add(left: int, right: int) -> int:
    return left + right


@command("raise")
def fail() -> None:
    raise RuntimeError(SECRET)


@command("say")
def say() -> None:
    raise HandlerFailed("the shelf is empty", code="EMPTY")


@command("hang")
async def hang() -> None:
    await asyncio.sleep(60)


@command("hang-in-a-thread")
def hang_in_a_thread() -> None:
    time.sleep(20)


@command("no-json")
def no_json() -> object:
    return object()


@command("large")
def large(size: int) -> str:
    return "x" * size


@command("die")
def die() -> None:
    os._exit(3)


@on_message("jobs")
async def work(job: Job) -> None:
    note(kind="message", name=job.name)
    await asyncio.sleep(job.seconds)
    if job.name == "bad":
        raise RuntimeError(SECRET)


@on_schedule("0 3 * * 1")
def weekly(instant: datetime) -> None:
    note(kind="schedule", at=instant.isoformat())


@on_created("files")
async def created(key: str) -> None:
    note(kind="created", key=key)


@health
def well() -> bool:
    return True


async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """An ASGI app without a framework."""
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["greeting"] = "hello"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = (await receive())["body"]
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "body": body.decode(),
        "greeting": scope["state"]["greeting"],
    }
    headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
