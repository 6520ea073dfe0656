"""Start a new history of versions after a backup was restored."""

from typing import Final

from sqlalchemy import func, update
from sqlmodel import col

from tasks.core.projections import microseconds
from tasks.model_base import TIMESTAMPTZ
from tasks.models import Owner

# One clock reading for both columns: a second one would put `pruned_version` after `counter`.
_new_counter = func.greatest(
    col(Owner.counter) + 1, microseconds(func.statement_timestamp(type_=TIMESTAMPTZ))
)

RAISE_ALL_VERSIONS: Final = update(Owner).values(counter=_new_counter, pruned_version=_new_counter)
"""Raise the counters of all owners, so that versions given after the backup are never given again.

A sync token from before becomes 410, and an ETag of lost data becomes 412.
"""
