"""Lists and labels of an import: each is found by its id, else by its name, else made. What is found stays as it is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, cast
from uuid import UUID, uuid5

from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from common.database import Row, Transaction
from common.identity import User
from common.problems import SOON, Conflict, Unprocessable
from tasks.core.quotas import LABELS_MAX, LISTS_MAX
from tasks.core.types.names import fold
from tasks.transfer.ndjson import LabelLine, ListLine, TaskLine, instant
from tasks.transfer.queries.resolve import FIND_LABELS, FIND_LISTS, MAKE_LABELS, MAKE_LISTS


class Settled(NamedTuple):
    """The ids of lists by those that they had, of labels by their folded names, and what became of their lines."""

    lists: Mapping[UUID, UUID]
    labels: Mapping[str, UUID]
    report: Mapping[str, int]


class _Named(NamedTuple):
    """What is kept of the line of a list or a label: a line may hold much that nobody needs."""

    id: UUID
    name: str
    position: Decimal | None
    created_at: datetime
    updated_at: datetime


class _Kind(NamedTuple):
    name: str
    most: int
    find: Executable
    make: Executable


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LISTS: Final = _Kind("lists", LISTS_MAX, FIND_LISTS, MAKE_LISTS)
_LABELS: Final = _Kind("labels", LABELS_MAX, FIND_LABELS, MAKE_LABELS)


class _There:
    """What is there of one kind, and what is about to be made."""

    def __init__(self, user: User, found: Sequence[Row]) -> None:
        self.user = user
        self.by_name = {
            row["folded_name"]: cast("UUID", row["id"]) for row in found if row["is_own"]
        }
        self.own = set(self.by_name.values())
        self.taken = {row["id"] for row in found if not row["is_own"]}
        self.new: list[Row] = []

    def place(self, line: _Named) -> UUID:
        """Return the id under which a line is found, or will be made."""
        other = uuid5(self.user.id, str(line.id))
        known = next(
            (each for each in (line.id, other) if each in self.own), None
        ) or self.by_name.get(fold(line.name))
        return known or self._make(other if line.id in self.taken else line.id, line.name, line)

    def name(self, name: str) -> UUID:
        """Return the id of what has a name, or will have it."""
        return self.by_name.get(fold(name)) or self._make(uuid7(), name)

    def require(self, old_id: UUID, number: int) -> UUID:
        """Return the id of what is there already, although no line is about it.

        Raises:
            Unprocessable: It is not there.
        """
        found = next(
            (each for each in (old_id, uuid5(self.user.id, str(old_id))) if each in self.own), None
        )
        if found is None:
            raise Unprocessable("list-not-found", f"Line {number} is in a list that is not there.")
        return found

    def _make(self, new_id: UUID, name: str, line: _Named | None = None) -> UUID:
        times = {each: line and getattr(line, each) for each in ("created_at", "updated_at")}
        place = line and line.position
        self.new.append(
            {"id": new_id, "name": name, "folded_name": fold(name), "position": place, **times}
        )
        self.own.add(new_id)
        self.by_name[fold(name)] = new_id
        return new_id


class Namesakes:
    """Gathers the lists and labels that the lines of an import are about and name, and settles what they are here."""

    def __init__(self) -> None:
        self.lists: dict[UUID, _Named] = {}
        self.labels: dict[UUID, _Named] = {}
        self.names: dict[str, str] = {}
        self.list_ids: dict[UUID, int] = {}

    def add(self, number: int, line: TaskLine | ListLine | LabelLine) -> None:
        """Remember a list or a label, or those that a task names.

        Raises:
            Unprocessable: They are more than one user may have.
        """
        if isinstance(line, TaskLine):
            for name in line.labels:
                self.names.setdefault(fold(name), name)
            if line.list_id:
                self.list_ids.setdefault(line.list_id, number)
        elif isinstance(line, ListLine):
            self.lists[line.id] = _named(line, line.position)
        else:
            self.labels[line.id] = _named(line, None)
        _require_room(_LISTS, max(len(self.lists), len(self.list_ids)))
        _require_room(_LABELS, max(len(self.labels), len(self.names)))

    async def settle(self, transaction: Transaction, user: User) -> "Settled":
        """Find them among what the owner has, and make those that are not there.

        Raises:
            Unprocessable: The owner would have more than one user may have, or a task is in a list that is not there.
            Conflict: Somebody else took one of the ids at the same moment.
        """
        lists = await _look(transaction, user, _LISTS, self.lists.keys() | self.list_ids.keys())
        places = [lists.place(line) for line in self.lists.values()]
        list_ids = dict(zip(self.lists, places, strict=True))
        list_ids |= {
            each: lists.require(each, number)
            for each, number in self.list_ids.items()
            if each not in list_ids
        }
        await _make(transaction, user, _LISTS, lists.new)
        # Only now, because a label cannot have the id of a list that has just been made.
        labels = await _look(transaction, user, _LABELS, self.labels.keys())
        named = [labels.place(line) for line in self.labels.values()]
        report = _report(
            [*self.lists, *self.labels], [*places, *named], made=len(lists.new) + len(labels.new)
        )
        names = {
            fold(line.name): each for line, each in zip(self.labels.values(), named, strict=True)
        }
        names |= {
            folded: labels.name(name) for folded, name in self.names.items() if folded not in names
        }
        await _make(transaction, user, _LABELS, labels.new)
        return Settled(list_ids, names, report)


def _named(line: ListLine | LabelLine, position: str | None) -> _Named:
    created_at = instant(line.created_at)
    return _Named(
        line.id, line.name, order_key(position, created_at), created_at, instant(line.updated_at)
    )


async def _look(transaction: Transaction, user: User, kind: _Kind, ids: Iterable[UUID]) -> _There:
    both = [each for old_id in ids for each in (old_id, uuid5(user.id, str(old_id)))]
    return _There(user, await transaction.fetch_all(kind.find, current_user_id=user.id, ids=both))


async def _make(transaction: Transaction, user: User, kind: _Kind, new: Sequence[Row]) -> None:
    if not new:
        return
    columns = {f"{name}s": [row[name] for row in new] for name in new[0]}
    [made] = await transaction.fetch_all(kind.make, current_user_id=user.id, **columns)
    _require_room(kind, made["held"])
    if made["made"] < len(new):
        raise Conflict(
            "id-taken",
            "Somebody else took an id at this moment; send all of it again.",
            headers=SOON,
        )


def _require_room(kind: _Kind, number: int) -> None:
    if number > kind.most:
        raise Unprocessable("quota-exceeded", f"One user may have {kind.most} {kind.name} at most.")


def _report(old: Sequence[UUID], new: Sequence[UUID], *, made: int) -> Mapping[str, int]:
    renumbered = sum(before != after for before, after in zip(old, new, strict=True))
    return {"created": made, "updated": 0, "unchanged": len(old) - made, "renumbered": renumbered}


def order_key(position: str | None, created_at: datetime) -> Decimal | None:
    """Return the position to store, which is none if it says no more than when something was made."""
    place = None if position is None else Decimal(position)
    return None if place == (created_at - _EPOCH) // timedelta(microseconds=1) else place
