"""Corrections that were asked for, and what visits brought back: both for the registers' side, and kept as they were.

There is no way back by script, as it would drop them: the way back is the backup taken before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REFUSED = {
    "correction": "a correction is kept as it was asked for: ask anew",
    "visit": "a visit is kept as it was noted: note it anew",
}
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the two tables, and have the database refuse changes in them."""
    _correction()
    _visit()
    for table, refused in REFUSED.items():
        _guard(table, refused, dialect=op.get_bind().dialect.name)


def _common() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("region_id", sa.Text),
        sa.Column("area_id", sa.Text),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("request_key", sa.String(64)),
        sa.Column("request_digest", sa.String(64)),
    )


def _correction() -> None:
    op.create_table(
        "correction",
        *_common(),
        sa.Column("register", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("recorded_on", sa.Date),
        sa.Column("old", sa.Text),
        sa.Column("new", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_correction"),
        sa.UniqueConstraint("id", name="uq_correction_id"),
        sa.UniqueConstraint("request_key", name="uq_correction_request_key"),
    )
    op.create_index("ix_correction_household_id_number", "correction", ["household_id", "number"])


def _visit() -> None:
    op.create_table(
        "visit",
        *_common(),
        sa.Column("worklist_id", sa.String(32), nullable=False),
        sa.Column("visited_on", sa.Date, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("given", sa.JSON, nullable=False),
        sa.Column("measured", sa.JSON, nullable=False),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_visit"),
        sa.UniqueConstraint("id", name="uq_visit_id"),
        sa.UniqueConstraint("request_key", name="uq_visit_request_key"),
        sa.ForeignKeyConstraint(["worklist_id"], ["worklist.id"], name="fk_visit_worklist"),
    )
    op.create_index("ix_visit_household_id_number", "visit", ["household_id", "number"])
    op.create_index("ix_visit_worklist_id_number", "visit", ["worklist_id", "number"])


def _guard(table: str, refused: str, *, dialect: str) -> None:
    if dialect == "postgresql":
        body = f"BEGIN RAISE EXCEPTION '{refused}'; END"
        op.execute(f"CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        for name, event, each in (("changed", "UPDATE OR DELETE", "ROW"), ("emptied", "TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER {table}_not_{name} BEFORE {event} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION {table}_kept()"
            )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_not_{event.lower()}d BEFORE {event} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
        )
    # INSERT OR REPLACE would take a row away without asking the trigger of deletions.
    same = "number = NEW.number OR id = NEW.id OR request_key = NEW.request_key"
    op.execute(
        f"CREATE TRIGGER {table}_not_replaced BEFORE INSERT ON {table} "  # noqa: S608 (our own words)
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
    )
