"""How Alembic reaches the database of this service."""

from alembic import context

from common.migrations import finish_migration, is_ahead, migration_connection
from tasks.models import METADATA
from tasks.revisions import RELEASE


def migrate() -> None:
    with migration_connection(RELEASE) as connection:
        if is_going_to(RELEASE.revisions[-1]) and is_ahead(connection, RELEASE):
            return
        context.configure(
            connection,
            target_metadata=METADATA,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if is_going_to(*RELEASE.revisions, None):
            finish_migration(connection, RELEASE)


def is_going_to(*revisions: str | None) -> bool:
    """Tell whether an upgrade or downgrade to one of the revisions runs.

    It is False for commands that change nothing, such as a comparison.
    """
    try:
        return context.get_revision_argument() in revisions
    except KeyError:
        return False


migrate()
