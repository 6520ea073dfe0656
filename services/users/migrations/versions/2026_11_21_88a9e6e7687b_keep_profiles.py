"""Keep profiles."""

import sqlalchemy as sa
from alembic import op

revision = "88a9e6e7687b"
down_revision = None
branch_labels = None
depends_on = None

LIMIT_STATEMENTS = """
DO $$ BEGIN
    EXECUTE format(
        'ALTER ROLE CURRENT_USER IN DATABASE %I SET statement_timeout = ''5s''',
        current_database()
    );
END $$
"""
"""By the role, because a pooler forgets what a session sets; as long as a request may take."""

UNLIMIT_STATEMENTS = """
DO $$ BEGIN
    EXECUTE format(
        'ALTER ROLE CURRENT_USER IN DATABASE %I RESET statement_timeout',
        current_database()
    );
END $$
"""


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("auth_issuer", sa.Text(), nullable=False),
        sa.Column("auth_subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.execute(LIMIT_STATEMENTS)


def downgrade() -> None:
    op.execute(UNLIMIT_STATEMENTS)
    op.drop_table("users")
