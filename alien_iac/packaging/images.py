"""From a folder with a `Dockerfile` to an image in one file, built by what this machine has: docker buildx or podman.

The builder sees the same files that a source would have, so no secret of the folder gets into a layer. The file is an
image layout as a tar, which the plugin brings to the customer's registry, and a release to the customer.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alien_iac.errors import InvalidInput, Missing, UpdateFailed
from alien_iac.packaging import files, notes
from alien_iac.packaging.archive import Artifact, Entry, fingerprint, keep

ARCHITECTURE = "x86_64"
"""Of an image, where the author names none."""
_PLATFORMS: Mapping[str, str] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_EPOCH = "315532800"
"""1980, for every time that a builder writes down."""
_RECIPE = "image-1"
_ASKED_S, _BUILT_S = 20, 3600
_LINES = 15


@dataclass(frozen=True)
class Builder:
    """A program of this machine that builds images."""

    name: str
    program: str

    def build(self, folder: Path, architecture: str, made: Path) -> None:
        """Build the folder's image into a file. Raises UpdateFailed, with the last lines of what the builder said."""
        for command in self._commands(architecture, made):
            done = subprocess.run(
                [self.program, *command],
                cwd=folder,
                env={**os.environ, "SOURCE_DATE_EPOCH": _EPOCH},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_BUILT_S,
                check=False,
            )
            if done.returncode:
                last = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-_LINES:])
                raise UpdateFailed(f"{self.name} could not build the image:\n{last}", hint=_HINTS[self.name])

    def _commands(self, architecture: str, made: Path) -> Iterable[Sequence[str]]:
        platform = ["--platform", _PLATFORMS[architecture]]
        if self.name == "docker":
            output = ["--output", f"type=oci,dest={made},rewrite-timestamp=true"]
            return [["buildx", "build", *platform, "--provenance=false", "--sbom=false", *output, "."]]
        tag = f"localhost/alien-{made.stem}"
        return [
            ["build", *platform, "--timestamp", _EPOCH, "--format", "oci", "--tag", tag, "."],
            ["save", "--format", "oci-archive", "--output", str(made), tag],
            ["rmi", "--force", tag],
        ]


_HINTS: Mapping[str, str] = {
    "docker": "where it cannot write OCI images: `docker buildx create --use`",
    "podman": "`podman build` in the folder says more",
}


def build(folder: Path, architecture: str, cache: Path) -> Artifact:
    """The image of a folder for an architecture, as one file; built once for the same files.

    Raises Missing where nothing here builds images, UpdateFailed where the build fails, and as `files.collect` does.
    """
    entries = files.collect(folder)
    key = "-".join([_RECIPE, fingerprint(entries)[:32], architecture])
    return notes.once(cache, key, lambda place: _built(folder, entries, architecture, key, place))


def builder() -> Builder:
    """What this machine has. Raises Missing where it has nothing."""
    docker, podman = shutil.which("docker"), shutil.which("podman")
    # A command line of docker without a daemon is common; podman needs none.
    if docker and (podman is None or _answers([docker, "version"])) and _answers([docker, "buildx", "version"]):
        return Builder("docker", docker)
    if podman:
        return Builder("podman", podman)
    raise Missing(
        "an image is to be built from its folder, and neither docker (with buildx) nor podman is on PATH",
        hint="install one of them, name an image by its digest, or give the workload a `source`",
    )


def _answers(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_ASKED_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _built(folder: Path, entries: Iterable[Entry], architecture: str, key: str, place: Path) -> Artifact:
    found = builder()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".building-") as work:
        context, made, tidied = Path(work) / "context", Path(work) / f"{key}.tar", Path(work) / "tidied.tar"
        _copy(entries, context)
        found.build(context, architecture, made)
        if not made.is_file():
            raise InvalidInput(f"{found.name} wrote no image of {folder}", hint="`docker buildx ls` shows its builders")
        _tidy(made, tidied)
        with tidied.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return keep(tidied, place / f"{digest}.tar", digest)


def _tidy(made: Path, tidied: Path) -> None:
    """The same files in the order of their names, without times and owners: an image that is the same is one file."""
    with tarfile.open(made) as before, tarfile.open(tidied, "w", format=tarfile.PAX_FORMAT) as after:
        for member in sorted((each for each in before if each.isfile()), key=lambda each: each.name):
            plain = tarfile.TarInfo(member.name.removeprefix("./"))
            plain.size = member.size
            after.addfile(plain, before.extractfile(member))


def _copy(entries: Iterable[Entry], folder: Path) -> None:
    for each in entries:
        path = folder / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each.path, path)
        path.chmod(0o755 if each.executable else 0o644)
