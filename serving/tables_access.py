"""The tables of accounts, of the trail and of jobs, in types that SQLite and PostgreSQL share.

`serving/migrations` makes them. Of a secret only a digest is kept: of a password argon2's, of a random one SHA-256.
"""

from __future__ import annotations

import sqlalchemy as sa

from serving.tables import UtcTime, metadata

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),  # lower case: one person, one name
    sa.Column("kind", sa.Text, nullable=False),  # person, system
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("everywhere", sa.Boolean, nullable=False),
    sa.Column("regions", sa.JSON, nullable=False),
    sa.Column("areas", sa.JSON, nullable=False),
    sa.Column("password", sa.Text),  # null: signs in by the identity provider, or is a system
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),  # wrong passwords since the last right one
    sa.Column("locked_until", UtcTime),
    sa.Column("subject", sa.Text),  # issuer and subject of the identity provider
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.UniqueConstraint("name"),
    sa.UniqueConstraint("subject"),
)

credential = sa.Table(
    "credential",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),  # the part that may be shown
    sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # key, client, token
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime),
    sa.Column("revoked_at", UtcTime),
    sa.Index(None, "account_id"),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),  # of the cookie
    sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
    sa.Column("via", sa.Text, nullable=False),  # password, oidc
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Index(None, "account_id"),
)

sign_in = sa.Table(
    "sign_in",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),  # of the state that the identity provider gives back
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("next_path", sa.Text, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
)

trail = sa.Table(
    "trail",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),  # ISO 8601 in UTC, as it was hashed
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("via", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("why", sa.Text),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("list_id", sa.Text),
    sa.Column("about", sa.Text, nullable=False),  # JSON, as it was hashed
    sa.Column("households", sa.Text, nullable=False),  # JSON, as it was hashed
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index(None, "who", "number"),
    sa.Index(None, "list_id", "number"),
)

trail_household = sa.Table(
    "trail_household",
    metadata,
    sa.Column("household_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
)

trail_head = sa.Table(
    "trail_head",
    metadata,
    sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),  # 1
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("scope", sa.JSON(none_as_null=True)),  # null: everywhere
    sa.Column("state", sa.Text, nullable=False),  # open, waiting, running, done, failed, cancelled
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.Column("files", sa.JSON, nullable=False),  # by register: bytes, sha256, format
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("households", sa.Integer),  # null: not counted yet
    sa.Column("households_done", sa.Integer, nullable=False),
    sa.Column("rows_read", sa.Integer),
    sa.Column("rows_refused", sa.Integer),
    sa.Column("model_stamp", sa.Text),
    sa.Column("fault", sa.JSON(none_as_null=True)),
    sa.Column("result", sa.JSON(none_as_null=True)),  # by file: bytes, sha256
    sa.Column("claimed_by", sa.Text),
    sa.Column("beat_at", UtcTime),
    sa.Column("request_key", sa.String(64)),
    sa.Column("request_digest", sa.String(64)),
    sa.UniqueConstraint("request_key"),
    sa.Index(None, "state", "created_at"),
)
