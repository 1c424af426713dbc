"""The arguments of each component: shape, types and ranges that hold on every platform.

Frozen plain data. Every argument has a default, so that a component with a wrong one can still take part in the checks
of the others. What depends on more than one argument or component is a check.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from alien_iac.models.triggers import Trigger
from alien_iac.models.units import parse_bytes, parse_seconds
from alien_iac.models.written import unwrapped

Kind = Literal["Storage", "Kv", "Queue", "Secret", "Function", "Container"]
Architecture = Literal["arm64", "x86_64"]
Provider = Literal["customer", "vendor", "generated"]
"""Who gives a Secret its value."""

DAY = 86_400
MAX_RETENTION = 7 * DAY
MAX_TIMEOUT = 3_600


class Computed(BaseModel):
    """Stands where an author gave an `Output`: a value that only the update knows."""

    model_config = ConfigDict(frozen=True)


def _size(text: str) -> str:
    try:
        parse_bytes(text)
    except ValueError as wrong:
        raise PydanticCustomError("unit", "{reason}", {"reason": str(wrong)}) from wrong
    return text


def _duration(text: str) -> str:
    try:
        parse_seconds(text)
    except ValueError as wrong:
        raise PydanticCustomError("unit", "{reason}", {"reason": str(wrong)}) from wrong
    return text


def _text_or_later(value: object) -> "str | Computed":
    if isinstance(value, str | Computed):
        return value
    raise PydanticCustomError("text", "input should be a string, or an Output of one")


Text = Annotated[str | Computed, PlainValidator(_text_or_later)]
"""Text, now or when the update knows it."""
Size = Annotated[StrictStr, AfterValidator(_size)]
"""A size as an author writes it: "512Mi"."""
Duration = Annotated[StrictStr, AfterValidator(_duration)]
"""A duration as an author writes it: "3m"."""


class Arguments(BaseModel):
    """What every component takes beside `link`, `transform` and `opts`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[Kind]

    frozen: StrictBool = False
    """A release that touches this component waits for the customer's approval."""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {name: unwrapped(value) for name, value in given.items()} if isinstance(given, dict) else given


class StorageArguments(Arguments):
    """Objects by key."""

    kind = "Storage"

    versioned: StrictBool = True
    expire_after: Duration | None = None
    """Objects older than this are deleted; None keeps them."""
    public_read: StrictBool = False


class KvArguments(Arguments):
    """Small values by key: keys of 512 bytes, values of 24,576 bytes, a time to live per item."""

    kind = "Kv"


class QueueArguments(Arguments):
    """Messages of up to 65,536 bytes, each delivered at least once."""

    kind = "Queue"

    max_receives: StrictInt = Field(default=5, ge=5, le=100)
    """Deliveries of one message before it becomes a dead letter."""
    retention: Duration = "4d"


class SecretArguments(Arguments):
    """One secret value. The stack program says who sets it, never what it is."""

    kind = "Secret"

    provided_by: Provider = "customer"


class VolumeArguments(BaseModel):
    """A disk of a Container."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mount_path: StrictStr
    size: Size = "10Gi"
    shared: StrictBool = False


class ScaleArguments(BaseModel):
    """How many replicas of a Container run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: StrictInt = Field(default=1, ge=1, le=1000)
    max: StrictInt = Field(default=10, ge=1, le=1000)
    cpu: StrictInt = Field(default=70, ge=10, le=95)
    """Percent of a replica's CPU above which there are more."""


_FOLDERS = ("./", "../", "/")
"""How a path begins; the name of an image does not."""


class WorkloadArguments(Arguments):
    """What a Function and a Container have in common."""

    source: StrictStr | None = None
    """A folder with `main.py`, relative to the stack program's file."""
    image: Text | None = None
    """An image by its digest, or a folder with a `Dockerfile` (`./api`), relative to the stack program's file."""
    architecture: Architecture | None = None
    """None: what the platform runs cheapest, or what the image is made for."""
    env: dict[StrictStr, Text] = {}
    commands: StrictBool = False
    """Whether it answers commands."""
    public: StrictBool = False
    """Whether it is reachable from outside the deployment."""
    domain: StrictStr | None = None
    """Its public name below `alien:domain`, or a whole name."""
    network: Literal["customer"] | None = None
    """`customer`: it joins the customer's existing network (`alien:network`)."""

    @property
    def image_folder(self) -> str | None:
        """The folder that its image is to be built from, as it is written; None for an image that exists."""
        return self.image if isinstance(self.image, str) and self.image.startswith(_FOLDERS) else None


class FunctionArguments(WorkloadArguments):
    """Handlers that start when something happens and scale to zero."""

    kind = "Function"

    memory: Size = "512Mi"
    timeout: Duration = "3m"
    concurrency: StrictInt | None = Field(default=None, ge=1, le=1000)
    """Most copies at once; None leaves it to the platform."""
    triggers: tuple[Trigger, ...] = ()


class ContainerArguments(WorkloadArguments):
    """A service that keeps running."""

    kind = "Container"

    command: tuple[StrictStr, ...] | None = None
    """None: `python main.py` for a source, the image's own otherwise."""
    port: StrictInt | None = Field(default=None, ge=1, le=65_535)
    protocol: Literal["http", "tcp"] = "http"
    cpu: StrictFloat = Field(default=0.5, ge=0.1, le=64)
    """Cores of a replica."""
    memory: Size = "1Gi"
    scale: ScaleArguments | None = None
    """None: one replica."""
    volumes: tuple[VolumeArguments, ...] = ()
    health: StrictStr | None = None
    """Path that answers 2xx when all is well; None is `/health` where the protocol is http."""

    @property
    def health_path(self) -> str | None:
        """The path to ask, or None where there is nothing to ask over http."""
        return (self.health or "/health") if self.port is not None and self.protocol == "http" else None

    @property
    def single_writer(self) -> bool:
        """Whether the old copy has to stop before a new one starts."""
        return any(not volume.shared for volume in self.volumes)


ARGUMENTS: Mapping[Kind, type[Arguments]] = {
    "Storage": StorageArguments,
    "Kv": KvArguments,
    "Queue": QueueArguments,
    "Secret": SecretArguments,
    "Function": FunctionArguments,
    "Container": ContainerArguments,
}
