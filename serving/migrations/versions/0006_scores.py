"""What every run of the pipeline said of every household.

There is no way back by script, as it would drop them: the way back is the backup taken before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RISKS = tuple(f"risk_{objective}{end}" for objective in ("find", "prevent") for end in ("", "_low", "_high"))


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "score_run",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("stamp", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_stamp", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text),
        sa.Column("catalogue", sa.Text, nullable=False),
        sa.Column("objectives", sa.JSON, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("first_as_of", sa.Date),
        sa.Column("last_as_of", sa.Date),
        sa.Column("interval_level", sa.Double),
        sa.Column("households", sa.Integer, nullable=False),
        sa.Column("kept", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_score_run"),
        sa.UniqueConstraint("stamp", name="uq_score_run_stamp"),
    )
    op.create_table(
        "score_place",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("region_id", sa.Text),
        sa.Column("area_id", sa.Text),
        sa.PrimaryKeyConstraint("run", "place", name="pk_score_place"),
        sa.ForeignKeyConstraint(["run"], ["score_run.number"], name="fk_score_place_score_run"),
    )
    op.create_table(
        "household_score",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Double) for name in RISKS),
        sa.PrimaryKeyConstraint("run", "household_id", name="pk_household_score"),
        sa.ForeignKeyConstraint(["run"], ["score_run.number"], name="fk_household_score_score_run"),
        sqlite_with_rowid=False,
    )
