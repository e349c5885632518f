"""Who is to visit a household of a list, and an index for looking through long lists.

There is no way back by script, as it would drop assignments: the way back is the backup taken before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REFUSED = "an assignment is kept as it was made: assign anew"
# A row goes only with its whole list, by retention; so deletions are not refused.
ON_SQLITE = f"""
CREATE TRIGGER assignment_not_updated BEFORE UPDATE ON assignment BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
;;
CREATE TRIGGER assignment_not_replaced BEFORE INSERT ON assignment
WHEN EXISTS (SELECT 1 FROM assignment WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
"""  # noqa: S608 (our own words)
ON_POSTGRESQL = f"""
CREATE FUNCTION assignment_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$
;;
CREATE TRIGGER assignment_not_changed BEFORE UPDATE ON assignment FOR EACH ROW EXECUTE FUNCTION assignment_kept()
"""
GUARDS = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}
BROWSED = (
    "worklist_id", "rank", "household_id", "region_id", "area_id", "risk", "freshest_on", "unmet", "value",
    "expected_stunted",
)  # fmt: skip


def upgrade() -> None:
    """Make the table, and the index."""
    op.create_table(
        "assignment",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("worklist_id", sa.String(32), nullable=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("assigned_to", sa.Text),
        sa.Column("assigned_by", sa.Text, nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_assignment"),
        sa.ForeignKeyConstraint(["worklist_id"], ["worklist.id"], name="fk_assignment_worklist"),
    )
    op.create_index(
        "ix_assignment_worklist_id_household_id_number", "assignment", ["worklist_id", "household_id", "number"]
    )
    op.create_index("ix_worklist_line_browsing", "worklist_line", list(BROWSED))
    for guard in GUARDS[op.get_bind().dialect.name].split(";;"):
        op.execute(guard)
