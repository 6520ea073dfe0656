"""Locking and erasing an owner."""

from typing import Final

from sqlalchemy import delete, func, select, true
from sqlmodel import col

from tasks.core.projections import USER_ID
from tasks.models import Owner

LOCK_OWNER: Final = (
    select(col(Owner.id)).where(col(Owner.id) == USER_ID).with_for_update(key_share=True)
)
"""Lock the owner until the end of the transaction, so that no other request writes for it.

No row if the owner is unknown. FOR NO KEY UPDATE lets other statements check foreign keys to the
owner, as staging does.
"""

ERASE_OWNER: Final = (
    delete(Owner)
    .where(col(Owner.id) == USER_ID)
    .returning(col(Owner.id))
    .execution_options(not_idempotent=True)
)
"""Delete an owner and, by the foreign keys, all of its rows."""

PLAN_EACH_TIME: Final = select(func.set_config("plan_cache_mode", "force_custom_plan", true()))
"""Plan every statement of the transaction for the rows that there are now.

The tables grow while an import is merged, and a plan that PostgreSQL has kept from before may read
all of them for each staged task: the second 5,000 tasks took 12 seconds instead of two.
"""
