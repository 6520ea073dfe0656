"""What a restored backup needs before it is served."""

from typing import Final

from sqlalchemy import func, update

from tasks.core.projections import OWNERS, microseconds
from tasks.models import TIMESTAMPTZ

# One moment for both columns: a clock that is read twice would make the past begin after the present.
_raised = func.greatest(
    OWNERS.c.counter + 1, microseconds(func.statement_timestamp(type_=TIMESTAMPTZ))
)

RAISE_ALL_VERSIONS: Final = update(OWNERS).values(counter=_raised, pruned_version=_raised)
"""Begin another history for all owners: versions that were given after the backup was made never come again.

So a `since` of before is 410, and a tag of what the backup does not have is 412.
"""
