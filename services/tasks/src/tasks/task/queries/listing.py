"""Listing tasks: filters, orders, and where a page starts."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Executable,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from tasks.core.owners import NOT_MODIFIED_SINCE
from tasks.core.pagination import CreatedAtCursor, NullSortCursor, SortCursor
from tasks.core.projections import USER_ID, position_text, time_text
from tasks.model_base import TIMESTAMPTZ, columns_of, sort_position
from tasks.models import Label, Owner, Task, TaskLabel
from tasks.task.projection import TASK_PROJECTION

_task = columns_of(Task)

STATEMENTS_CACHED_MAX: Final = 256
"""Statements that are kept, each for one combination of filters, order and kind of cursor."""

CursorType: TypeAlias = type[CreatedAtCursor] | type[SortCursor] | type[NullSortCursor]

_IS_COMPLETED = bindparam("is_completed", type_=Boolean)
_SEARCH_TEXT = bindparam("q", type_=Text)
_LIST_ID = bindparam("list_id", type_=Uuid)
_FOLDED_LABELS = bindparam("labels", type_=ARRAY(Text))
_PRIORITIES = bindparam("priorities", type_=ARRAY(SmallInteger))
_DUE_BEFORE = bindparam("due_before", type_=Date)
_DUE_AFTER = bindparam("due_after", type_=Date)
_PARENT_ID = bindparam("parent_id", type_=Uuid)
_NOW = bindparam("now", type_=TIMESTAMPTZ)
_TODAY = bindparam("today", type_=Date)
_AFTER_CREATED_AT = bindparam("after_created_at", type_=TIMESTAMPTZ)
_AFTER_VALUE = bindparam("after_value", type_=Text)
_AFTER_ID = bindparam("after_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=Integer)

_DIAERESES: Final = {"\u03b9\u0308": "\u03ca", "\u03c5\u0308": "\u03cb"}
"""Greek iota and upsilon with a diaeresis, as two characters and as one.

Case folding returns either form: U+0390 becomes three characters, and its capital, U+03AA U+0301,
becomes two. To normalize all texts instead would cost 20 times as much as to fold them.
"""


def _constant(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'", Text)


def _casefold(text: ColumnElement[str]) -> ColumnElement[str]:
    """Fold the case of a text in the database, as `core.types.names.fold` does for names.

    Source: Unicode, 5.18, full case folding.
    """
    return func.casefold(text.collate("pg_unicode_fast"), type_=Text)


def _compose(folded: ColumnElement[str]) -> ColumnElement[str]:
    """Replace the diaereses of two characters by those of one."""
    composed = folded
    for pair, character in _DIAERESES.items():
        composed = func.replace(composed, _constant(pair), _constant(character), type_=Text)
    return composed


def _contains_search_text() -> ColumnElement[bool]:
    """Search title and description.

    The search text is folded once, in a subquery, and not for each task. Texts are composed only if
    the search text has one of the characters that need it.
    """
    search_text = _compose(_casefold(_SEARCH_TEXT))
    needle = select(search_text).scalar_subquery()
    has_diaeresis = [
        func.strpos(search_text, _constant(character)) > 0 for character in _DIAERESES.values()
    ]
    is_composed = select(or_(*has_diaeresis)).scalar_subquery()
    matches: list[ColumnElement[bool]] = []
    for column in (_task["title"], _task["description"]):
        folded = _casefold(column)
        haystack = case((is_composed, _compose(folded)), else_=folded)
        matches.append(func.strpos(haystack, needle) > 0)
    return or_(*matches)


def _has_all_labels() -> ColumnElement[bool]:
    """Find the tasks of each label by an index, instead of the labels of each task."""
    is_label = and_(
        col(Label.user_id) == col(TaskLabel.user_id), col(Label.id) == col(TaskLabel.label_id)
    )
    task_ids = (
        select(col(TaskLabel.task_id))
        .join(Label, is_label)
        .where(col(Label.user_id) == USER_ID, col(Label.folded_name) == any_(_FOLDED_LABELS))
        .group_by(col(TaskLabel.task_id))
        .having(func.count() == func.cardinality(_FOLDED_LABELS))
    )
    return col(Task.id).in_(task_ids)


def _is_overdue() -> ColumnElement[bool]:
    """Compare the due instant with now, or the due date of an all-day task with the user's today.

    The condition on `due_date` lets the planner use its index: the date of an instant in its own
    time zone is at most two days after the date in the user's.
    """
    is_past = case(
        (col(Task.due_at).is_not(None), col(Task.due_at) < _NOW),
        else_=col(Task.due_date) < _TODAY,
    )
    return and_(~col(Task.is_completed), col(Task.due_date) <= _TODAY + 2, is_past)


FILTERS: Final[dict[str, ColumnElement[bool]]] = {
    "is_completed": col(Task.is_completed) == _IS_COMPLETED,
    "q": _contains_search_text(),
    "list_id": col(Task.list_id) == _LIST_ID,
    "in_inbox": col(Task.list_id).is_(None),
    "labels": _has_all_labels(),
    "priorities": col(Task.priority) == any_(_PRIORITIES),
    "due_before": col(Task.due_date) < _DUE_BEFORE,
    "due_after": col(Task.due_date) > _DUE_AFTER,
    "overdue": _is_overdue(),
    "not_overdue": _is_overdue().is_not(true()),
    "parent_id": col(Task.parent_id) == _PARENT_ID,
    "with_parent": col(Task.parent_id).is_not(None),
    "without_parent": col(Task.parent_id).is_(None),
}
"""The filters of a list, each by the name of its parameter if it has one."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a list is sorted by.

    Attributes:
        column: The expression of ORDER BY.
        text: The same value as a text that sorts alike: the value of a cursor.
        is_nullable: Whether tasks may have no value.
    """

    column: ColumnElement[Any]
    text: ColumnElement[str]
    is_nullable: bool = False


_DUE_TEXT = func.to_char(_task["due_date"], "YYYY-MM-DD").concat(
    func.coalesce(time_text(_task["due_at"]), "")
)
_TITLE_TEXT = _casefold(_task["title"])

SORT_KEYS: Final[dict[str, SortKey]] = {
    "created_at": SortKey(_task["created_at"], time_text(_task["created_at"])),
    "updated_at": SortKey(_task["updated_at"], time_text(_task["updated_at"])),
    "title": SortKey(_TITLE_TEXT.collate("C"), _TITLE_TEXT),
    "due": SortKey(_DUE_TEXT.collate("C"), _DUE_TEXT, is_nullable=True),
    "priority": SortKey(_task["priority"], cast(_task["priority"], Text)),
    "position": SortKey(sort_position(_task), position_text(_task)),
    "is_completed": SortKey(_task["is_completed"], cast(_task["is_completed"], Text)),
}
"""What tasks can be sorted by."""


@lru_cache(maxsize=STATEMENTS_CACHED_MAX)
def list_tasks(filters: frozenset[str], sort: str, after: CursorType | None = None) -> Executable:
    """List the tasks of one user; built once for each combination.

    Each row has the owner's `counter`, and unless the sort is `created_at` the task's sort `value`
    as a text. There is one row without a task if no task matches, or if the counter is one of
    `if_none_match`; no row if the owner is unknown. A `limit` that is NULL is none.

    Args:
        filters: Names of `FILTERS`; all must match.
        sort: A name of `SORT_KEYS`, with `-` before it for the descending order.
        after: The kind of cursor whose task comes before the first one; None for the first page.
    """
    columns = list(TASK_PROJECTION)
    if sort != "created_at":
        columns.append(_sort_key(sort).text.label("value"))
    page = select(*columns).where(col(Task.user_id) == col(Owner.id), NOT_MODIFIED_SINCE)
    for name in sorted(filters):
        page = page.where(FILTERS[name])
    if after is not None:
        page = page.where(_is_after(sort, after))
    if "in_inbox" in filters and sort == "position":
        # Constant, but without it the planner does not see that the index has this order.
        page = page.order_by(col(Task.list_id))
    page = page.order_by(_order(sort), col(Task.id)).limit(_LIMIT)
    # Joined with one owner, the ordered tasks keep their order. ORDER BY in the outer query would
    # read all tasks before the first row is returned.
    listed = page.correlate(Owner).lateral("listed")
    return (
        select(col(Owner.counter), listed)
        .join(listed, true(), isouter=True)
        .where(col(Owner.id) == USER_ID)
    )


def _sort_key(sort: str) -> SortKey:
    return SORT_KEYS[sort.removeprefix("-")]


def _is_descending(sort: str) -> bool:
    return sort.startswith("-")


def _order(sort: str) -> ColumnElement[Any]:
    """Tasks without a value come last in both directions."""
    key = _sort_key(sort)
    column = key.column.desc() if _is_descending(sort) else key.column
    if key.is_nullable:
        return column.nulls_last()
    return column


def _is_after(sort: str, cursor: CursorType) -> ColumnElement[bool]:
    """Compare a task with the last one of the page before."""
    if cursor is CreatedAtCursor:
        own_key = tuple_(col(Task.created_at), col(Task.id))
        return own_key > tuple_(_AFTER_CREATED_AT, _AFTER_ID)
    key = _sort_key(sort)
    if cursor is NullSortCursor:
        return and_(key.text.is_(None), col(Task.id) > _AFTER_ID)
    if sort == "position":
        # As one row comparison, which the index answers.
        own_key = tuple_(key.column, col(Task.id))
        return own_key > tuple_(cast(_AFTER_VALUE, Numeric), _AFTER_ID)
    text = key.text.collate("C")
    is_beyond = text < _AFTER_VALUE if _is_descending(sort) else text > _AFTER_VALUE
    is_same_value = text == _AFTER_VALUE
    return or_(
        is_beyond,
        and_(is_same_value, col(Task.id) > _AFTER_ID),
        key.text.is_(None),
    )
