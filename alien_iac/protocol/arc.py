"""The bodies of the `arc.v1` command protocol, field for field: clients and receivers written for it work here."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from alien_iac.protocol.wire import Open

PROTOCOL: Literal["arc.v1"] = "arc.v1"
INLINE_LIMIT = 150_000
"""Bytes of a parameter or result that travel inside a body; larger ones go by a signed URL."""
LONGEST_LEASE_S = 12 * 3600
MOST_LEASES = 100
"""More than these is asked for in vain: the answer says what was given."""
HIGHEST_PRIORITY = 100

State = Literal["PENDING_UPLOAD", "PENDING", "DISPATCHED", "SUCCEEDED", "FAILED", "EXPIRED"]
TERMINAL: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "EXPIRED"})
ResourceType = Literal["worker", "container", "daemon"]


class HttpBackend(Open):
    type: Literal["http"] = "http"
    url: str
    method: str
    headers: dict[str, str] = {}


class PresignedRequest(Open):
    """A request that anyone who has it may send until `expiration`."""

    backend: HttpBackend
    expiration: AwareDatetime
    operation: Literal["put", "get", "delete"]
    path: str


class Inline(Open):
    """Bytes (JSON text by convention) as standard, padded base64."""

    mode: Literal["inline"] = "inline"
    inline_base64: str


class Stored(Open):
    """Bytes that were, or are to be, put into object storage."""

    mode: Literal["storage"] = "storage"
    size: int | None = None
    storage_get_request: PresignedRequest | None = None
    storage_put_used: bool | None = None


Body = Annotated[Inline | Stored, Field(discriminator="mode")]


class Success(Open):
    status: Literal["success"] = "success"
    response: Body


class Failure(Open):
    status: Literal["error"] = "error"
    code: str
    message: str
    details: str | None = None


Response = Annotated[Success | Failure, Field(discriminator="status")]


class Target(Open):
    resource_id: str
    resource_type: ResourceType


class Signature(Open):
    """Our addition: that a sender whom the customer knows wants this command. See `signing`."""

    signer: str = Field(max_length=100)
    """Under which name the customer knows the sender's key."""
    target: str = Field(default="", max_length=200)
    """The workload that the sender named; empty: whichever takes commands."""
    nonce: str = Field(min_length=16, max_length=100)
    expires: int = Field(ge=0, lt=1 << 40)
    """Seconds since 1970."""
    value: str = Field(max_length=100)
    """Ed25519, base64."""


class CreateCommand(Open):
    """What comes after `target_resource_id` is our addition."""

    deployment_id: str
    command: str
    params: Body
    deadline: AwareDatetime | None = None
    idempotency_key: str | None = None
    target_resource_id: str | None = None
    timeout_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    """The deadline as seconds from now, by the control plane's clock: the sender's own may be wrong."""
    max_attempts: int | None = Field(default=None, ge=1, le=100)
    """How often it may be delivered. `None`: five times."""
    priority: int = Field(default=0, ge=-HIGHEST_PRIORITY, le=HIGHEST_PRIORITY)
    """Among the commands that wait for one workload, a higher one is delivered first."""
    signature: Signature | None = None


class StorageUpload(Open):
    put_request: PresignedRequest
    expires_at: AwareDatetime


class CommandCreated(Open):
    command_id: str
    state: State
    storage_upload: StorageUpload | None = None
    inline_allowed_up_to: int = INLINE_LIMIT
    next: Literal["upload", "poll"]


class CommandStatus(Open):
    command_id: str
    state: State
    attempt: int
    target: Target
    response: Response | None = None


class LeaseRequest(Open):
    """`target` may be left out by a deployment's agent, which leases for all of its workloads.

    The query `?wait=` (seconds, at most 25) holds the request until there is work.
    """

    deployment_id: str
    target: Target | None = None
    max_leases: int = Field(default=1, ge=0)
    lease_seconds: int = Field(default=60, ge=1)
    full: tuple[str, ...] | None = Field(default=None, max_length=1_000)
    """Of an agent: the workloads for which it takes no more commands just now."""
    holding: tuple[str, ...] | None = Field(default=None, max_length=1_000)
    """Of an agent, which asks one request at a time: every lease that it has. One that it was given and does not name
    was lost on the way, or with the process before it, and its command is delivered again at once."""

    @property
    def count(self) -> int:
        """How many may be given."""
        return min(self.max_leases, MOST_LEASES)

    @property
    def seconds(self) -> int:
        """How long each is given for."""
        return min(self.lease_seconds, LONGEST_LEASE_S)


class RenewLease(Open):
    """POST /v1/commands/leases/{id}/renew, our addition: so long from now."""

    lease_seconds: int = Field(default=60, ge=1)

    @property
    def seconds(self) -> int:
        return min(self.lease_seconds, LONGEST_LEASE_S)


class Renewed(Open):
    lease_id: str
    lease_expires_at: AwareDatetime


class TraceContext(Open):
    traceparent: str
    tracestate: str | None = None


class ResponseHandling(Open):
    max_inline_bytes: int = INLINE_LIMIT
    submit_response_url: str
    storage_upload_request: PresignedRequest


class Envelope(Open):
    """A command as a workload gets it."""

    protocol: Literal["arc.v1"] = PROTOCOL
    deployment_id: str
    target: Target
    command_id: str
    attempt: int = Field(ge=1)
    trace_context: TraceContext | None = None
    deadline: AwareDatetime | None = None
    command: str
    params: Body
    response_handling: ResponseHandling
    remaining_seconds: float | None = Field(default=None, ge=0)
    """Our addition: what was left until the deadline when this was sent. It needs no clock that is right."""
    signature: Signature | None = None


class Lease(Open):
    lease_id: str
    lease_expires_at: AwareDatetime
    command_id: str
    attempt: int
    envelope: Envelope


class Leases(Open):
    leases: tuple[Lease, ...] = ()


class CommandSummary(Open):
    """A command in a list: our addition, and so are its routes (list, cancel)."""

    command_id: str
    deployment_id: str
    command: str
    target: Target
    state: State
    attempt: int
    priority: int = 0
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None
