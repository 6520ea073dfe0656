"""The SQL of this service, each statement built once."""

from typing import Final

from sqlalchemy import Boolean, Text, Uuid, bindparam, case, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

from common.database.schema import timestamp_json
from users.models import User

# No parameter may have a column's name: SQLAlchemy would take it for one more column to set.
_USER_ID = bindparam("user_id", type_=Uuid)
_ISSUER = bindparam("issuer", type_=Text)
_SUBJECT = bindparam("subject", type_=Text)
_EMAIL = bindparam("claimed_email", type_=Text)
_KEEPS_EMAIL = bindparam("keeps_email", type_=Boolean)
_TIME_ZONE = bindparam("chosen_time_zone", type_=Text)

_OTHER_USER = aliased(User, name="others")

USER_PROJECTION: Final = (
    col(User.id),
    col(User.email),
    col(User.time_zone),
    col(User.auth_issuer),
    col(User.auth_subject),
    timestamp_json(col(User.created_at)).label("created_at"),
    timestamp_json(col(User.updated_at)).label("updated_at"),
)
"""The columns of a profile as clients see it."""

_EMAIL_IS_TAKEN = exists().where(col(_OTHER_USER.email) == _EMAIL, col(_OTHER_USER.id) != _USER_ID)

GET_USER: Final = select(*USER_PROJECTION).where(
    col(User.id) == _USER_ID,
    col(User.auth_issuer) == _ISSUER,
    col(User.auth_subject) == _SUBJECT,
    or_(
        _KEEPS_EMAIL,
        col(User.email).is_not_distinct_from(_EMAIL),
        col(User.email).is_(None) & _EMAIL_IS_TAKEN,
    ),
)
"""The profile, unless it differs from the token and must be saved.

A profile without e-mail address does not differ if another user has the token's address.
"""

_clock = select(func.clock_timestamp().label("now")).cte("clock")
_insert = insert(User).from_select(
    ["id", "email", "time_zone", "auth_issuer", "auth_subject", "created_at", "updated_at"],
    select(
        _USER_ID,
        case((~_EMAIL_IS_TAKEN, _EMAIL)),
        func.coalesce(_TIME_ZONE, "UTC"),
        _ISSUER,
        _SUBJECT,
        _clock.c.now,
        _clock.c.now,
    ),
)
_new_email = case((_KEEPS_EMAIL, col(User.email)), else_=_insert.excluded.email)
_new_time_zone = func.coalesce(_TIME_ZONE, col(User.time_zone))
_is_changed = or_(
    col(User.email).is_distinct_from(_new_email),
    col(User.time_zone).is_distinct_from(_new_time_zone),
    col(User.auth_issuer).is_distinct_from(_insert.excluded.auth_issuer),
    col(User.auth_subject).is_distinct_from(_insert.excluded.auth_subject),
)

SAVE_USER: Final = (
    _insert.on_conflict_do_update(
        index_elements=[col(User.id)],
        set_={
            "email": _new_email,
            "time_zone": _new_time_zone,
            "auth_issuer": _insert.excluded.auth_issuer,
            "auth_subject": _insert.excluded.auth_subject,
            "updated_at": case((_is_changed, func.clock_timestamp()), else_=col(User.updated_at)),
        },
    )
    .returning(*USER_PROJECTION)
    .execution_options(not_idempotent=True)
)
"""Insert the profile, or update it from the token and the chosen time zone (null: unchanged).

1. `clock`: one moment for both times of a new profile.
2. INSERT, without the e-mail address if another user has it.
3. ON CONFLICT: update; `updated_at` only if anything changes.

Two users who claim one address at the same moment violate its uniqueness, and nothing is changed.
"""

ERASE_USER: Final = (
    delete(User)
    .where(col(User.id) == _USER_ID)
    .returning(col(User.id))
    .execution_options(not_idempotent=True)
)
"""Delete the profile if there is one."""
