"""The `file://` backend: where the state of each Pulumi stack lies, in the project layout of the CLI."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from alien_iac.engine import dialect
from alien_iac.engine.bucket import BOOKKEEPING, Bucket
from alien_iac.engine.document import read
from alien_iac.errors import InvalidInput, NotFound, Unsupported

ORGANIZATION = "organization"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_REFUSED = (
    "PULUMI_DIY_BACKEND_GZIP",
    "PULUMI_DIY_BACKEND_ZSTD",
    "PULUMI_DIY_BACKEND_LEGACY_LAYOUT",
    "PULUMI_DIY_BACKEND_RETAIN_CHECKPOINTS",
    "PULUMI_SELF_MANAGED_STATE_GZIP",
    "PULUMI_SELF_MANAGED_STATE_LEGACY_LAYOUT",
)


@dataclass(frozen=True)
class StackName:
    """A Pulumi stack of a project."""

    project: str
    stack: str

    def __str__(self) -> str:
        return f"{ORGANIZATION}/{self.project}/{self.stack}"

    def seen_from(self, project: str) -> str:
        """As listings and errors write it: short inside its own project."""
        return self.stack if project == self.project else str(self)

    def key(self, folder: str) -> str:
        return f"{BOOKKEEPING}/{folder}/{self.project}/{self.stack}"


@dataclass(frozen=True)
class Backend:
    """One state folder."""

    url: str
    bucket: Bucket

    def parse(self, name: str, project: str) -> StackName:
        """`stack`, `organization/stack` or `organization/project/stack`. Raises InvalidInput for anything else."""
        parts = name.split("/")
        if len(parts) > 1 and parts[0] != ORGANIZATION:
            raise InvalidInput(f"organization name must be 'organization', not {parts[0]!r}")
        if len(parts) > 3 or not _NAME.fullmatch(parts[-1]):  # noqa: PLR2004 - organization, project, stack
            raise InvalidInput(
                "a stack name may only contain alphanumeric, hyphens, underscores, or periods, and at most 100 of "
                f"them: {name!r}"
            )
        return StackName(parts[1] if len(parts) > 2 else project, parts[-1])  # noqa: PLR2004 - as above

    def exists(self, name: StackName) -> bool:
        return self.bucket.exists(_state(name))

    def checkpoint(self, name: StackName) -> dict[str, Any]:
        """The stack's checkpoint file as JSON. Raises NotFound where there is none."""
        data = self.bucket.read(_state(name))
        if data is None:
            for compressed in (".gz", ".zst"):
                if self.bucket.exists(_state(name) + compressed):
                    raise Unsupported(f"the state of '{name}' is compressed ({compressed})", hint=dialect.BEYOND)
            raise stack_not_found(str(name))
        return _object(data, _state(name))

    def save(self, name: StackName, body: str) -> None:
        """Replace the stack's checkpoint (text of the file) durably; the one before is kept as `.bak`."""
        self.bucket.set_aside(_state(name), f"{_state(name)}.bak")
        self.bucket.write(_state(name), body.encode())

    def back_up(self, name: StackName) -> None:
        """Keep a copy of the checkpoint for good. The checkpoint itself is durable; the copy need not be at once."""
        place = f"{name.key('backups')}/{name.stack}.{time.time_ns()}.json"
        self.bucket.copy(_state(name), place, durable=False)

    def stacks(self) -> list[StackName]:
        """All stacks of the folder, by project and name."""
        folder = self.bucket.path(f"{BOOKKEEPING}/stacks")
        found = sorted(folder.glob("*/*.json")) if folder.is_dir() else []
        return [StackName(path.parent.name, path.name.removesuffix(".json")) for path in found]

    def remove(self, name: StackName, *, backups: bool) -> None:
        """Forget the stack and its history. Without `backups` its last state stays as `.bak`."""
        if backups:
            self.bucket.delete(f"{_state(name)}.bak")
            for key in self.bucket.keys(name.key("backups")):
                self.bucket.delete(key)
        else:
            self.bucket.set_aside(_state(name), f"{_state(name)}.bak")
        self.bucket.delete(_state(name))
        self.bucket.delete(_tags(name))
        for key in self.bucket.keys(name.key("history")):
            self.bucket.delete(key)

    def rename(self, old: StackName, new: StackName, body: str) -> None:
        """Put the renamed checkpoint in place and move what belongs to it."""
        self.save(new, body)
        self.bucket.set_aside(_state(old), f"{_state(old)}.bak")
        self.bucket.delete(_state(old))
        self.bucket.copy(_tags(old), _tags(new))
        self.bucket.delete(_tags(old))
        for key in self.bucket.keys(old.key("history")):
            file = key.rsplit("/", 1)[1]
            if file.startswith(f"{old.stack}-"):
                self.bucket.copy(key, f"{new.key('history')}/{new.stack}{file.removeprefix(old.stack)}")
                self.bucket.delete(key)

    def tags(self, name: StackName) -> dict[str, str]:
        data = self.bucket.read(_tags(name))
        return {} if data is None else dict(_object(data, _tags(name)).get("tags") or {})

    def save_tags(self, name: StackName, tags: Mapping[str, str]) -> None:
        if tags:
            self.bucket.write(_tags(name), dialect.dumps({"version": 1, "tags": dialect.ordered(dict(tags))}).encode())
        else:
            self.bucket.delete(_tags(name))

    def address(self, key: str) -> str:
        """The URL of an object, as errors name it."""
        options = dict(parse_qsl(urlsplit(self.url).query))
        if options.setdefault("no_tmp_dir", "true") == "false":
            del options["no_tmp_dir"]
        query = f"?{urlencode(sorted(options.items()))}" if options else ""
        return f"file://{quote(f'{self.bucket.root}/{key}')}{query}"


def open_backend(url: str, folder: Path, env: Mapping[str, str]) -> Backend:
    """The backend of an address; a relative one is seen from `folder`. Raises Unsupported for all but `file://`."""
    for name in _REFUSED:
        if env.get(name, "").lower() in {"1", "true"}:
            raise Unsupported(f"the embedded engine does not know {name}", hint=dialect.BEYOND)
    if not url.startswith("file://"):
        raise Unsupported(
            f"the embedded engine keeps state in file:// backends only, not in {_without_user(url)!r}",
            hint=dialect.BEYOND,
        )
    place = unquote(url.removeprefix("file://").split("?", 1)[0])
    options = dict(parse_qsl(urlsplit(url).query))
    if unknown := set(options) - {"no_tmp_dir", "create_dir", "metadata"}:
        raise Unsupported(
            f"the embedded engine does not know {', '.join(sorted(unknown))} in {url!r}", hint=dialect.BEYOND
        )
    root = folder / (Path(place).expanduser() if place.startswith("~") else place)
    if options.get("create_dir") in {"1", "true"}:
        root.mkdir(parents=True, exist_ok=True)
    if not root.is_dir():
        raise NotFound(f"unable to open state directory {url!r}: there is no folder {root}")
    bucket = Bucket(Path(os.path.abspath(root)), attributes=options.get("metadata") != "skip")  # noqa: PTH100 - links stay
    _check_layout(bucket)
    return Backend(url, bucket)


def stack_not_found(name: str) -> NotFound:
    """In the words by which the SDK knows it."""
    return NotFound(f"no stack named '{name}' found", pulumi_code=6)


def _check_layout(bucket: Bucket) -> None:
    meta = bucket.path(f"{BOOKKEEPING}/meta.yaml")
    if not meta.is_file():
        if list(bucket.path(f"{BOOKKEEPING}/stacks").glob("*.json")):
            raise Unsupported(f"the state in {bucket.root} has the legacy layout without projects", hint=dialect.BEYOND)
        bucket.write(f"{BOOKKEEPING}/meta.yaml", b"version: 1\n")
        return
    found = read(meta)
    version = found.get("version") if isinstance(found, dict) else None
    if version != 1:
        raise Unsupported(
            f"state store unsupported: 'meta.yaml' version ({version}) is not supported", hint=dialect.BEYOND
        )


def _object(data: bytes, key: str) -> dict[str, Any]:
    body = dialect.parse(data, key)
    if not isinstance(body, dict):
        raise InvalidInput(f"{key} is not a JSON object")
    return body


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1], query="").geturl()


def _state(name: StackName) -> str:
    return f"{name.key('stacks')}.json"


def _tags(name: StackName) -> str:
    return f"{name.key('stacks')}.pulumi-tags"
