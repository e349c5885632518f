"""The steps that bring a store's tables to the layout this version of Tepat expects."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from serving.faults import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the running migration in module globals


def is_current(connection: sa.Connection, name: str) -> bool:
    """Whether the tables are those of this version; `name` is what messages call the database.

    Raises
    ------
    StoreRefused
        They are another program's, or a newer version's.
    """
    scripts = ScriptDirectory.from_config(_config())
    found = _revisions(connection, name)
    unknown = sorted(found - {step.revision for step in scripts.walk_revisions()})
    if unknown:
        raise StoreRefused(
            f"{name} is at revision {unknown[0]}; this version of Tepat knows none after {scripts.get_current_head()}",
            "Run the newer Tepat that wrote it or put back the backup from before; name another one if it is not ours",
        )
    return found == set(scripts.get_heads())


def upgrade(connection: sa.Connection, name: str, *, to: str = "head") -> None:
    """Run the steps that are missing, in the transaction of `connection`; raises as `is_current` does."""
    with _ONE_AT_A_TIME:
        if not is_current(connection, name):  # another process may have been faster
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, to)


def revision_of(connection: sa.Connection) -> str | None:
    """The last step that was run; None where there are no tables of Tepat."""
    return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> list[str]:
    """Every step of this version of Tepat, the newest first."""
    return [step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _revisions(connection: sa.Connection, name: str) -> AbstractSet[str]:
    found = frozenset(MigrationContext.configure(connection).get_current_heads())
    if not found and sa.inspect(connection).get_table_names():
        raise StoreRefused(f"{name} holds tables of another program", "Name another database")
    return found
