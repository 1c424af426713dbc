"""How Alembic reaches the database: by the connection that `upgrade` hands over."""

from alembic import context

from alien_iac.control.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
