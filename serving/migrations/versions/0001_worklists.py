"""Published worklists and their lines.

There is no way back by script, as it would drop published lists: the way back is the backup taken before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables, and the indexes by which they are paged."""
    _worklist()
    _worklist_line()


def _worklist() -> None:
    op.create_table(
        "worklist",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("objective", sa.Text, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("regions", sa.JSON),
        sa.Column("eligible", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("round_name", sa.Text, nullable=False),
        sa.Column("model_stamp", sa.Text, nullable=False),
        sa.Column("catalogue", sa.Text, nullable=False),
        sa.Column("freshest_on", sa.Date),
        sa.Column("stalest_on", sa.Date),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worklist"),
    )
    op.create_index("ix_worklist_created_at_id", "worklist", ["created_at", "id"])


def _worklist_line() -> None:
    op.create_table(
        "worklist_line",
        sa.Column("worklist_id", sa.String(32), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("region_id", sa.Text),
        sa.Column("area_id", sa.Text),
        sa.Column("area_name", sa.Text),
        sa.Column("unit_count", sa.Integer, nullable=False),
        sa.Column("risk", sa.Double, nullable=False),
        sa.Column("expected_stunted", sa.Double),
        sa.Column("risk_find", sa.Double),
        sa.Column("risk_prevent", sa.Double),
        sa.Column("reasons_id", sa.Text),
        sa.Column("reasons_en", sa.Text),
        sa.Column("reasons_unit_id", sa.Text),
        sa.Column("freshest_on", sa.Date),
        sa.Column("stalest_on", sa.Date),
        sa.Column("missing_registers", sa.Text),
        sa.PrimaryKeyConstraint("worklist_id", "rank", name="pk_worklist_line"),
        sa.ForeignKeyConstraint(["worklist_id"], ["worklist.id"], name="fk_worklist_line_worklist"),
    )
    op.create_index(
        "ix_worklist_line_worklist_id_region_id_rank", "worklist_line", ["worklist_id", "region_id", "rank"]
    )
