"""The tables, and beside each the rule that ends what is in it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

REVISION = "0004"
"""The newest migration; a test compares. A start at this revision need not load Alembic."""

circles = Table(
    "circles",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("group_id", String(64), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("alive_at", BigInteger, nullable=False),
)
"""Open circles. alive_at: when the server was last known to be up, for the clocks after a crash."""

journal = Table(
    "journal",
    metadata,
    Column("circle_id", ForeignKey("circles.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
)
"""Crash memory: seat ids and facts, no names and no words."""

blocks = Table(
    "blocks",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("code", String(8), primary_key=True),
    Column("made_at", BigInteger, nullable=False),
    Column("review_on", Date, nullable=False, index=True),
    Column("appeal", Text, nullable=False),
)
"""Blocked links. No person: whose link it was is nowhere."""

BLOCK_KEPT_DAYS = 30
"""How long a block goes on after its review date. One that nobody looks at must not keep a person
out for ever."""

run_sheets = Table(
    "run_sheets",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("used_at", BigInteger, nullable=False, index=True),
    Column("text", Text, nullable=False),
)
"""A group's own run sheets: how it meets, never what was said."""

SHEET_KEPT_DAYS = 365
"""How long a group's run sheet is kept after its last use."""

SHEETS_KEPT = 60
"""How many a group has at most: each edit of a text is another sheet."""

checks = Table(
    "checks",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("check", String(22), nullable=False),
)
"""Tells a group's secret of today from an older one. The secret itself never comes here."""

RETENTION = {
    "circles": "deleted when the circle ends, or at a start 12 hours after it was last alive",
    "journal": "deleted with its circle",
    "blocks": f"deleted {BLOCK_KEPT_DAYS} days after the review date unless renewed",
    "run_sheets": f"deleted by a facilitator, {SHEET_KEPT_DAYS} days after the last use, "
    f"or when the group has used {SHEETS_KEPT} others since",
    "checks": "replaced with each new secret; one row for each group",
}
"""Every table must have a rule here; a test insists."""
