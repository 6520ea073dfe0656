"""Locking and erasing an owner."""

from typing import Final

from sqlalchemy import ClauseElement, Executable, delete, func, select, true
from sqlalchemy.ext.compiler import compiles
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

PLAN_ONCE: Final = select(func.set_config("plan_cache_mode", "force_generic_plan", true()))
"""Plan the checks of foreign keys between tasks for any user, and not for this one.

Where statistics know all other users, a user whom they do not know seems to have one task. Any
index that begins with the user then seems as good as the primary key, and each check reads all
tasks of the user: to link 10,000 tasks took 40 seconds instead of one.
"""


class _DiscardPlans(Executable, ClauseElement):
    """A statement of PostgreSQL that SQLAlchemy does not know."""

    inherit_cache = True


@compiles(_DiscardPlans)
def _write_discard_plans(*_: object, **__: object) -> str:
    return "DISCARD PLANS"


FORGET_PLANS: Final = _DiscardPlans()
"""Plan again what was planned when the tables were smaller."""
