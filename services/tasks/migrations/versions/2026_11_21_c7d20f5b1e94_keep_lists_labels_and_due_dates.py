"""Keep lists, labels, due dates, priorities and the order of tasks.

No step rewrites rows or makes the service wait: constraints are validated and indexes built
concurrently. The steps outside of the transaction can be repeated after a failure.
"""

import sqlalchemy as sa
from alembic import op

revision = "c7d20f5b1e94"
down_revision = "a41c09e7d352"
branch_labels = None
depends_on = None

INDEXES = {
    "uq_tasks_user_id_id": "UNIQUE INDEX CONCURRENTLY uq_tasks_user_id_id ON tasks (user_id, id)",
    "ix_tasks_user_id_due_date": """
        INDEX CONCURRENTLY ix_tasks_user_id_due_date ON tasks (user_id, due_date)
        WHERE NOT is_completed
    """,
    "ix_tasks_user_id_list_id_place": """
        INDEX CONCURRENTLY ix_tasks_user_id_list_id_place ON tasks
        (
            user_id,
            list_id,
            coalesce(position, extract(epoch FROM timezone('UTC', created_at)) * 1000000),
            id
        )
    """,
}
"""New indexes of the existing table `tasks`."""

CHECKS = {
    "ck_tasks_due": (
        "(due_at IS NULL) = (due_time_zone IS NULL) AND (due_at IS NULL OR due_date IS NOT NULL)"
    ),
    "ck_tasks_due_time_zone_length": "char_length(due_time_zone) <= 64",
    "ck_tasks_priority": "priority BETWEEN 0 AND 3",
}
"""Constraints of the new columns."""


def upgrade() -> None:
    add_columns()
    add_named("task_lists", 120, sa.Column("position", sa.Numeric(), nullable=True))
    add_named("labels", 50)
    add_constraint(
        "fk_tasks_user_id_task_lists",
        "FOREIGN KEY (user_id, list_id) REFERENCES task_lists (user_id, id) "
        "ON DELETE SET NULL (list_id)",
    )
    for name, rule in CHECKS.items():
        add_constraint(name, f"CHECK ({rule})")
    with op.get_context().autocommit_block():
        # An index build waits for old transactions, but no other statement waits for the build.
        op.execute("SET lock_timeout = 0")
        for name, index in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE {index}")
        for name in ("fk_tasks_user_id_task_lists", *CHECKS):
            op.execute(f"ALTER TABLE tasks VALIDATE CONSTRAINT {name}")
        op.execute("SET lock_timeout = '3s'")
    add_task_labels()


def add_columns() -> None:
    for name in ("list_count", "label_count"):
        count = sa.Column(name, sa.Integer(), server_default="0", nullable=False)
        op.add_column("owners", count, if_not_exists=True)
    columns = [
        sa.Column("list_id", sa.Uuid(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("due_time", sa.Time(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_time_zone", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("position", sa.Numeric(), nullable=True),
    ]
    for column in columns:
        op.add_column("tasks", column, if_not_exists=True)


def add_named(table: str, name_max_characters: int, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(collation="C"), nullable=False),
        *columns,
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            f"char_length(name) BETWEEN 1 AND {name_max_characters}", name=f"ck_{table}_name_length"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["owners.id"], name=f"fk_{table}_user_id_owners", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("user_id", "id", name=f"uq_{table}_user_id_id"),
        sa.UniqueConstraint("user_id", "folded_name", name=f"uq_{table}_user_id_folded_name"),
        sa.UniqueConstraint("user_id", "version", name=f"uq_{table}_user_id_version"),
        if_not_exists=True,
    )


def add_constraint(name: str, rule: str) -> None:
    op.execute(f"ALTER TABLE tasks DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE tasks ADD CONSTRAINT {name} {rule} NOT VALID")


def add_task_labels() -> None:
    op.create_table(
        "task_labels",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["owners.id"], name="fk_task_labels_user_id_owners", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "task_id"],
            ["tasks.user_id", "tasks.id"],
            name="fk_task_labels_user_id_tasks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "label_id"],
            ["labels.user_id", "labels.id"],
            name="fk_task_labels_user_id_labels",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_id", "label_id", name="pk_task_labels"),
    )
    op.create_index(
        "ix_task_labels_user_id_label_id", "task_labels", ["user_id", "label_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("task_labels")
    op.execute("DELETE FROM task_tombstones WHERE kind <> 'task'")
    for name in ("fk_tasks_user_id_task_lists", *CHECKS):
        op.drop_constraint(name, "tasks")
    for name in INDEXES:
        op.drop_index(name, "tasks")
    for name in (
        "position",
        "priority",
        "due_time_zone",
        "due_at",
        "due_time",
        "due_date",
        "list_id",
    ):
        op.drop_column("tasks", name)
    op.drop_table("labels")
    op.drop_table("task_lists")
    for name in ("label_count", "list_count"):
        op.drop_column("owners", name)
