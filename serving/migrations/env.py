"""Runs the steps on the connection that `serving.database` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from serving.tables import metadata


def migrate() -> None:
    """Run the steps; the caller commits, so that another process sees all of them or none."""
    context.configure(
        connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()


# The name under which Alembic runs this file; whoever imports it otherwise has nothing to migrate.
if __name__ == "env_py":
    migrate()
