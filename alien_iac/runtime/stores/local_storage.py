"""A Storage on `local`: a folder, one file an object, under its key."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from obstore.store import LocalStore

from alien_iac.protocol.bindings import LocalStorage
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.storage import Method, SignedRequest

SEGMENT_LIMIT = 255
"""Bytes of one file name."""
UNFINISHED = re.compile(r"#\d+$")
"""The end of the name of a file that an object store is still writing; it becomes the object by a rename."""


class LocalPlace:
    """The folder of one storage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = LocalStore(folder, mkdir=True)

    def sign(self, method: Method, key: str, lasts: timedelta) -> SignedRequest:  # noqa: ARG002 - a path has no end
        return SignedRequest(method=method, url=f"local://{self.folder / key}")

    def refusal(self, key: str) -> str | None:
        if any(len(segment.encode()) > SEGMENT_LIMIT for segment in key.split("/")):
            return f"on `local` a segment has at most {SEGMENT_LIMIT} bytes"
        if UNFINISHED.search(key):
            return 'on `local` it does not end with "#" and digits'
        return None


def connect(raw: dict[str, Any], resource_id: str) -> LocalPlace:
    """The folder that a binding names; made where it is missing."""
    path = parse(LocalStorage, raw, resource_id).storage_path
    return LocalPlace(Path(path.removeprefix("file://")))
