"""What tells a group's secret of today from an older one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checks",
        sa.Column("group_id", sa.String(64), primary_key=True),
        sa.Column("check", sa.String(22), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("checks")
