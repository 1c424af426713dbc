"""Calls the public `alienplatform` SDK, in an environment of its own: JSON calls on stdin, their results on stdout.

A call is `[kind, resource id, method, positional, named]`; bytes travel as `{"bytes": base64}`. What a call raises is
its result, as `{"raised": code}`.
"""

import asyncio
import base64
import dataclasses
import json
import os
import sys
from typing import Any

import alienplatform  # type: ignore[import-not-found] # it is in an environment of its own


def read(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["bytes"]) if set(value) == {"bytes"} else value


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)


async def main() -> list[Any]:
    results: list[Any] = []
    for kind, resource, method, positional, named in json.load(sys.stdin, object_hook=read):
        store = getattr(alienplatform, kind)(resource)
        try:
            results.append(await getattr(store, method)(*positional, **named))
        except alienplatform.AlienError as error:
            results.append({"raised": error.code})
    return results


json.dump(asyncio.run(main()), sys.stdout, default=plain)
sys.stdout.flush()
# Its native part now and then ends the process with a signal while the interpreter is being shut down.
os._exit(0)
