"""Idempotency keys: what a statement does once, it does with the answer that is kept under the request's key."""

from datetime import timedelta
from typing import Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    Interval,
    LargeBinary,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from tasks.core.projections import KEYS, NOW, OWNERS, USER_ID, Query

KEY_RETENTION: Final = timedelta(hours=24)
"""How long the same key gets the same answer."""

KEYS_PRUNED_MAX: Final = 2
"""Keys beyond their time that a new one takes away: more than come in, and few enough not to be noticed."""

LOCK_TIMEOUT: Final = "2s"
"""How long a request with a key waits for a lock."""

_KEY = bindparam("idempotency_key", type_=Text)
_OPERATION = bindparam("operation_name", type_=Text)
_KEPT = literal(KEY_RETENTION, Interval)

HAS_STORED_RESPONSE: Final = and_(
    KEYS.c.user_id == OWNERS.c.id,
    KEYS.c.operation == _OPERATION,
    KEYS.c.key == _KEY,
    KEYS.c.created_at > NOW - _KEPT,
)
"""Whether the owner used this key for this operation, and it is not beyond its time."""

STORED_RESPONSE_COLUMNS: Final = (
    KEYS.c.digest,
    KEYS.c.task_id.label("id"),
    KEYS.c.version,
    KEYS.c.answer.label("response"),
)
"""What is kept under a key."""

GET_STORED_RESPONSE: Final = (
    select(*STORED_RESPONSE_COLUMNS).join(OWNERS, HAS_STORED_RESPONSE).where(OWNERS.c.id == USER_ID)
)
"""The answer under a key, if there is one."""


def if_key_unused(owner: Query) -> Query:
    """Find the owner only if the key is free, and do not wait for long to lock them.

    The limit of the wait ends with the statement, because the statement is the transaction.
    """
    patience = select(func.set_config("lock_timeout", LOCK_TIMEOUT, true()).label("limit")).cte(
        "patience"
    )
    return owner.join(patience, true()).where(~exists().where(HAS_STORED_RESPONSE))


def as_json_text(shown: Query) -> ColumnElement[str]:
    """Write down an answer, so that it can be given once more."""
    return cast(
        select(func.row_to_json(shown.subquery("shown").table_valued())).scalar_subquery(), Text
    )


def store_response(done: CTE, answer: ColumnElement[str]) -> CTE:
    """Take the key for what is `done`, unless it was taken and is not beyond its time."""
    values = {
        "user_id": done.c.user_id,
        "operation": _OPERATION,
        "key": _KEY,
        "digest": bindparam("fingerprint", type_=LargeBinary),
        "task_id": done.c.id,
        "version": done.c.version,
        "answer": answer,
        "created_at": done.c.now,
    }
    taken = insert(KEYS).from_select(list(values), select(*values.values()))
    renewed = taken.on_conflict_do_update(
        constraint=KEYS.primary_key,
        set_={
            name: taken.excluded[name]
            for name in ("digest", "task_id", "version", "answer", "created_at")
        },
        where=KEYS.c.created_at <= taken.excluded.created_at - _KEPT,
    )
    return renewed.returning(KEYS.c.user_id, KEYS.c.created_at).cte("claimed")


def delete_expired_keys(claimed: CTE) -> Delete:
    """Forget some keys beyond their time, but not the one that is just being taken again, or was while this waited.

    Source: PostgreSQL, 7.8.4: which of two changes of one row takes place cannot be told.
    """
    names = ("user_id", "operation", "key", "created_at")
    # By the owner's own id, and not by that of what is claimed, or all old keys would be sorted.
    old = (
        select(*(KEYS.c[name] for name in names))
        .where(
            KEYS.c.user_id == USER_ID,
            KEYS.c.created_at <= select(claimed.c.created_at - _KEPT).scalar_subquery(),
        )
        .where(tuple_(KEYS.c.operation, KEYS.c.key) != tuple_(_OPERATION, _KEY))
        .order_by(KEYS.c.created_at)
        .limit(KEYS_PRUNED_MAX)
    ).cte("old")
    return delete(KEYS).where(*(KEYS.c[name] == old.c[name] for name in names))
