"""How Alembic reaches the database of this service: the way round the pooler, if there is one."""

import os
import time

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from tasks.models import METADATA

SESSION = (
    "SET statement_timeout = 0",  # the limit of the service's own statements is not ours
    "SET lock_timeout = '3s'",  # rather fail than make the service wait behind us
)
"""What holds for every migration, as long as its connection does: an index is built outside of any transaction."""

TURN = "SELECT pg_try_advisory_lock(hashtext('tasks migrations'))"
"""Asks again and again: a statement that waited for its turn would be one that the building of an index waits for."""

TURN_PAUSE_SECONDS = 0.1
"""How long a second migration waits before it asks again whether the first one is done."""


def migrate() -> None:
    url = os.environ.get("TASKS_DATABASE_URL_UNPOOLED") or os.environ.get("TASKS_DATABASE_URL")
    if not url:
        raise SystemExit("TASKS_DATABASE_URL is not set.")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        wait_for_turn(connection)
        context.configure(
            connection, target_metadata=METADATA, compare_server_default=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


def wait_for_turn(connection: Connection) -> None:
    for statement in SESSION:
        connection.execute(text(statement))
    while not connection.scalar(text(TURN)):
        connection.commit()
        time.sleep(TURN_PAUSE_SECONDS)
    connection.commit()


migrate()
