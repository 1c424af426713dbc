"""Commands have priorities and signatures, and what waits is found by indexes that have nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_WAITS = sa.text("available_at IS NOT NULL")


def upgrade() -> None:
    """Priorities and signatures of commands."""
    op.add_column("commands", sa.Column("rank", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("commands", sa.Column("signature", sa.JSON(none_as_null=True), nullable=True))
    for name in ("deployment", "target"):
        op.drop_index(f"ix_commands_{name}_available", table_name="commands")
    for name, columns in {"deployment": ["deployment_id"], "target": ["deployment_id", "target_id"]}.items():
        op.create_index(
            f"ix_commands_{name}_waiting",
            "commands",
            [*columns, "rank", "available_at"],
            unique=False,
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        )
