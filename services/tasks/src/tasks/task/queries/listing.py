"""Listing tasks: which ones, in which order, and from where on."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

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

from tasks.core.owners import NOT_MODIFIED_SINCE
from tasks.core.projections import (
    LABELS,
    OWNERS,
    TASK_LABELS,
    TASKS,
    USER_ID,
    position_json,
    time_json,
)
from tasks.models import TIMESTAMPTZ, sort_position
from tasks.task.projection import TASK_PROJECTION

STATEMENTS_KEPT: Final = 256
"""Combinations of filters and orders that are built once and kept, the ones in use."""

_LABELS = bindparam("labels", type_=ARRAY(Text))
_NOW, _TODAY = bindparam("now", type_=TIMESTAMPTZ), bindparam("today", type_=Date)


_DIAERESES: Final = {"\u03b9\u0308": "\u03ca", "\u03c5\u0308": "\u03cb"}
"""Greek iota and upsilon with a diaeresis, in two characters and in one.

Case folding leaves either of them: U+0390 becomes three characters, and its capital, U+03AA U+0301, two. To normalize
all texts instead would cost 20 times as much as to fold them.
"""


def _casefold(text: ColumnElement[str]) -> ColumnElement[str]:
    """Take the difference of case out of a text, by the rule that `fields.names.fold` has for names.

    Source: Unicode, 5.18, full case folding.
    """
    return func.casefold(text.collate("pg_unicode_fast"), type_=Text)


def _compose(folded: ColumnElement[str]) -> ColumnElement[str]:
    for pair, composed in _DIAERESES.items():
        folded = func.replace(folded, _constant(pair), _constant(composed), type_=Text)
    return folded


def _holds_text() -> ColumnElement[bool]:
    """Find a text that is folded once, and not for each task; composing is for those who search for such letters."""
    q = _casefold(bindparam("q", type_=Text))
    wanted = select(_compose(q)).scalar_subquery()
    has_diaeresis = or_(
        *(func.strpos(_compose(q), _constant(letter)) > 0 for letter in _DIAERESES.values())
    )
    is_composed = select(has_diaeresis).scalar_subquery()
    texts = [_casefold(TASKS.c.title), _casefold(TASKS.c.description)]
    compared = [case((is_composed, _compose(text)), else_=text) for text in texts]
    return or_(*(func.strpos(text, wanted) > 0 for text in compared))


def _constant(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'", Text)


def _has_labels() -> ColumnElement[bool]:
    """Find the tasks of each label by an index, rather than the labels of each task."""
    return TASKS.c.id.in_(
        select(TASK_LABELS.c.task_id)
        .join(
            LABELS,
            and_(LABELS.c.user_id == TASK_LABELS.c.user_id, LABELS.c.id == TASK_LABELS.c.label_id),
        )
        .where(LABELS.c.user_id == USER_ID, LABELS.c.folded_name == any_(_LABELS))
        .group_by(TASK_LABELS.c.task_id)
        .having(func.count() == func.cardinality(_LABELS))
    )


def _is_overdue() -> ColumnElement[bool]:
    """Tell whether a task should have been done; its own day can be two days further than the caller's."""
    return and_(
        ~TASKS.c.is_completed,
        TASKS.c.due_date <= _TODAY + 2,
        case((TASKS.c.due_at.is_not(None), TASKS.c.due_at < _NOW), else_=TASKS.c.due_date < _TODAY),
    )


FILTERS: Final[dict[str, Callable[[], ColumnElement[bool]]]] = {
    "is_completed": lambda: TASKS.c.is_completed == bindparam("is_completed", type_=Boolean),
    "q": _holds_text,
    "list_id": lambda: TASKS.c.list_id == bindparam("list_id", type_=Uuid),
    "in_inbox": lambda: TASKS.c.list_id.is_(None),
    "labels": _has_labels,
    "priorities": lambda: (
        TASKS.c.priority == any_(bindparam("priorities", type_=ARRAY(SmallInteger)))
    ),
    "due_before": lambda: TASKS.c.due_date < bindparam("due_before", type_=Date),
    "due_after": lambda: TASKS.c.due_date > bindparam("due_after", type_=Date),
    "overdue": _is_overdue,
    "not_overdue": lambda: _is_overdue().is_not(true()),
}
"""What can be asked of a task, each by the name of its value."""

_DUE = func.to_char(TASKS.c.due_date, "YYYY-MM-DD").concat(
    func.coalesce(time_json(TASKS.c.due_at), "")
)

ORDERS: Final[dict[str, tuple[ColumnElement[Any], ColumnElement[str]]]] = {
    "created_at": (TASKS.c.created_at, time_json(TASKS.c.created_at)),
    "updated_at": (TASKS.c.updated_at, time_json(TASKS.c.updated_at)),
    "title": (_casefold(TASKS.c.title).collate("C"), _casefold(TASKS.c.title)),
    "due": (_DUE.collate("C"), _DUE),
    "priority": (TASKS.c.priority, cast(TASKS.c.priority, Text)),
    "position": (sort_position(TASKS.c), position_json(TASKS.c)),
    "is_completed": (TASKS.c.is_completed, cast(TASKS.c.is_completed, Text)),
}
"""What tasks can be sorted by, and a text for it that sorts alike."""


@lru_cache(maxsize=STATEMENTS_KEPT)
def list_tasks(
    filters: frozenset[str], sort: str, *, is_plain: bool, behind: str | None = None
) -> Executable:
    """Build the list once for each combination; without a `limit` (null) it has no end.

    `behind` says what is known of the last task of the page before: its `time` in the plain list, else the `value` that
    it is sorted by, or that it has `nothing`. Each row also has the owner's `counter`, and but for the plain list the
    value as a text. A list that is empty, or of which the counter was `seen`, is one row without a task; no row when
    the owner is unknown.
    """
    key, text = ORDERS[sort.removeprefix("-")]
    shown = TASK_PROJECTION if is_plain else [*TASK_PROJECTION, text.label("value")]
    found = select(*shown).where(
        TASKS.c.user_id == OWNERS.c.id,
        NOT_MODIFIED_SINCE,
        *(FILTERS[name]() for name in sorted(filters)),
    )
    if behind:
        found = found.where(_is_behind(sort, behind))
    first = key.desc() if sort.startswith("-") else key
    # That the inbox has no list makes the planner use the index only if it is said here, too.
    inbox = [TASKS.c.list_id] if "in_inbox" in filters and sort == "position" else []
    ordered = found.order_by(
        *inbox, first.nulls_last() if sort.endswith("due") else first, TASKS.c.id
    )
    # One owner joined with an ordered list keeps its order: to sort once more would read all before the first row.
    listed = ordered.limit(bindparam("limit", type_=Integer)).correlate(OWNERS).lateral("listed")
    return (
        select(OWNERS.c.counter, listed)
        .join(listed, true(), isouter=True)
        .where(OWNERS.c.id == USER_ID)
    )


def _is_behind(sort: str, what: str) -> ColumnElement[bool]:
    last_id = bindparam("after_id", type_=Uuid)
    if what == "time":
        return tuple_(TASKS.c.created_at, TASKS.c.id) > tuple_(
            bindparam("after_time", type_=TIMESTAMPTZ), last_id
        )
    key, text = ORDERS[sort.removeprefix("-")]
    if what == "nothing":
        return and_(text.is_(None), TASKS.c.id > last_id)
    last = bindparam("after_value", type_=Text)
    if sort == "position":
        return tuple_(key, TASKS.c.id) > tuple_(cast(last, Numeric), last_id)
    place = text.collate("C")
    beyond = place < last if sort.startswith("-") else place > last
    return or_(beyond, and_(place == last, TASKS.c.id > last_id), text.is_(None))
