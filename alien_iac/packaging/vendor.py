"""The vendor's own folder (`.alien/vendor`): the keys, the roots, the newest list of signed files, the last numbers.

It holds nothing of a customer. It is the vendor's to keep and back up: whoever loses it can release no more.
"""

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from alien_iac.errors import Conflict, InvalidInput, NotFound
from alien_iac.packaging import sign
from alien_iac.packaging.keys import VendorKeys
from alien_iac.protocol.manifest import Blob

FOLDER = Path(".alien") / "vendor"


class Numbers(BaseModel):
    """What the next release counts on from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: str
    sequence: int = 0
    """Of the last release."""
    minimum_sequence: int = 1
    serials: dict[str, int] = {}
    """Deployment id to the serial of its last signed config."""


@dataclass(frozen=True)
class VendorFolder:
    """The folder; nothing is read before it is asked for."""

    path: Path

    @classmethod
    def init(cls, path: Path, vendor: str, passphrase: str, online: sign.OnlineKeys, now: datetime) -> Self:
        """Make the keys and the first root. Conflict where there are some."""
        folder = cls(path)
        if not vendor:
            raise InvalidInput("the vendor needs a name", hint="`alien key init --vendor NAME`")
        if folder._versions():
            raise Conflict(f"{path} has keys and a root of trust already", hint="`alien key rotate` replaces them")
        keys = VendorKeys.generate()
        keys.save(folder._keys(1), passphrase)
        folder.write_numbers(Numbers(vendor=vendor))
        folder._write(folder._root(1), sign.first_root(keys, online, now))
        return folder

    def keys(self, passphrase: str) -> VendorKeys:
        """The private keys that the newest root names. NotFound, Unauthorized."""
        return VendorKeys.load(self._keys(self._newest()), passphrase)

    def root(self) -> bytes:
        """The newest root. NotFound before the first."""
        return self._root(self._newest()).read_bytes()

    def roots(self) -> tuple[bytes, ...]:
        """The whole chain of roots, the first one first."""
        return tuple(self._root(version).read_bytes() for version in self._versions())

    def targets(self) -> bytes | None:
        """The newest list of signed files; None before the first release."""
        file = self.path / "targets.json"
        return file.read_bytes() if file.is_file() else None

    def numbers(self) -> Numbers:
        """The last numbers. NotFound, InvalidInput."""
        file = self.path / "vendor.json"
        try:
            return Numbers.model_validate_json(file.read_bytes())
        except FileNotFoundError as error:
            raise NotFound(f"there is no {file}", hint="`alien key init` makes it") from error
        except ValidationError as error:
            raise InvalidInput(f"{file} cannot be read: {error}") from error

    def rotate(self, passphrase: str, online: sign.OnlineKeys, now: datetime) -> bytes:
        """Replace both keys by new ones, chain the next root to the one before, and sign the list of files again.

        The keys are kept by the root that names them, and the root is written last of the two: after a crash at any
        point the newest root has its keys.
        """
        old, new, version = self.keys(passphrase), VendorKeys.generate(), self._newest() + 1
        root = sign.next_root(self.root(), old, new, online, now)
        new.save(self._keys(version), passphrase)
        self._write(self._root(version), root)
        listed = self.targets()
        if listed is not None:
            self.write_targets(sign.targets(listed, new, (), now))
        return root

    def renew(self, passphrase: str, online: sign.OnlineKeys, now: datetime) -> bytes:
        """The next root with the same keys, which lasts longer, or names new online keys."""
        keys, version = self.keys(passphrase), self._newest() + 1
        root = sign.next_root(self.root(), keys, keys, online, now)
        keys.save(self._keys(version), passphrase)
        self._write(self._root(version), root)
        return root

    def add(self, keys: VendorKeys, blobs: Iterable[Blob], now: datetime) -> bytes:
        """The next list of signed files, not yet written: that is done when the control plane has taken it."""
        return sign.targets(self.targets(), keys, blobs, now)

    def write_targets(self, body: bytes) -> None:
        """Keep the newest list. Conflict where it is not newer than the one that is kept."""
        kept = self.targets()
        newer = sign.version_of(body)
        if kept is not None and newer <= sign.version_of(kept) and body != kept:
            raise Conflict(f"version {newer} of the signed files is not newer than the one in {self.path}")
        self._write(self.path / "targets.json", body)

    def catch_up(self, body: bytes) -> None:
        """Keep a list of files that a control plane serves, where it is newer and ours: a release was cut short here.

        Untrusted where our newest root does not vouch for it.
        """
        kept = self.targets()
        if kept is None or sign.version_of(body) > sign.version_of(kept):
            sign.verify_targets(body, self.root())
            self.write_targets(body)

    def write_numbers(self, numbers: Numbers) -> None:
        """Keep the last numbers."""
        self._write(self.path / "vendor.json", json.dumps(numbers.model_dump(), indent=2).encode() + b"\n")

    def _versions(self) -> list[int]:
        return sorted(int(each.name.split(".")[0]) for each in (self.path / "root").glob("*.root.json"))

    def _newest(self) -> int:
        versions = self._versions()
        if not versions:
            raise NotFound(f"there is no root of trust in {self.path}", hint="`alien key init` makes it")
        return versions[-1]

    def _root(self, version: int) -> Path:
        return self.path / "root" / f"{version}.root.json"

    def _keys(self, version: int) -> Path:
        return self.path / "keys" / str(version)

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
