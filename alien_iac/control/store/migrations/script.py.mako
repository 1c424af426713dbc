"""${message}."""

import sqlalchemy as sa
from alembic import op

from alien_iac.control.store.tables import Instant

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}
