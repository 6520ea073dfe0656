"""Environment variables that a process must not inherit."""

import os


def forget_libpq_variables() -> None:
    """Remove `PGPORT`, `PGOPTIONS`, `PGSERVICE` and all other variables of libpq.

    They would set what the database URL leaves open. Source: PostgreSQL 18, 32.15.
    """
    for name in list(os.environ):
        if name.startswith("PG"):
            del os.environ[name]
