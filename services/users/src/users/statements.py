"""Every statement there is, each built once."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Text,
    Uuid,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from users.models import METADATA

_users = METADATA.tables["users"]
_others = _users.alias("others")

# No value may have a column's name: SQLAlchemy would take it for one more column to set.
_CALLER = bindparam("caller", type_=Uuid)
_ISSUER = bindparam("issuer", type_=Text)
_SUBJECT = bindparam("subject", type_=Text)
_EMAIL = bindparam("claimed_email", type_=Text)
_KEEPS_EMAIL = bindparam("keeps_email", type_=Boolean)
_TIME_ZONE = bindparam("chosen_time_zone", type_=Text)
_NOW = func.clock_timestamp()


def _wire_time(time: ColumnElement[datetime]) -> ColumnElement[str]:
    """Write a time as it goes over the wire: RFC 3339, UTC, `Z`, microseconds."""
    return func.to_char(func.timezone("UTC", time), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=Text)


USER_COLUMNS: Final = (
    *(_users.c[name] for name in ("id", "email", "time_zone", "auth_issuer", "auth_subject")),
    *(_wire_time(_users.c[name]).label(name) for name in ("created_at", "updated_at")),
)
"""A profile as it goes over the wire."""

_is_taken = exists().where(_others.c.email == _EMAIL, _others.c.id != _CALLER)

GET_USER: Final = select(*USER_COLUMNS).where(
    _users.c.id == _CALLER,
    _users.c.auth_issuer == _ISSUER,
    _users.c.auth_subject == _SUBJECT,
    _KEEPS_EMAIL
    | _users.c.email.is_not_distinct_from(_EMAIL)
    | (_users.c.email.is_(None) & _is_taken),
)
"""The profile, if it says all that the token says; an address that somebody else has need not be in it."""

_clock = select(_NOW.label("now")).cte("clock")
_insert = insert(_users).from_select(
    ["id", "email", "time_zone", "auth_issuer", "auth_subject", "created_at", "updated_at"],
    select(
        _CALLER,
        case((~_is_taken, _EMAIL)),
        func.coalesce(_TIME_ZONE, "UTC"),
        _ISSUER,
        _SUBJECT,
        _clock.c.now,
        _clock.c.now,
    ),
)
_told = {
    _users.c.email: case((_KEEPS_EMAIL, _users.c.email), else_=_insert.excluded.email),
    _users.c.time_zone: func.coalesce(_TIME_ZONE, _users.c.time_zone),
    _users.c.auth_issuer: _insert.excluded.auth_issuer,
    _users.c.auth_subject: _insert.excluded.auth_subject,
}
_is_changed = or_(*(column.is_distinct_from(value) for column, value in _told.items()))

SAVE_USER: Final = (
    _insert.on_conflict_do_update(
        index_elements=[_users.c.id],
        set_={**_told, _users.c.updated_at: case((_is_changed, _NOW), else_=_users.c.updated_at)},
    )
    .returning(*USER_COLUMNS)
    .execution_options(not_idempotent=True)
)
"""Make the profile, or let it follow the token and the time zone that was chosen (null: as it is).

Two who claim one address at the same moment break its uniqueness; the statement then changes nothing.
"""

ERASE_USER: Final = (
    delete(_users)
    .where(_users.c.id == _CALLER)
    .returning(_users.c.id)
    .execution_options(not_idempotent=True)
)
"""Forget a profile, if there is one."""
