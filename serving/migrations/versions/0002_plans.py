"""Plans beside lists by risk alone, the households that they leave out, the urgent list as it stood, and decisions.

Lists of before keep their lines; what only a plan has is null there. There is no way back by script, as it would drop
decisions: the way back is the backup taken before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFUSED = "a decision is kept as it was made: decide anew"
# INSERT OR REPLACE would take a row away without asking the trigger of deletions.
ON_SQLITE = f"""
CREATE TRIGGER decision_not_updated BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
;;
CREATE TRIGGER decision_not_deleted BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
;;
CREATE TRIGGER decision_not_replaced BEFORE INSERT ON decision
WHEN EXISTS (SELECT 1 FROM decision WHERE number = NEW.number OR id = NEW.id OR request_key = NEW.request_key)
BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
"""  # noqa: S608 (our own words)
ON_POSTGRESQL = f"""
CREATE FUNCTION decision_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$
;;
CREATE TRIGGER decision_not_changed BEFORE UPDATE OR DELETE ON decision
FOR EACH ROW EXECUTE FUNCTION decision_kept()
;;
CREATE TRIGGER decision_not_emptied BEFORE TRUNCATE ON decision
FOR EACH STATEMENT EXECUTE FUNCTION decision_kept()
"""
GUARDS = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}


def upgrade() -> None:
    """Add the columns of plans, and make the three tables beside them."""
    _worklist()
    _worklist_line()
    _worklist_left_out()
    _worklist_urgent()
    _decision()


def _worklist() -> None:
    for column in (
        sa.Column("policy", sa.JSON),
        sa.Column("policy_stamp", sa.Text),
        sa.Column("figures", sa.JSON),
        sa.Column("fingerprints", sa.JSON),
        sa.Column("plan_on", sa.Date),
    ):
        op.add_column("worklist", column)


def _worklist_line() -> None:
    words = ("track", "chosen_for", "chosen_for_id", "chosen_for_en", "services", "services_id", "unmet", "unmet_id",
             "posyandu_id")  # fmt: skip
    numbers = ("risk_low", "risk_high", "risk_survey", "value", "chance", "weight")
    for name in words:
        op.add_column("worklist_line", sa.Column(name, sa.Text))
    for name in numbers:
        op.add_column("worklist_line", sa.Column(name, sa.Double))
    op.add_column("worklist_line", sa.Column("services_idr", sa.BigInteger))
    op.create_index("ix_worklist_line_worklist_id_household_id", "worklist_line", ["worklist_id", "household_id"])


def _worklist_left_out() -> None:
    op.create_table(
        "worklist_left_out",
        sa.Column("worklist_id", sa.String(32), nullable=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("region_id", sa.Text),
        sa.Column("area_id", sa.Text),
        sa.Column("track", sa.Text),
        sa.Column("risk", sa.Double),
        sa.Column("value", sa.Double),
        sa.Column("kept_out_by", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("short_by", sa.Double),
        sa.Column("why_id", sa.Text, nullable=False),
        sa.Column("why_en", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("worklist_id", "household_id", name="pk_worklist_left_out"),
        sa.ForeignKeyConstraint(["worklist_id"], ["worklist.id"], name="fk_worklist_left_out_worklist"),
    )
    op.create_index(
        "ix_worklist_left_out_worklist_id_region_id_household_id",
        "worklist_left_out",
        ["worklist_id", "region_id", "household_id"],
    )


def _worklist_urgent() -> None:
    op.create_table(
        "worklist_urgent",
        sa.Column("worklist_id", sa.String(32), nullable=False),
        sa.Column("place", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("household_id", sa.Text),
        sa.Column("region_id", sa.Text),
        sa.Column("area_id", sa.Text),
        sa.Column("child_id", sa.Text),
        sa.Column("mother_id", sa.Text),
        sa.Column("measured_on", sa.Date),
        sa.Column("recorded_on", sa.Date, nullable=False),
        sa.Column("why_id", sa.Text, nullable=False),
        sa.Column("why_en", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("worklist_id", "place", name="pk_worklist_urgent"),
        sa.ForeignKeyConstraint(["worklist_id"], ["worklist.id"], name="fk_worklist_urgent_worklist"),
    )
    op.create_index("ix_worklist_urgent_worklist_id_household_id", "worklist_urgent", ["worklist_id", "household_id"])


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("worklist_id", sa.String(32), nullable=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("until", sa.Date),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_stamp", sa.Text, nullable=False),
        sa.Column("policy_stamp", sa.Text),
        sa.Column("on_list", sa.Boolean, nullable=False),
        sa.Column("line", sa.JSON, nullable=False),
        sa.Column("request_key", sa.String(64)),
        sa.PrimaryKeyConstraint("number", name="pk_decision"),
        sa.UniqueConstraint("id", name="uq_decision_id"),
        sa.UniqueConstraint("request_key", name="uq_decision_request_key"),
        sa.ForeignKeyConstraint(["worklist_id"], ["worklist.id"], name="fk_decision_worklist"),
    )
    op.create_index("ix_decision_household_id_number", "decision", ["household_id", "number"])
    op.create_index("ix_decision_worklist_id_number", "decision", ["worklist_id", "number"])
    for guard in GUARDS[op.get_bind().dialect.name].split(";;"):
        op.execute(guard)
