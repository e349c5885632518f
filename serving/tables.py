"""The tables of published worklists, plans and decisions, in types that SQLite and PostgreSQL share.

`serving/migrations` makes them. No table holds a NIK, a name or a birth date of a person; `household_id`, `child_id`,
`mother_id` and `reasons_unit_id` are keyed pseudonyms.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class UtcTime(sa.TypeDecorator[dt.datetime]):
    """A moment with its zone; SQLite keeps none, so it is stored in UTC there and given its zone back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """The same moment in UTC."""
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """The moment as stored, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


metadata = sa.MetaData(
    naming_convention={  # PostgreSQL and SQLite name a constraint differently, and a later migration must find it
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

worklist = sa.Table(
    "worklist",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("objective", sa.Text, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("regions", sa.JSON(none_as_null=True)),  # null: every region competed
    sa.Column("eligible", sa.Integer, nullable=False),
    sa.Column("row_count", sa.Integer, nullable=False),
    sa.Column("round_name", sa.Text, nullable=False),
    sa.Column("model_stamp", sa.Text, nullable=False),
    sa.Column("catalogue", sa.Text, nullable=False),
    sa.Column("freshest_on", sa.Date),
    sa.Column("stalest_on", sa.Date),
    sa.Column("simulated", sa.Boolean, nullable=False),
    # Of a plan; null for a list by risk alone.
    sa.Column("policy", sa.JSON(none_as_null=True)),
    sa.Column("policy_stamp", sa.Text),
    sa.Column("figures", sa.JSON(none_as_null=True)),
    sa.Column("fingerprints", sa.JSON(none_as_null=True)),
    sa.Column("plan_on", sa.Date),
    # Null on lists of before there were accounts.
    sa.Column("made_by", sa.Text),
    sa.Column("scope", sa.JSON(none_as_null=True)),  # of its maker; null: everywhere
    sa.Column("request_key", sa.String(64)),  # as of a decision
    sa.Column("request_digest", sa.String(64)),
    sa.Index(None, "created_at", "id"),
    sa.Index("uq_worklist_request_key", "request_key", unique=True),
)

worklist_line = sa.Table(
    "worklist_line",
    metadata,
    sa.Column("worklist_id", sa.String(32), sa.ForeignKey("worklist.id"), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
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
    sa.Column("risk_low", sa.Double),
    sa.Column("risk_high", sa.Double),
    sa.Column("risk_survey", sa.Double),
    # Of a plan; null on a list by risk alone.
    sa.Column("track", sa.Text),
    sa.Column("value", sa.Double),
    sa.Column("chosen_for", sa.Text),
    sa.Column("chosen_for_id", sa.Text),
    sa.Column("chosen_for_en", sa.Text),
    sa.Column("chance", sa.Double),
    sa.Column("weight", sa.Double),
    sa.Column("services", sa.Text),
    sa.Column("services_id", sa.Text),
    sa.Column("services_idr", sa.BigInteger),
    sa.Column("unmet", sa.Text),
    sa.Column("unmet_id", sa.Text),
    sa.Column("posyandu_id", sa.Text),
    sa.Index(None, "worklist_id", "region_id", "rank"),
    sa.Index(None, "worklist_id", "household_id"),
    # All that a page sorts, filters, searches and counts by: what finds nothing reads this, and not the long lines.
    sa.Index(
        "ix_worklist_line_browsing", "worklist_id", "rank", "household_id", "region_id", "area_id", "risk",
        "freshest_on", "unmet", "value", "expected_stunted",
    ),
)  # fmt: skip

worklist_left_out = sa.Table(
    "worklist_left_out",
    metadata,
    sa.Column("worklist_id", sa.String(32), sa.ForeignKey("worklist.id"), primary_key=True),
    sa.Column("household_id", sa.Text, primary_key=True),
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
    sa.Index(None, "worklist_id", "region_id", "household_id"),
)

worklist_urgent = sa.Table(
    "worklist_urgent",
    metadata,
    sa.Column("worklist_id", sa.String(32), sa.ForeignKey("worklist.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("household_id", sa.Text),
    sa.Column("region_id", sa.Text),
    sa.Column("area_id", sa.Text),
    sa.Column("child_id", sa.Text),
    sa.Column("mother_id", sa.Text),
    sa.Column("measured_on", sa.Date),
    sa.Column("recorded_on", sa.Date, nullable=False),
    sa.Column("why_id", sa.Text, nullable=False),
    sa.Column("why_en", sa.Text, nullable=False),
    sa.Index(None, "worklist_id", "household_id"),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # the order of decisions: a clock may be set back
    sa.Column("id", sa.String(32), nullable=False),
    sa.Column("worklist_id", sa.String(32), sa.ForeignKey("worklist.id"), nullable=False),
    sa.Column("household_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("until", sa.Date),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("account", sa.Text),  # who was signed in; null on decisions of before there were accounts
    sa.Column("decided_at", UtcTime, nullable=False),
    sa.Column("model_stamp", sa.Text, nullable=False),
    sa.Column("policy_stamp", sa.Text),
    sa.Column("on_list", sa.Boolean, nullable=False),
    sa.Column("line", sa.JSON, nullable=False),  # as it stood
    sa.Column("request_key", sa.String(64)),  # digest of the asker's key, by which a request sent twice is one
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("request_key"),
    sa.Index(None, "household_id", "number"),
    sa.Index(None, "worklist_id", "number"),
)

assignment = sa.Table(
    "assignment",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # the newest of a household counts
    sa.Column("worklist_id", sa.String(32), sa.ForeignKey("worklist.id"), nullable=False),
    sa.Column("household_id", sa.Text, nullable=False),
    sa.Column("assigned_to", sa.Text),  # an account or a cadre's label; null: given back
    sa.Column("assigned_by", sa.Text, nullable=False),
    sa.Column("assigned_at", UtcTime, nullable=False),
    sa.Index(None, "worklist_id", "household_id", "number"),
)


def _of_the_field(name: str, *more: sa.Column[object] | sa.Index) -> sa.Table:
    """A table of what is told of a household for the registers' side, with where it lay then."""
    return sa.Table(
        name,
        metadata,
        sa.Column("number", sa.Integer, primary_key=True),  # the order in which they came, as of decisions
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("region_id", sa.Text),
        sa.Column("area_id", sa.Text),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("made_at", UtcTime, nullable=False),
        sa.Column("request_key", sa.String(64)),  # as of a decision
        sa.Column("request_digest", sa.String(64)),
        *more,
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("request_key"),
        sa.Index(None, "household_id", "number"),
    )


correction = _of_the_field(
    "correction",
    sa.Column("register", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text),  # null: of the household
    sa.Column("fact", sa.Text, nullable=False),
    sa.Column("recorded_on", sa.Date),  # of the row that is wrong
    sa.Column("old", sa.Text),  # null: not told
    sa.Column("new", sa.Text),  # null: not known
    sa.Column("why", sa.Text, nullable=False),
)

visit = _of_the_field(
    "visit",
    sa.Column("worklist_id", sa.String(32), sa.ForeignKey("worklist.id"), nullable=False),
    sa.Column("visited_on", sa.Date, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("given", sa.JSON, nullable=False),  # services, each with its person
    sa.Column("measured", sa.JSON, nullable=False),  # of children, each with its z-scores
    sa.Column("note", sa.Text),
    sa.Index(None, "worklist_id", "number"),
)
