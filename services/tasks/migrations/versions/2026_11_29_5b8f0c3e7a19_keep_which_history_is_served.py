"""Keep which history of the database is served.

A restored dump that is older than this revision is not detected: run `make restored` after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "5b8f0c3e7a19"
down_revision = "d3b51a7c60f8"
branch_labels = None
depends_on = None

SERVE_THIS = """
INSERT INTO served_history (id, place, written_by)
SELECT 1, concat_ws(
    '/',
    (SELECT system_identifier FROM pg_control_system()),
    left(pg_walfile_name(pg_current_wal_lsn()), 8),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    nullif(current_setting('neon.timeline_id', true), '')
), pg_current_xact_id()::xid::text
"""


def upgrade() -> None:
    op.create_table(
        "served_history",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_served_history_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_served_history"),
    )
    op.execute(SERVE_THIS)


def downgrade() -> None:
    op.drop_table("served_history")
