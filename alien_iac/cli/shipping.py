"""From a project to a recorded release: built, signed here, sent, published. Each part may be repeated."""

from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from alien_iac import projects
from alien_iac.cli import remote, reviewing, vendor
from alien_iac.packaging import release as building
from alien_iac.packaging.vendor import Numbers, VendorFolder
from alien_iac.protocol.api import Deployment, PublishRelease, Release

CACHE = "artifacts"


def in_use(control: remote.Remote) -> tuple[str, ...]:
    """The platforms of all deployments."""
    return tuple(sorted({one.platform for one in control.pages(Deployment, "/deployments") if one.status != "gone"}))


@dataclass(frozen=True)
class Shipment:
    """One project on its way to one control plane."""

    control: remote.Remote
    project: Path
    folder: VendorFolder
    quiet: bool = False

    def ship(self, version: str, platforms: tuple[str, ...]) -> Release:
        """Review, build, sign, send and publish. Raises StackInvalid with all findings before anything is built.

        A version that is recorded already is left as it is, and returned.
        """
        known = self._known()
        for one in known:
            if one.version == version:
                self._tell(f"{version} is recorded already; a change of it needs a new version")
                return one
        before = max(known, key=lambda one: one.sequence, default=None)
        reviewing.check(self.project, version, before.version if before else None, platforms, self._tell)
        vendor.catch_up(self.control, self.folder)
        vendor.send_trust(self.control, self.folder)
        numbers, keys = self.folder.numbers(), self.folder.keys(vendor.passphrase())
        last = max([numbers.sequence, *(one.sequence for one in known)])
        built = self._build(version, platforms, numbers, last + 1)
        targets = self.folder.add(keys, built.blobs, vendor.now())
        self._send(built)
        body = PublishRelease(manifest=built.blob.path, targets_metadata=vendor.encoded(targets))
        done = self.control.post(Release, "/releases", body)
        self.folder.write_targets(targets)
        self.folder.write_numbers(numbers.model_copy(update={"sequence": done.sequence}))
        self._tell(f"{version} is signed and recorded (sequence {done.sequence}, {len(built.blobs)} files)")
        return done

    def _known(self) -> tuple[Release, ...]:
        return tuple(self.control.pages(Release, "/releases"))

    def _build(self, version: str, platforms: tuple[str, ...], numbers: Numbers, sequence: int) -> building.Built:
        self._tell(f"building {version} for {', '.join(platforms)}")
        order = building.Order(
            project=self.project,
            vendor=numbers.vendor,
            version=version,
            sequence=sequence,
            platforms=platforms,
            minimum_sequence=numbers.minimum_sequence,
        )
        built = building.build(order, self.project / projects.LOCAL / CACHE)
        for note in built.notes:
            self._tell(f"  {note}")
        return built

    def _send(self, built: building.Built) -> None:
        total = sum(blob.length for blob in built.blobs)
        columns = (TextColumn("sending"), BarColumn(), DownloadColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=self.quiet or not console.is_terminal) as bar:
            task = bar.add_task("sending", total=total)
            vendor.put_blobs(self.control, built.files, lambda size: bar.advance(task, size))
            self.control.call("PUT", f"/blobs/{built.blob.sha256}", content=built.content)

    def _tell(self, text: str) -> None:
        if not self.quiet:
            click.echo(text, err=True)
