"""Environment variables that a process must not inherit."""

import os


def forget_libpq_variables() -> None:
    """Remove `PGPORT`, `PGOPTIONS`, `PGSERVICE` and all others of libpq.

    libpq reads them where the database URL has no value, but the URL alone shall determine it. Source: PostgreSQL 18, 32.15.
    """
    for name in list(os.environ):
        if name.startswith("PG"):
            del os.environ[name]
