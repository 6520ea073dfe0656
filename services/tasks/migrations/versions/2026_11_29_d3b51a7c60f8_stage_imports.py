"""Stage the records of an import until it is complete.

Both tables are new, and older releases work without them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "d3b51a7c60f8"
down_revision = "c7d20f5b1e94"
branch_labels = None
depends_on = None

# Each import leaves dead rows: vacuum soon after it, and not when a fifth of the rows is dead.
VACUUM_SOON = ", ".join(
    f"{prefix}{name} = {value}"
    for prefix in ("", "toast.")
    for name, value in (
        ("autovacuum_vacuum_scale_factor", 0),
        ("autovacuum_vacuum_threshold", 1000),
    )
)


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["owners.id"], name="fk_imports_user_id_owners", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
        sa.UniqueConstraint("user_id", "id", name="uq_imports_user_id_id"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_imports_begun_at", "imports", ["begun_at"], unique=False)
    op.create_table(
        "staged_tasks",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("old_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("own_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_completed", sa.Boolean(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_planned", sa.Boolean(), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("due_time", sa.Time(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_time_zone", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.Numeric(), nullable=True),
        sa.Column("labels", ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["owners.id"], name="fk_staged_tasks_user_id_owners", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "import_id"],
            ["imports.user_id", "imports.id"],
            name="fk_staged_tasks_user_id_imports",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "import_id", "old_id", name="pk_staged_tasks"),
        prefixes=["UNLOGGED"],
    )
    op.create_index(
        "ix_staged_tasks_import_id_line", "staged_tasks", ["import_id", "line"], unique=False
    )
    op.execute(f"ALTER TABLE staged_tasks SET ({VACUUM_SOON})")


def downgrade() -> None:
    op.drop_table("staged_tasks")
    op.drop_table("imports")
