"""The tables, in types that SQLite and Postgres share. Instants are whole microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds: exact, sortable, and the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _TICK

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _TICK


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _deployment() -> Column[str]:
    return Column("deployment_id", String(64), ForeignKey("deployments.id"), nullable=False)


DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("customer", String(200), nullable=False, index=True),
    Column("platform", String(20), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("enrolled_at", Instant),
    Column("gone_at", Instant),
    Column("agent_version", String(100)),
    Column("last_seen", Instant),
    Column("release", String(200)),
    Column("sequence", BigInteger),
    Column("health", String(20), nullable=False),
    Column("stale", Boolean, nullable=False),
    Column("workloads", JSON, nullable=False),
    Column("phase", String(20)),  # of the last report
    Column("message", Text, nullable=False),
    Column("pinned", String(200)),
    Column("commands", JSON, nullable=False),
    Column("targets", JSON, nullable=False),  # arc.Target, of the release that runs
    Column("telemetry", String(10)),  # the level that the customer chose, as its agent says
)

DESIRED = Table(
    "desired",
    METADATA,
    Column("deployment_id", String(64), ForeignKey("deployments.id"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("release", String(200)),
    Column("manifest", Text),
    Column("config", Text),
    Column("rollout_id", String(64)),
    Column("action", String(20), nullable=False),
    Column("effect_sequence", BigInteger, nullable=False),  # of the newest rollout effect that was done
    Column("updated_at", Instant, nullable=False),
)

REPORTS = Table(
    "reports",
    METADATA,
    Column("deployment_id", String(64), ForeignKey("deployments.id"), primary_key=True),
    Column("id", String(100), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("phase", String(20), nullable=False),
    Column("body", JSON, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

CODES = Table(
    "enrolment_codes",
    METADATA,
    Column("hash", String(64), primary_key=True),
    _deployment(),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

AGENT_KEYS = Table(
    "agent_keys",
    METADATA,
    Column("deployment_id", String(64), ForeignKey("deployments.id"), primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

ASSERTIONS = Table(
    "assertions",
    METADATA,
    Column("deployment_id", String(64), ForeignKey("deployments.id"), primary_key=True),
    Column("jti", String(200), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("deployment_id", String(64), ForeignKey("deployments.id"), index=True),
    Column("target", String(200)),
    Column("created_at", Instant, nullable=False, index=True),
    Column("expires_at", Instant, index=True),
    Column("last_used", Instant),
    Column("revoked_at", Instant),
)

COMMANDS = Table(
    "commands",
    METADATA,
    Column("id", String(64), primary_key=True),
    _deployment(),
    Column("command", String(200), nullable=False),
    Column("target_id", String(200), nullable=False),
    Column("target_type", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("rank", Integer, nullable=False, server_default="0"),  # the priority, negated: the lowest goes first
    Column("created_at", Instant, nullable=False),
    Column("deadline", Instant),
    Column("expires_at", Instant, nullable=False),  # the deadline, or the longest life of a command without one
    Column("ends_by", Instant, index=True),  # when it ends by itself; null once it has ended
    Column("available_at", Instant),  # from when on it may be leased; null while it may not
    Column("lease_id", String(64), unique=True),
    Column("lease_expires_at", Instant),
    Column("params", LargeBinary),
    Column("params_size", BigInteger),  # of params that are in a file
    Column("response", JSON(none_as_null=True)),
    Column("ended_at", Instant, index=True),
    Column("idempotency", String(64), unique=True),
    Column("request_hash", String(64), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("trace", JSON(none_as_null=True)),
    Column("signature", JSON(none_as_null=True)),  # arc.Signature, for the customer's agent to check
    Index("ix_commands_deployment_created", "deployment_id", "created_at", "id"),
)

# What may be leased now or later, in the order in which it is: the commands that have ended are not in these.
for _name, _columns in {"deployment": ("deployment_id",), "target": ("deployment_id", "target_id")}.items():
    Index(
        f"ix_commands_{_name}_waiting",
        *(COMMANDS.c[column] for column in (*_columns, "rank", "available_at")),
        sqlite_where=COMMANDS.c.available_at.is_not(None),
        postgresql_where=COMMANDS.c.available_at.is_not(None),
    )

RELEASES = Table(
    "releases",
    METADATA,
    Column("version", String(200), primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),
    Column("program", String(200), nullable=False),
    Column("platforms", JSON, nullable=False),
    Column("manifest", Text, nullable=False, unique=True),  # its TUF target path
    Column("minimum_sequence", BigInteger, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
)

METADATA_FILES = Table(
    "tuf_metadata",
    METADATA,
    Column("role", String(20), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

TARGET_FILES = Table(
    "tuf_targets",
    METADATA,
    Column("path", String(500), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("deployment_id", String(64)),  # whose alone it is
    Column("version", BigInteger, nullable=False),  # of the newest targets metadata that names it
)

ROLLOUTS = Table(
    "rollouts",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("release", String(200), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("header", JSON, nullable=False),
    Column("outcome", String(20), index=True),
    Column("created_at", Instant, nullable=False, index=True),
)

ROLLOUT_TARGETS = Table(
    "rollout_targets",
    METADATA,
    Column("rollout_id", String(64), ForeignKey("rollouts.id"), primary_key=True),
    Column("deployment_id", String(64), ForeignKey("deployments.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index("ix_rollout_targets_deployment", "deployment_id", "rollout_id"),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("rollout_id", String(64), ForeignKey("rollouts.id"), nullable=False),
    Column("effect", JSON, nullable=False),
    Column("done", Boolean, nullable=False),
    Index("ix_outbox_done_sequence", "done", "sequence"),
    sqlite_autoincrement=True,
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(100), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
)

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("key", String(64), primary_key=True),  # hash of caller, route and the caller's own key
    Column("request_hash", String(64), nullable=False),
    Column("subject", String(200), nullable=False),  # the id of what was made
    Column("created_at", Instant, nullable=False, index=True),
)

TELEMETRY = Table(
    "telemetry",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _deployment(),
    Column("signal", String(10), nullable=False),  # logs, metrics or traces
    Column("at", Instant, nullable=False),  # by the sender's clock
    Column("received_at", Instant, nullable=False, index=True),
    Column("workload", String(200), nullable=False),
    Column("name", Text, nullable=False),  # of a metric or a span; the template of a log
    Column("severity", Integer, nullable=False),
    Column("trace_id", String(32), index=True),
    Column("body", JSON, nullable=False),
    Index("ix_telemetry_deployment_signal", "deployment_id", "signal", "number"),
    Index("ix_telemetry_signal_number", "signal", "number"),
    sqlite_autoincrement=True,
)

TELEMETRY_BATCHES = Table(
    "telemetry_batches",
    METADATA,
    Column("deployment_id", String(64), ForeignKey("deployments.id"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
)

TELEMETRY_OUT = Table(  # what waits to be forwarded, as it will be sent
    "telemetry_out",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("signal", String(10), nullable=False),
    Column("items", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

TELEMETRY_LOSSES = Table(  # items that were not kept or not forwarded, by reason
    "telemetry_losses",
    METADATA,
    Column("reason", String(40), primary_key=True),
    Column("items", BigInteger, nullable=False),
)
