"""Which of their tasks a caller is shown."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from common.database import Row, Session, rows
from common.identity import User
from tasks.fields import PRIORITIES
from tasks.fields.names import fold
from tasks.places import Position, SortedPosition
from tasks.schemas.query import TaskQuery
from tasks.schemas.tasks import TaskRead
from tasks.statements.listing import list_tasks


class Listing(NamedTuple):
    """Tasks of one owner at one moment, the cursor behind them if there are more, and the owner's counter."""

    tasks: list[TaskRead]
    cursor: str | None
    version: int


async def find_tasks(session: Session, user: User, query: TaskQuery, seen: Sequence[str]) -> Listing:
    """Return the tasks that the caller asked for; none, if they have seen this version of the list."""
    asked, (behind, place) = dict(_asked(query)), _place(query.cursor)
    is_plain = query.order == "created_at"
    statement = list_tasks(frozenset(asked) - _ONLY_VALUES, query.order, is_plain=is_plain, behind=behind)
    one_more = query.limit and query.limit + 1
    values = {name: value for name, value in asked.items() if value is not None}
    found = await rows(session, statement, caller=user.id, seen=list(seen), limit=one_more, **values, **place)
    version = cast("int", found[0]["counter"]) if found else 0
    tasks = [task for task in found if task["id"]]
    shown = tasks[: query.limit]
    more = len(tasks) > len(shown)
    return Listing(cast("list[TaskRead]", shown), _cursor(query.order, shown[-1]) if more else None, version)


_ONLY_VALUES = frozenset({"now", "today"})


def _asked(query: TaskQuery) -> Iterator[tuple[str, object]]:
    """Give each filter that is used, with its value; some have none."""
    plain = {
        "is_completed": query.completed,
        "q": query.q,
        "due_before": query.due_before,
        "due_after": query.due_after,
    }
    yield from ((name, value) for name, value in plain.items() if value is not None)
    if "list_id" in query.model_fields_set:
        yield ("list_id", query.list_id) if query.list_id else ("in_inbox", None)
    if query.label:
        yield "labels", sorted({fold(name) for name in query.label})
    if query.priority:
        yield "priorities", [PRIORITIES.index(word) for word in query.priority]
    if query.overdue is not None:
        now = datetime.now(UTC)
        yield from {"now": now, "today": now.astimezone(ZoneInfo(query.time_zone or "UTC")).date()}.items()
        yield "overdue" if query.overdue else "not_overdue", None


def _place(cursor: Position | SortedPosition | None) -> tuple[str | None, Row]:
    """Say what is known of the last task of the page before."""
    if cursor is None:
        return None, {}
    if isinstance(cursor, Position):
        return "time", {"after_time": cursor.created_at, "after_id": cursor.id}
    if cursor.value is None:
        return "nothing", {"after_id": cursor.id}
    return "value", {"after_value": cursor.value, "after_id": cursor.id}


def _cursor(order: str, last: Row) -> str:
    task = cast("TaskRead", last)
    if order == "created_at":
        return Position(datetime.fromisoformat(task["created_at"]), task["id"]).cursor()
    return SortedPosition(order, task["id"], cast("str | None", last["value"])).cursor()
