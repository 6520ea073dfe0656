"""Keep idempotency keys, and how much of an owner's past is pruned."""

import sqlalchemy as sa
from alembic import op

revision = "a41c09e7d352"
down_revision = "f30362ae1a1a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "owners", sa.Column("pruned_version", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["owners.id"],
            name="fk_idempotency_keys_user_id_owners",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "operation", "key", name="pk_idempotency_keys"),
    )
    op.create_index(
        "ix_idempotency_keys_user_id_created_at",
        "idempotency_keys",
        ["user_id", "created_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_column("owners", "pruned_version")
