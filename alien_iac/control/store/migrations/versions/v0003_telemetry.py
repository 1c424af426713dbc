"""Telemetry: what was received, what waits to be forwarded, what was lost, and each customer's level."""

import sqlalchemy as sa
from alembic import op

from alien_iac.control.store.tables import Instant

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _telemetry() -> None:
    op.create_table(
        "telemetry",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("deployment_id", sa.String(length=64), nullable=False),
        sa.Column("signal", sa.String(length=10), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("workload", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_telemetry_deployment_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_telemetry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_telemetry_received_at"), "telemetry", ["received_at"], unique=False)
    op.create_index(op.f("ix_telemetry_trace_id"), "telemetry", ["trace_id"], unique=False)
    op.create_index("ix_telemetry_deployment_signal", "telemetry", ["deployment_id", "signal", "number"], unique=False)
    op.create_index("ix_telemetry_signal_number", "telemetry", ["signal", "number"], unique=False)


def _batches() -> None:
    op.create_table(
        "telemetry_batches",
        sa.Column("deployment_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_telemetry_batches_deployment_id")),
        sa.PrimaryKeyConstraint("deployment_id", "id", name=op.f("pk_telemetry_batches")),
    )
    op.create_index(op.f("ix_telemetry_batches_at"), "telemetry_batches", ["at"], unique=False)


def _out() -> None:
    op.create_table(
        "telemetry_out",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("signal", sa.String(length=10), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_telemetry_out")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "telemetry_losses",
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_telemetry_losses")),
    )


def upgrade() -> None:
    """Add to the schema; what was there is not touched."""
    _telemetry()
    _batches()
    _out()
    op.add_column("deployments", sa.Column("telemetry", sa.String(length=10), nullable=True))
