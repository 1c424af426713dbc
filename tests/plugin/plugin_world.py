"""What the plugin's tests look at from outside: programs to run, and which processes and files a deployment has."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

DIRECTORY, KV, QUEUE = "alien:local:Directory", "alien:local:Kv", "alien:local:Queue"
SECRET, PROCESS = "alien:local:Secret", "alien:local:Process"

SERVER = """
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"env": dict(os.environ), "pid": os.getpid(), "cwd": os.getcwd()}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

print("serving", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
"""Answers everything with what it was started with."""


def program(folder: Path, text: str = SERVER) -> str:
    """A code folder with this `main.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.py").write_text(text)
    return str(folder)


def server(code: str, /, **more: object) -> dict[str, Any]:
    """The inputs of a process that serves HTTP."""
    health = {"kind": "http", "path": "/"}
    base = {"name": "api", "command": ["python", "main.py"], "code": code, "needsPort": True, "health": health}
    return base | {"stopSeconds": 3} | more


def get(url: str) -> dict[str, Any]:
    """What the server was started with."""
    found: dict[str, Any] = httpx.get(url, timeout=5).json()
    return found


def processes(root: Path) -> dict[int, str]:
    """All processes that belong to the deployment, whoever they are: pid to command line."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            here = (place / "cwd").readlink() == root or root in (place / "cwd").readlink().parents
            if here or f"{root}/".encode() in (place / "environ").read_bytes():
                found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return {pid: line for pid, line in found.items() if line}


def named(root: Path, word: str) -> list[int]:
    return sorted(pid for pid, line in processes(root).items() if word in line)


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


Value = TypeVar("Value")


def eventually(condition: Callable[[], Value], seconds: float = 15) -> Value:
    """The first true value of the condition. An error of a connection counts as false."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(httpx.TransportError, OSError):
            if value := condition():
                return value
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder for one run of a state machine."""
    return tempfile.TemporaryDirectory(prefix="alien-plugin-")
