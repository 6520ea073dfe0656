"""How Alembic reaches the database of this service: the way round the pooler, if there is one."""

import os

from alembic import context
from sqlalchemy import NullPool, create_engine, make_url, text

from users.models import METADATA

SESSION = (
    "SET LOCAL statement_timeout = 0",  # the limit of the service's own statements is not ours
    "SELECT pg_advisory_xact_lock(hashtext('users migrations'))",  # a second migration waits until this one is done
    "SET LOCAL lock_timeout = '3s'",  # rather fail than make the service wait behind us
)
"""What holds for every migration, in this order."""


def migrate() -> None:
    url = os.environ.get("USERS_DATABASE_URL_UNPOOLED") or os.environ.get("USERS_DATABASE_URL")
    if not url:
        raise SystemExit("USERS_DATABASE_URL is not set.")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection, target_metadata=METADATA, compare_server_default=True)
        with context.begin_transaction():
            for statement in SESSION:
                connection.execute(text(statement))
            context.run_migrations()


migrate()
