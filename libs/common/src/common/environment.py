"""What a process inherits from its environment, and must not."""

import os


def forget_libpq_variables() -> None:
    """Remove `PGPORT`, `PGOPTIONS`, `PGSERVICE` and their like: a database's URL says all that may be said about it.

    libpq reads them wherever the URL is silent. Source: PostgreSQL 18, 32.15.
    """
    for name in list(os.environ):
        if name.startswith("PG"):
            del os.environ[name]
