"""The agent's folder: what is where in it, and files that are whole or not there."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from alien_iac.errors import Conflict, InvalidInput, NotFound
from alien_iac.protocol.wire import Open


class Identity(Open):
    """Who the agent is: what enrolment gave, and what was chosen then for good."""

    control_plane: str
    deployment_id: str
    customer: str
    platform: str
    prefix: str
    """Begins every physical name of the deployment; never changed."""
    program: str = ""
    """Empty where the vendor had released none when the agent was enrolled; its first release says it."""
    port: int | None = None
    """Where the agent listens on loopback; chosen at the first start and kept, since workloads know it."""


@dataclass(frozen=True)
class Place:
    """The folder (0700) of one agent, which is that of one deployment."""

    root: Path

    @property
    def identity(self) -> Path:
        return self.root / "agent.json"

    @property
    def key(self) -> Path:
        return self.root / "key.pem"

    @property
    def tuf(self) -> Path:
        """Trusted metadata: the newest of each role, and the chain of roots."""
        return self.root / "tuf"

    @property
    def say(self) -> Path:
        """The customer's say. Nothing but the customer writes it."""
        return self.root / "customer.yaml"

    @property
    def state(self) -> Path:
        return self.root / "state.sqlite"

    @property
    def telemetry(self) -> Path:
        """Telemetry that waits for the control plane."""
        return self.root / "telemetry.sqlite"

    @property
    def releases(self) -> Path:
        """Verified bytes by their hash (`blobs`), unpacked programs and installed wheels."""
        return self.root / "releases"

    @property
    def stack(self) -> Path:
        """`Pulumi.yaml` and `Pulumi.<customer>.yaml`, written by the agent."""
        return self.root / "stack"

    @property
    def backend(self) -> Path:
        return self.root / "backend"

    @property
    def home(self) -> Path:
        """The engine's own folder."""
        return self.root / "home"

    @property
    def data(self) -> Path:
        """Where a deployment on `local` keeps its data and processes (`alien:localDir`)."""
        return self.root / "data"

    @property
    def lock(self) -> Path:
        return self.root / "lock"


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put content in the place of a file, whole or not at all, durably."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, spare = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(spare).replace(path)


def write_identity(place: Place, identity: Identity) -> None:
    """Write who the agent is, whole or not at all."""
    write(place.identity, identity.model_dump_json(by_alias=True, indent=2).encode())


def read_identity(place: Place) -> Identity:
    """Raises NotFound where the folder is not an agent's, InvalidInput where its file is broken."""
    if not place.identity.is_file():
        raise NotFound(
            f"{place.root} is not the folder of an agent: there is no agent.json in it",
            hint="enrol it with the code that the vendor gave you: alien agent enrol --dir DIR",
        )
    try:
        return Identity.model_validate_json(place.identity.read_bytes())
    except ValidationError as error:
        raise InvalidInput(
            f"{place.identity} is broken: {error.error_count()} field(s) are wrong", hint="restore it from a backup"
        ) from error


def refuse_taken(place: Place) -> None:
    """Raises Conflict where the folder is already that of an agent."""
    if place.identity.exists():
        raise Conflict(
            f"{place.root} is the folder of an agent already",
            hint="give another folder, or run the agent that is in it",
        )
