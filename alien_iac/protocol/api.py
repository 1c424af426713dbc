"""The bodies that agents, workloads and the command line exchange with the control plane under `/v1`.

| method and path | body -> answer | who |
|---|---|---|
| POST /v1/enrol | Enrol -> Enrolled | whoever has the one-time code |
| POST /v1/token | TokenRequest -> Token | an agent, by its key |
| GET /v1/agent/desired?wait=&after= | -> Desired (held until `revision` > after) | agent |
| POST /v1/agent/reports | Report -> 204 | agent |
| POST /v1/agent/heartbeats | Heartbeat -> 204 | agent |
| GET /v1/tuf/metadata/{name}, /v1/tuf/targets/{path} | bytes (a config: for its own deployment only) | agent, read |
| GET /v1/tuf/online-keys | -> OnlineKeys | read |
| PUT /v1/tuf/root, /v1/tuf/targets | {metadata: base64} -> {version} | admin |
| PUT, HEAD /v1/blobs/{sha256} | bytes -> 204 (content-addressed; the same again is fine) | admin |
| POST /v1/releases | PublishRelease -> Release | admin |
| GET /v1/releases, /v1/releases/{version} | -> Page / Release | read |
| GET /v1/deployments, /v1/deployments/{id} | -> Page / Deployment | read, agent (its own) |
| PUT /v1/deployments/{id}/pin, /config | Pin -> Deployment, DesiredConfig -> Desired | admin |
| DELETE /v1/deployments/{id} | -> 204 (its tokens, codes and key end; its history stays) | admin |
| POST /v1/enrolment-codes | NewDeployment -> EnrolmentCode | admin |
| POST /v1/deployments/{id}/enrolment-codes | {ttlSeconds} -> EnrolmentCode (for a lost agent) | admin |
| POST, GET, DELETE /v1/auth/tokens | NewToken -> TokenMade; -> Page; /{id} -> 204 | admin |
| POST /v1/rollouts | NewRollout -> Rollout | admin |
| GET /v1/rollouts, /v1/rollouts/{id}?wait=&after= | -> Page / Rollout | read |
| POST /v1/rollouts/{id}/actions | RolloutAction -> Rollout | admin |
| GET /v1/audit, /v1/audit/verify | -> Page / AuditCheck | read |
| GET /healthz, /v1/openapi.json | | anyone |
| the commands routes | see `arc` | |

Lists take `?cursor=&limit=`. Writes that make something take the header `Idempotency-Key`. `wait` is in seconds, and
at most 25 of them count. A failure is JSON: code, message, retryable, and where there is more to say hint and context.
"""

from typing import Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, Field

from alien_iac.protocol import arc
from alien_iac.protocol.manifest import DeclaredCommand
from alien_iac.protocol.telemetry.levels import Level
from alien_iac.protocol.wire import Open

T = TypeVar("T")

HealthWord = Literal["healthy", "unhealthy", "unknown"]
Scope = Literal["agent", "receive", "telemetry", "send", "read", "admin"]


class Page(Open, Generic[T]):
    """One page of a list. `next` is the cursor of the following one, absent on the last."""

    items: tuple[T, ...]
    next: str | None = None


class NewDeployment(Open):
    """A customer to be: makes a deployment and the code that enrols its agent."""

    customer: str
    platform: str
    labels: dict[str, str] = {}
    ttl_seconds: int = Field(default=86_400, ge=60, le=7 * 86_400)


class EnrolmentCode(Open):
    """A code that enrols one agent, once, until `expires_at`."""

    deployment_id: str
    code: str = Field(repr=False)
    expires_at: AwareDatetime


class Enrol(Open):
    """An agent's first words. `public_key` is a PEM (Ed25519)."""

    code: str = Field(repr=False)
    public_key: str
    agent_version: str


class Enrolled(Open):
    """What the agent starts from. `root` is the first TUF root, base64; it is chained by TUF afterwards."""

    deployment_id: str
    customer: str
    platform: str
    program: str
    root: str


class TokenRequest(Open):
    """An agent asks for a token by its key.

    `assertion` is a JWT (EdDSA, at most five minutes): iss = sub = the deployment's id, aud = `alien`, a fresh jti.
    """

    assertion: str = Field(repr=False)


class Token(Open):
    """A bearer token, good for an hour."""

    token: str = Field(repr=False)
    expires_at: AwareDatetime


class Desired(Open):
    """What the deployment should run. `revision` grows with each change.

    `manifest` and `config` are TUF target paths; the agent believes neither before TUF has verified it.
    """

    revision: int
    rollout_id: str | None = None
    manifest: str | None = None
    """None: nothing was released to this deployment yet."""
    config: str | None = None
    action: Literal["apply", "return", "destroy"] = "apply"
    """`return`: go back to the last healthy release, or to `manifest` where it is a signed way back."""


class WorkloadHealth(Open):
    """How one workload of the deployment is."""

    id: str
    health: HealthWord
    release: str | None = None
    message: str = ""


class Heartbeat(Open):
    """An agent's sign of life, every ten seconds: which release runs, and how it is."""

    agent_version: str
    release: str | None = None
    sequence: int | None = None
    health: HealthWord
    workloads: tuple[WorkloadHealth, ...] = ()
    stale: bool = False
    """True while the agent has no unexpired metadata and so applies nothing."""
    telemetry: Level | None = None
    """What of the telemetry leaves, by the customer's say."""
    telemetry_lost: int = 0
    """Items of telemetry that the agent could not deliver, so far."""


class Report(Open):
    """How the agent's work on one desired revision goes. Sent again until it was acknowledged; `id` makes that safe.

    `phase`: `accepted` -> `applying` -> `verifying` -> `succeeded` | `unchanged` | `failed` (before anything was
    changed, or no way back) | `returned` (failed, and the last healthy release is back) | `refused` (untrusted, or the
    customer's say) | `waiting` (approval, permissions, window; `reason` says which).
    """

    id: str
    revision: int
    rollout_id: str | None = None
    phase: Literal[
        "accepted", "applying", "verifying", "succeeded", "unchanged", "failed", "returned", "refused", "waiting"
    ]
    release: str | None = None
    """The version that runs after this."""
    reason: str = ""
    error_code: str | None = None
    commands: tuple[DeclaredCommand, ...] = ()
    """The commands that the running release answers."""
    targets: tuple[arc.Target, ...] = ()
    """Each workload that takes commands."""


class Deployment(Open):
    """One deployment as the control plane knows it."""

    id: str
    customer: str
    platform: str
    labels: dict[str, str] = {}
    status: Literal["enrolling", "new", "running", "updating", "failed", "waiting", "gone"]
    release: str | None = None
    sequence: int | None = None
    desired_release: str | None = None
    health: HealthWord = "unknown"
    pinned: str | None = None
    agent_version: str | None = None
    last_seen: AwareDatetime | None = None
    message: str = ""
    stale: bool = False
    """True while its agent has no unexpired metadata and so applies nothing."""
    workloads: tuple[WorkloadHealth, ...] = ()
    """How each of its workloads was at the last heartbeat."""


class PublishRelease(Open):
    """A signed release: the new `targets` metadata (base64) that names the manifest; its blobs were put before.

    Refused where the signature, the versions or a blob is wrong.
    """

    manifest: str
    """The manifest's TUF target path."""
    targets_metadata: str
    root_metadata: str | None = None
    """The first root, or the next in its chain, base64."""


class Release(Open):
    """One published release."""

    version: str
    sequence: int
    program: str
    platforms: tuple[str, ...]
    manifest: str
    created_at: AwareDatetime
    recalled: bool = False


class NewRollout(Open):
    """`policy` is `rollout.policy.Policy` as data; the whole plan is stored before the first change."""

    release: str
    policy: dict[str, Any] = {}
    selector: dict[str, str] = {}
    reason: str = ""
    idempotency_key: str | None = None


class RolloutTarget(Open):
    """One deployment of a rollout, and how far it is."""

    deployment_id: str
    customer: str
    wave: str
    state: str
    from_release: str | None = None
    message: str = ""


class Rollout(Open):
    """One rollout as it stands. `version` grows with each change and is what `?after=` waits on."""

    id: str
    release: str
    state: str
    wave: str | None = None
    version: int
    reason: str = ""
    targets: tuple[RolloutTarget, ...] = ()
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class RolloutAction(Open):
    """Something a person does to a rollout; `actor` and `reason` go into the audit log."""

    action: Literal["pause", "resume", "promote", "approve", "skip", "abort", "retry", "rollback"]
    deployment_id: str | None = None
    reason: str = ""


class WorkloadHeartbeat(Open):
    """A workload's sign of life to the agent: POST {agent}/v1/heartbeats with its own token, every few seconds."""

    deployment_id: str
    resource_id: str
    release: str
    health: HealthWord
    message: str = ""


class NewToken(Open):
    """A token to be made: POST /v1/auth/tokens. Without `ttl_seconds` it is good until it is revoked."""

    name: str
    scopes: tuple[Scope, ...]
    deployment_id: str | None = None
    target: str | None = None
    """With scope `receive`: the only workload whose commands it may lease."""
    ttl_seconds: int | None = Field(default=None, ge=1)


class TokenMade(Open):
    """A new token, shown this once."""

    id: str
    token: str = Field(repr=False)
    expires_at: AwareDatetime | None = None


class TokenRow(Open):
    """A token as a list shows it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    deployment_id: str | None = None
    target: str | None = None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    last_used: AwareDatetime | None = None
    revoked: bool = False


class AuditEntry(Open):
    """One line of the audit log. `hash` covers the entry and the hash of the one before."""

    number: int
    at: AwareDatetime
    actor: str
    action: str
    subject: str
    reason: str = ""
    details: dict[str, Any] = {}
    hash: str


class AuditCheck(Open):
    """Whether the chain of the audit log holds (GET /v1/audit/verify)."""

    entries: int
    whole: bool
    broken_at: int | None = None
    head: str | None = None
    """The hash of the newest entry, to be noted elsewhere and given as `?number=&hash=` the next time."""


class Pin(Open):
    """PUT /v1/deployments/{id}/pin: hold the deployment on `release`, or (None) let rollouts have it again."""

    release: str | None = None
    reason: str = ""


class DesiredConfig(Open):
    """PUT /v1/deployments/{id}/config: the TUF target path of the deployment's signed config."""

    target: str


class OnlineKeys(Open):
    """GET /v1/tuf/online-keys: the public keys of the roles that the control plane signs, in TUF's own form by role."""

    keys: dict[str, dict[str, Any]]
