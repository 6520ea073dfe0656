"""Lead the keys by the owner.

Ids stay unique among all owners, by indexes beside the keys. The service of the release before
works meanwhile, and afterwards: its statements find the same indexes under other names. A migration
that was killed continues where it was.

A downgrade locks the tables for as long as it builds the former keys. It is not needed to take a
release back.
"""

from alembic import op

from common.online_migration import OnlineMigration

revision = "e60b94d1c27f"
down_revision = "5b8f0c3e7a19"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        migration = OnlineMigration(op.get_bind())
        for table in ("tasks", "task_lists", "labels"):
            migration.build_index(f"uq_{table}_id", table, ("id",), unique=True)
        migration.build_index(
            "ix_task_labels_task_id_label_id", "task_labels", ("task_id", "label_id")
        )
        migration.replace_primary_key("tasks", ("user_id", "id"), "uq_tasks_user_id_id")
        migration.replace_primary_key("task_lists", ("user_id", "id"), "pk_task_lists_new")
        migration.replace_primary_key("labels", ("user_id", "id"), "pk_labels_new")
        migration.replace_primary_key(
            "task_labels", ("user_id", "task_id", "label_id"), "pk_task_labels_new"
        )
        migration.refer_to_primary_key(
            "tasks",
            "fk_tasks_user_id_task_lists",
            ("user_id", "list_id"),
            "task_lists",
            "SET NULL (list_id)",
        )
        migration.refer_to_primary_key(
            "task_labels",
            "fk_task_labels_user_id_labels",
            ("user_id", "label_id"),
            "labels",
            "CASCADE",
        )
        for table in ("task_lists", "labels"):
            migration.drop_constraint(table, f"uq_{table}_user_id_id")


def downgrade() -> None:
    op.drop_constraint("fk_task_labels_user_id_tasks", "task_labels")
    op.drop_constraint("fk_task_labels_user_id_labels", "task_labels")
    op.drop_constraint("fk_tasks_user_id_task_lists", "tasks")
    for table in ("tasks", "task_lists", "labels"):
        op.drop_constraint(f"pk_{table}", table)
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX uq_{table}_id"
        )
    op.create_index("uq_tasks_user_id_id", "tasks", ["user_id", "id"], unique=True)
    for table in ("task_lists", "labels"):
        op.create_unique_constraint(f"uq_{table}_user_id_id", table, ["user_id", "id"])
    op.drop_constraint("pk_task_labels", "task_labels")
    op.create_primary_key("pk_task_labels", "task_labels", ["task_id", "label_id"])
    op.drop_index("ix_task_labels_task_id_label_id", "task_labels")
    add_foreign_keys()


def add_foreign_keys() -> None:
    op.create_foreign_key(
        "fk_tasks_user_id_task_lists",
        "tasks",
        "task_lists",
        ["user_id", "list_id"],
        ["user_id", "id"],
        ondelete="SET NULL (list_id)",
    )
    for column, table in (("task_id", "tasks"), ("label_id", "labels")):
        op.create_foreign_key(
            f"fk_task_labels_user_id_{table}",
            "task_labels",
            table,
            ["user_id", column],
            ["user_id", "id"],
            ondelete="CASCADE",
        )
