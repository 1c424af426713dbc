"""The database's schema, step by step. A step that was released is never edited; a new one follows it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from alien_iac.errors import Unsupported


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the database to the newest schema: one transaction, so that a crash leaves the old schema or the new one.

    Unsupported for a database that a newer version has made, or a schema that only a newer version knows.
    """
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise Unsupported(
                f"the control plane's database is not of this version: {error}",
                hint="run the version of alien-iac that wrote it last, or a newer one",
            ) from error


def revision(connection: Connection) -> str | None:
    """Which schema the database has; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def revisions() -> list[str]:
    """All schemas, the oldest first."""
    return [step.revision for step in reversed(list(ScriptDirectory.from_config(_config()).walk_revisions()))]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
