"""Keep owners, tasks and tombstones."""

import sqlalchemy as sa
from alembic import op

revision = "f30362ae1a1a"
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
        "owners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("task_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owners"),
    )
    op.create_table(
        "task_tombstones",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["owners.id"], name="fk_task_tombstones_user_id_owners", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_task_tombstones"),
        sa.UniqueConstraint("user_id", "version", name="uq_task_tombstones_user_id_version"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_completed", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Text(),
            sa.Computed(
                "CASE WHEN is_completed THEN 'completed' ELSE 'pending' END", persisted=True
            ),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("char_length(description) <= 10000", name="ck_tasks_description_length"),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="ck_tasks_title_length"),
        sa.CheckConstraint("is_completed = (completed_at IS NOT NULL)", name="ck_tasks_completion"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["owners.id"], name="fk_tasks_user_id_owners", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
        sa.UniqueConstraint("user_id", "version", name="uq_tasks_user_id_version"),
    )
    op.create_index(
        "ix_tasks_user_id_created_at_id", "tasks", ["user_id", "created_at", "id"], unique=False
    )
    op.execute(LIMIT_STATEMENTS)


def downgrade() -> None:
    op.execute(UNLIMIT_STATEMENTS)
    op.drop_table("tasks")
    op.drop_table("task_tombstones")
    op.drop_table("owners")
