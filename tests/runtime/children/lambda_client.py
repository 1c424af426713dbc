"""Plays Lambda's runtime interface client: loads the function's handler by its name, and hands it event after event."""

import importlib
import json
import os
import sys

sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


class Context:
    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


module, _, name = os.environ["_HANDLER"].rpartition(".")
handler = getattr(importlib.import_module(module), name)
for line in sys.stdin:
    asked = json.loads(line)
    try:
        told = {"result": handler(asked["event"], Context(asked["milliseconds"]))}
    except Exception as error:  # noqa: BLE001 - as Lambda does
        told = {"error": type(error).__name__, "message": str(error)}
    out.write(json.dumps(told) + "\n")
    out.flush()
