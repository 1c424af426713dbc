"""The hash chain of the audit log. Pure, so that a customer or an auditor can run it on an export."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Anchor:
    """An entry's number and hash, noted where the control plane cannot write."""

    number: int
    hash: str


START = "0" * 64
"""The hash before the first entry."""


def chain(before: str, entry: Mapping[str, object]) -> str:
    """The hash of an entry (all its fields but the hash) after the entry whose hash is `before`."""
    plain = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in entry.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
