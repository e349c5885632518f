"""The tables of what every run of the pipeline said of every household, in types that SQLite and PostgreSQL share.

`serving/migrations` makes them. A row of a household is written once a run and read by run and household, so that is
how it lies: a new run is added at the end, and one that retention drops goes as a whole.
"""

from __future__ import annotations

import sqlalchemy as sa

from serving.tables import UtcTime, metadata

score_run = sa.Table(
    "score_run",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # the order in which runs were seen: a clock may be set back
    sa.Column("stamp", sa.String(64), nullable=False),  # of its files, see `targeting.manifest`
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("model_stamp", sa.Text, nullable=False),
    sa.Column("model_version", sa.Text),  # in the registry; null: not told beside the scores
    sa.Column("catalogue", sa.Text, nullable=False),
    sa.Column("objectives", sa.JSON, nullable=False),  # that some household has a risk for
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("first_as_of", sa.Date),
    sa.Column("last_as_of", sa.Date),
    sa.Column("interval_level", sa.Double),  # null: without refits
    sa.Column("households", sa.Integer, nullable=False),
    sa.Column("kept", sa.Integer, nullable=False),  # of them; the run is whole, and shown, when it is all
    sa.UniqueConstraint("stamp"),
)

score_place = sa.Table(
    "score_place",
    metadata,
    sa.Column("run", sa.Integer, sa.ForeignKey("score_run.number"), primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("region_id", sa.Text),
    sa.Column("area_id", sa.Text),
)

household_score = sa.Table(
    "household_score",
    metadata,
    sa.Column("run", sa.Integer, sa.ForeignKey("score_run.number"), primary_key=True, autoincrement=False),
    sa.Column("household_id", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),  # of the run
    sa.Column("risk_find", sa.Double),
    sa.Column("risk_find_low", sa.Double),
    sa.Column("risk_find_high", sa.Double),
    sa.Column("risk_prevent", sa.Double),
    sa.Column("risk_prevent_low", sa.Double),
    sa.Column("risk_prevent_high", sa.Double),
    sqlite_with_rowid=False,  # else each row would lie there twice, in the table and in the index of its key
)
