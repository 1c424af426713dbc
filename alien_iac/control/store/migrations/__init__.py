"""The database's schema, step by step. A step that was released is never edited; a new one follows it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine

from alien_iac.errors import Unsupported


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema: one transaction, so that a crash leaves the old schema or the new one.

    Unsupported for a database that a newer version has made.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Unsupported(
                f"the control plane's database is not of this version: {error}",
                hint="run the version of alien-iac that wrote it last, or a newer one",
            ) from error
