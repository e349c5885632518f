"""Accounts, the trail and jobs; who made a list and by which request.

There is no way back by script, as it would drop the trail: the way back is the backup taken before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REFUSED = "a line of the trail is kept as it was written"
GUARDED = ("trail", "trail_household")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add columns to lists and decisions, and make the tables beside them."""
    for column in (
        sa.Column("made_by", sa.Text),
        sa.Column("scope", sa.JSON),
        sa.Column("request_key", sa.String(64)),
        sa.Column("request_digest", sa.String(64)),
    ):
        op.add_column("worklist", column)
    op.create_index("uq_worklist_request_key", "worklist", ["request_key"], unique=True)
    op.add_column("decision", sa.Column("account", sa.Text))
    _account()
    _credential()
    _session()
    _trail()
    _job()
    _guard(op.get_bind().dialect.name)


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("everywhere", sa.Boolean, nullable=False),
        sa.Column("regions", sa.JSON, nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("locked_until", TIME),
        sa.Column("subject", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        sa.UniqueConstraint("subject", name="uq_account_subject"),
    )


def _credential() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_credential"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_credential_account"),
    )
    op.create_index("ix_credential_account_id", "credential", ["account_id"])


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_session"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account"),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_table(
        "sign_in",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("next_path", sa.Text, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in"),
    )


def _trail() -> None:
    op.create_table(
        "trail",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "who", "via", "act", "outcome")),
        sa.Column("why", sa.Text),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("list_id", sa.Text),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("households", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_trail"),
    )
    op.create_index("ix_trail_who_number", "trail", ["who", "number"])
    op.create_index("ix_trail_list_id_number", "trail", ["list_id", "number"])
    op.create_table(
        "trail_household",
        sa.Column("household_id", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("household_id", "number", name="pk_trail_household"),
    )
    op.create_table(
        "trail_head",
        sa.Column("only", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_trail_head"),
    )
    op.execute(f"INSERT INTO trail_head (\"only\", number, hash) VALUES (1, 0, '{'0' * 64}')")  # noqa: S608 (our own)


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("scope", sa.JSON),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("households", sa.Integer),
        sa.Column("households_done", sa.Integer, nullable=False),
        sa.Column("rows_read", sa.Integer),
        sa.Column("rows_refused", sa.Integer),
        sa.Column("model_stamp", sa.Text),
        sa.Column("fault", sa.JSON),
        sa.Column("result", sa.JSON),
        sa.Column("claimed_by", sa.Text),
        sa.Column("beat_at", TIME),
        sa.Column("request_key", sa.String(64)),
        sa.Column("request_digest", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("request_key", name="uq_job_request_key"),
    )
    op.create_index("ix_job_state_created_at", "job", ["state", "created_at"])


def _guard(dialect: str) -> None:
    if dialect == "postgresql":
        body = f"BEGIN RAISE EXCEPTION '{REFUSED}'; END"
        op.execute(f"CREATE FUNCTION trail_kept() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        for table in GUARDED:
            for name, event, each in (("changed", "UPDATE OR DELETE", "ROW"), ("emptied", "TRUNCATE", "STATEMENT")):
                op.execute(
                    f"CREATE TRIGGER {table}_not_{name} BEFORE {event} ON {table} "
                    f"FOR EACH {each} EXECUTE FUNCTION trail_kept()"
                )
        return
    for table in GUARDED:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_not_{event.lower()}d BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
            )
    # INSERT OR REPLACE would take a row away without asking the trigger of deletions.
    op.execute(
        "CREATE TRIGGER trail_not_replaced BEFORE INSERT ON trail "  # noqa: S608 (our own words)
        "WHEN EXISTS (SELECT 1 FROM trail WHERE number = NEW.number) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    )
