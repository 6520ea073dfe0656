"""Idempotency keys: a statement writes once, and stores its response under the request's key."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    Interval,
    LargeBinary,
    SQLColumnExpression,
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
from sqlmodel import col

from tasks.core.projections import NOW, USER_ID, Query
from tasks.models import IdempotencyKey, Owner

KEY_RETENTION: Final = timedelta(hours=24)
"""How long a key returns its stored response."""

KEYS_PRUNED_MAX: Final = 2
"""Expired keys that a new key removes: more than are added, and few enough to be cheap."""

LOCK_TIMEOUT: Final = "2s"
"""How long a request with a key waits for a lock."""

_KEY = bindparam("idempotency_key", type_=Text)
_OPERATION = bindparam("operation_name", type_=Text)
_FINGERPRINT = bindparam("fingerprint", type_=LargeBinary)
_RETENTION = literal(KEY_RETENTION, Interval)

HAS_STORED_RESPONSE: Final = and_(
    col(IdempotencyKey.user_id) == col(Owner.id),
    col(IdempotencyKey.operation) == _OPERATION,
    col(IdempotencyKey.key) == _KEY,
    col(IdempotencyKey.created_at) > NOW - _RETENTION,
)
"""Whether the owner used this key for this operation, and the key has not expired."""

STORED_RESPONSE_COLUMNS: Final[Sequence[SQLColumnExpression[Any]]] = (
    col(IdempotencyKey.digest),
    col(IdempotencyKey.task_id).label("id"),
    col(IdempotencyKey.version),
    col(IdempotencyKey.answer).label("response"),
)

GET_STORED_RESPONSE: Final = (
    select(*STORED_RESPONSE_COLUMNS)
    .join(Owner, HAS_STORED_RESPONSE)
    .where(col(Owner.id) == USER_ID)
)
"""The response that is stored under a key; no row if there is none."""


def if_key_unused(owner: Query) -> Query:
    """Restrict the owner to requests whose key is unused, and limit the wait for locks.

    The limit ends with the statement, because the statement is the transaction.
    """
    set_lock_timeout = func.set_config("lock_timeout", LOCK_TIMEOUT, true())
    lock_timeout = select(set_lock_timeout.label("value")).cte("lock_timeout")
    return owner.join(lock_timeout, true()).where(~exists().where(HAS_STORED_RESPONSE))


def as_json_text(row: Query) -> ColumnElement[str]:
    """Return one selected row as the text of a JSON object: the body of the response."""
    json_object = func.row_to_json(row.subquery("shown").table_valued())
    return cast(select(json_object).scalar_subquery(), Text)


def store_response(written: CTE, response: ColumnElement[str]) -> CTE:
    """Store a response under the request's key, unless the key is in use.

    Args:
        written: The task or list in the response, with `user_id`, `id`, `version` and `now`.
        response: The body, from `as_json_text`.

    Returns:
        A CTE without a row if the key is in use.
    """
    values = {
        "user_id": written.c.user_id,
        "operation": _OPERATION,
        "key": _KEY,
        "digest": _FINGERPRINT,
        "task_id": written.c.id,
        "version": written.c.version,
        "answer": response,
        "created_at": written.c.now,
    }
    insertion = insert(IdempotencyKey).from_select(list(values), select(*values.values()))
    excluded = insertion.excluded
    replace_expired = insertion.on_conflict_do_update(
        index_elements=[
            col(IdempotencyKey.user_id),
            col(IdempotencyKey.operation),
            col(IdempotencyKey.key),
        ],
        set_={
            "digest": excluded.digest,
            "task_id": excluded.task_id,
            "version": excluded.version,
            "answer": excluded.answer,
            "created_at": excluded.created_at,
        },
        where=col(IdempotencyKey.created_at) <= excluded.created_at - _RETENTION,
    )
    stored = replace_expired.returning(col(IdempotencyKey.user_id), col(IdempotencyKey.created_at))
    return stored.cte("stored_response")


def delete_expired_keys(stored_response: CTE) -> Delete:
    """Delete some expired keys of the owner, but not the key that this statement stores again.

    Source: PostgreSQL, 7.8.4: of two changes of one row in one statement, only one takes place.
    """
    expires_before = select(stored_response.c.created_at - _RETENTION).scalar_subquery()
    this_key = tuple_(_OPERATION, _KEY)
    old_keys = (
        select(
            col(IdempotencyKey.user_id),
            col(IdempotencyKey.operation),
            col(IdempotencyKey.key),
            col(IdempotencyKey.created_at),
        )
        # By the parameter, not by the stored response: with that, PostgreSQL sorts all old keys.
        .where(col(IdempotencyKey.user_id) == USER_ID)
        .where(col(IdempotencyKey.created_at) <= expires_before)
        .where(tuple_(col(IdempotencyKey.operation), col(IdempotencyKey.key)) != this_key)
        .order_by(col(IdempotencyKey.created_at))
        .limit(KEYS_PRUNED_MAX)
        .cte("old_keys")
    )
    return delete(IdempotencyKey).where(
        col(IdempotencyKey.user_id) == old_keys.c.user_id,
        col(IdempotencyKey.operation) == old_keys.c.operation,
        col(IdempotencyKey.key) == old_keys.c.key,
        col(IdempotencyKey.created_at) == old_keys.c.created_at,
    )
