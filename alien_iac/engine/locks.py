"""Locks of a Pulumi stack: files that say who is at work, never taken away by age; `pulumi cancel` removes them."""

import contextlib
import getpass
import os
import socket
import uuid
from collections.abc import Iterator
from datetime import datetime

from alien_iac.engine import dialect
from alien_iac.engine.backend import Backend, StackName
from alien_iac.engine.bucket import BOOKKEEPING
from alien_iac.errors import Conflict


@contextlib.contextmanager
def held(backend: Backend, name: StackName) -> Iterator[None]:
    """Hold the stack's lock. Raises Conflict where anybody else does; of two that come at once, neither gets it."""
    key = f"{_folder(name)}/{uuid.uuid4()}.json"
    _refuse_others(backend, name, key)
    owner = {"pid": os.getpid(), "username": getpass.getuser(), "hostname": socket.gethostname()}
    said = dialect.dumps(owner | {"timestamp": dialect.now()}).encode()
    backend.bucket.write(key, said, durable=False)  # no power cut leaves anybody who holds it
    try:
        _refuse_others(backend, name, key)
        yield
    finally:
        backend.bucket.delete(key)


def break_all(backend: Backend, name: StackName) -> None:
    """Take every lock of the stack away, whoever holds it."""
    for key in backend.bucket.keys(_folder(name)):
        backend.bucket.delete(key)


def _refuse_others(backend: Backend, name: StackName, own: str) -> None:
    others = [key for key in backend.bucket.keys(_folder(name)) if key != own]
    lines = [line for key in others if (line := _described(backend, key))]
    if lines:
        raise Conflict(
            f"the stack is currently locked by {len(lines)} lock(s). Either wait for the other process(es) to end or "
            "delete the lock file with `pulumi cancel`.\n" + "\n".join(lines)
        )


def _described(backend: Backend, key: str) -> str:
    data = backend.bucket.read(key)
    if data is None:  # given back since we looked
        return ""
    owner = dialect.parse(data, key)
    since = datetime.fromisoformat(owner["timestamp"]).isoformat(timespec="seconds").replace("+00:00", "Z")
    who = f"created by {owner['username']}@{owner['hostname']} (pid {owner['pid']}) at {since}"
    ended = "" if _may_be_alive(owner["hostname"], owner["pid"]) else "; that process has ended"
    return f"  {backend.address(key)}: {who}{ended}"


def _may_be_alive(host: str, pid: int) -> bool:
    """False only where it is certain: the process was on this machine and is no more."""
    if host != socket.gethostname():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folder(name: StackName) -> str:
    return f"{BOOKKEEPING}/locks/{name}"
