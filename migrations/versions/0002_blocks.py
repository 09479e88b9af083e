"""The blocked links."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blocks",
        sa.Column("group_id", sa.String(64), primary_key=True),
        sa.Column("code", sa.String(8), primary_key=True),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("review_on", sa.Date, nullable=False),
        sa.Column("appeal", sa.Text, nullable=False),
    )
    op.create_index("ix_blocks_review_on", "blocks", ["review_on"])


def downgrade() -> None:
    op.drop_table("blocks")
