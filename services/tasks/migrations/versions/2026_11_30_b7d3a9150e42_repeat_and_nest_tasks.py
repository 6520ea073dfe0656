"""Let tasks repeat, and have subtasks.

The service of the release before works meanwhile, and afterwards: it neither reads nor writes the
new columns. A migration that was killed continues where it was.
"""

from alembic import op
from psycopg import sql

from common.online_migration import OnlineMigration

revision = "b7d3a9150e42"
down_revision = "e60b94d1c27f"
branch_labels = None
depends_on = None

COLUMNS = {
    "recurrence_rule": "TEXT",
    "recurrence_from": "TEXT",
    "previous_id": "UUID",
    "parent_id": "UUID",
    "made_version": "BIGINT",
    "made_subtask_count": "SMALLINT",
}

STAGED_COLUMNS = {
    "recurrence_rule": "TEXT",
    "recurrence_from": "TEXT",
    "previous_id": "UUID",
    "parent_id": "UUID",
    "own_previous_id": "UUID",
    "own_parent_id": "UUID",
    "has_list": "BOOLEAN",
}

CHECKS = {
    "ck_tasks_recurrence": (
        "(recurrence_rule IS NULL) = (recurrence_from IS NULL) "
        "AND recurrence_from IN ('due', 'completion')"
    ),
    "ck_tasks_recurrence_rule_length": "char_length(recurrence_rule) <= 200",
    "ck_tasks_parent": "parent_id <> id",
}

LINKED_TABLES = ("tasks", "task_labels")
"""Where statistics know few users, one whom they do not know seems to have one row.

Any index that begins with the user then seems as good as the one that finds the row, and each check
of a foreign key reads all rows of the user: to delete 10,000 tasks took eight seconds instead of
0.3. Without statistics a user seems to have a share of the rows.
"""

PLACE = "(COALESCE(position, EXTRACT(epoch FROM timezone('UTC', created_at)) * 1000000))"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        migration = OnlineMigration(op.get_bind())
        migration.add_columns("tasks", COLUMNS)
        migration.add_columns("staged_tasks", STAGED_COLUMNS)
        for name, rule in CHECKS.items():
            migration.add_check("tasks", name, rule)
        migration.build_index(
            "ix_tasks_user_id_parent_id_place",
            "tasks",
            ("user_id", "parent_id", sql.SQL(PLACE), "id"),
            where="parent_id IS NOT NULL",
        )
        migration.build_index(
            "ix_tasks_user_id_previous_id",
            "tasks",
            ("user_id", "previous_id"),
            where="previous_id IS NOT NULL",
        )
        for column in ("parent_id", "previous_id"):
            migration.refer_to_primary_key(
                "tasks",
                f"fk_tasks_{column}_tasks",
                ("user_id", column),
                "tasks",
                f"SET NULL ({column})",
            )
        for table in LINKED_TABLES:
            migration.keep_no_statistics(table, "user_id")


def downgrade() -> None:
    for table in LINKED_TABLES:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN user_id SET STATISTICS DEFAULT")
    for column in ("previous_id", "parent_id"):
        op.drop_constraint(f"fk_tasks_{column}_tasks", "tasks")
    op.drop_index("ix_tasks_user_id_previous_id", "tasks")
    op.drop_index("ix_tasks_user_id_parent_id_place", "tasks")
    for name in reversed(CHECKS):
        op.drop_constraint(name, "tasks")
    for name in reversed(STAGED_COLUMNS):
        op.drop_column("staged_tasks", name)
    for name in reversed(COLUMNS):
        op.drop_column("tasks", name)
