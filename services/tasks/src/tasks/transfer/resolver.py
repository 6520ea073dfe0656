"""Resolves the lists and labels of an import to ids of the owner.

A list or label of a file is found by its id, else by its name, else it is inserted. One that is
found stays as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, cast
from uuid import UUID, uuid5

from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from common.database import Row, Transaction
from common.identity import User
from common.problems import Unprocessable
from tasks.core.quotas import LABELS_MAX, LISTS_MAX
from tasks.core.types.names import fold
from tasks.transfer.errors import id_taken, quota_exceeded
from tasks.transfer.ndjson import (
    AnyRecord,
    LabelRecord,
    ListRecord,
    TaskRecord,
    parse_time,
    stored_position,
)
from tasks.transfer.queries.resolve import FIND_LABELS, FIND_LISTS, INSERT_LABELS, INSERT_LISTS
from tasks.transfer.schemas import ImportReport


@dataclass(frozen=True)
class ResolvedIds:
    """The ids that the lists and labels of a file have here.

    Attributes:
        list_ids: By the id in the file.
        label_ids: By the folded name.
        report: What became of the list and label records.
    """

    list_ids: Mapping[UUID, UUID]
    label_ids: Mapping[str, UUID]
    report: ImportReport


def replacement_id(user: User, file_id: UUID) -> UUID:
    """Return the id for something whose id in the file is unavailable. Equal in every import."""
    return uuid5(user.id, str(file_id))


@dataclass(frozen=True, slots=True)
class _NamedRecord:
    """What is needed of a list or label record; the record itself can be large.

    A label that only a task names has no times.
    """

    id: UUID
    name: str
    position: Decimal | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


def _named_record(record: ListRecord | LabelRecord) -> _NamedRecord:
    created_at = parse_time(record.created_at)
    position = None
    if isinstance(record, ListRecord):
        position = stored_position(record.position, created_at)
    return _NamedRecord(record.id, record.name, position, created_at, parse_time(record.updated_at))


@dataclass
class _NewRows:
    """Lists or labels to insert, one array for each column.

    A row without times gets those of the insertion.
    """

    ids: list[UUID] = field(default_factory=list[UUID])
    names: list[str] = field(default_factory=list[str])
    folded_names: list[str] = field(default_factory=list[str])
    positions: list[Decimal | None] = field(default_factory=list[Decimal | None])
    created_ats: list[datetime | None] = field(default_factory=list[datetime | None])
    updated_ats: list[datetime | None] = field(default_factory=list[datetime | None])

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, row_id: UUID, record: _NamedRecord) -> None:
        """Add a row for a record."""
        self.ids.append(row_id)
        self.names.append(record.name)
        self.folded_names.append(fold(record.name))
        self.positions.append(record.position)
        self.created_ats.append(record.created_at)
        self.updated_ats.append(record.updated_at)


@dataclass(frozen=True)
class _EntityKind:
    """What differs between lists and labels."""

    plural: str
    maximum: int
    find: Executable
    insert: Executable


_LISTS: Final = _EntityKind("lists", LISTS_MAX, FIND_LISTS, INSERT_LISTS)
_LABELS: Final = _EntityKind("labels", LABELS_MAX, FIND_LABELS, INSERT_LABELS)


class _Matcher:
    """Matches the records of one kind with what the owner has, and collects rows to insert."""

    def __init__(self, user: User, rows: Sequence[Row]) -> None:
        self._user = user
        self._id_by_name: dict[str, UUID] = {}
        self._owned_ids: set[UUID] = set()
        self._unavailable_ids: set[UUID] = set()
        self.new_rows = _NewRows()
        for row in rows:
            row_id = cast("UUID", row["id"])
            if row["is_own"]:
                self._owned_ids.add(row_id)
                self._id_by_name[str(row["folded_name"])] = row_id
            else:
                self._unavailable_ids.add(row_id)

    def match(self, record: _NamedRecord) -> UUID:
        """Return the id of a record's list or label, which may be a row to insert."""
        owned_id = self._owned_id(record.id) or self._id_by_name.get(fold(record.name))
        if owned_id is not None:
            return owned_id
        new_id = record.id
        if new_id in self._unavailable_ids:
            new_id = replacement_id(self._user, record.id)
        return self._add(new_id, record)

    def match_name(self, name: str) -> UUID:
        """Return the id of the list or label of a name, which may be a row to insert."""
        owned_id = self._id_by_name.get(fold(name))
        if owned_id is not None:
            return owned_id
        new_id = uuid7()
        return self._add(new_id, _NamedRecord(new_id, name))

    def require(self, file_id: UUID, line_number: int) -> UUID:
        """Return the id of a list that exists, although the file has no record of it.

        Raises:
            Unprocessable: It does not exist.
        """
        owned_id = self._owned_id(file_id)
        if owned_id is None:
            raise Unprocessable(
                "list-not-found", f"Line {line_number} is in a list that is not there."
            )
        return owned_id

    def _owned_id(self, file_id: UUID) -> UUID | None:
        for candidate_id in (file_id, replacement_id(self._user, file_id)):
            if candidate_id in self._owned_ids:
                return candidate_id
        return None

    def _add(self, new_id: UUID, record: _NamedRecord) -> UUID:
        self.new_rows.add(new_id, record)
        self._owned_ids.add(new_id)
        self._id_by_name[fold(record.name)] = new_id
        return new_id


class ReferenceResolver:
    """Collects the lists and labels that records are about or name, then resolves them."""

    def __init__(self) -> None:
        self._lists: dict[UUID, _NamedRecord] = {}
        self._labels: dict[UUID, _NamedRecord] = {}
        self._task_label_names: dict[str, str] = {}
        """Labels that tasks name: as first spelled, by the folded name."""
        self._task_list_lines: dict[UUID, int] = {}
        """Lists that tasks are in, and the first line that says so."""

    def add(self, line_number: int, record: AnyRecord) -> None:
        """Collect a list or a label, or those that a task names.

        Raises:
            Unprocessable: There are more than one user may have.
        """
        if isinstance(record, TaskRecord):
            self._add_task(line_number, record)
        elif isinstance(record, ListRecord):
            self._lists[record.id] = _named_record(record)
        else:
            self._labels[record.id] = _named_record(record)
        _require_quota(_LISTS, max(len(self._lists), len(self._task_list_lines)))
        _require_quota(_LABELS, max(len(self._labels), len(self._task_label_names)))

    def _add_task(self, line_number: int, record: TaskRecord) -> None:
        for name in record.labels:
            self._task_label_names.setdefault(fold(name), name)
        if record.list_id:
            self._task_list_lines.setdefault(record.list_id, line_number)

    async def resolve(self, transaction: Transaction, user: User) -> ResolvedIds:
        """Find the lists and labels among those of the owner, and insert the missing ones.

        The transaction must have locked the owner.

        Raises:
            Unprocessable: The owner would have more than allowed, or a task is in a list that does
                not exist.
            Conflict: Another user took an id that was to be inserted.
        """
        # Lists go first: a label must not take the id of a list that was just inserted.
        list_ids, list_report = await self._resolve_lists(transaction, user)
        label_ids, label_report = await self._resolve_labels(transaction, user)
        return ResolvedIds(list_ids, label_ids, list_report.plus(label_report))

    async def _resolve_lists(
        self, transaction: Transaction, user: User
    ) -> tuple[dict[UUID, UUID], ImportReport]:
        file_ids = self._lists.keys() | self._task_list_lines.keys()
        matcher = await _load(transaction, user, _LISTS, file_ids)
        list_ids = {record.id: matcher.match(record) for record in self._lists.values()}
        report = _report(list_ids, len(matcher.new_rows))
        for file_id, line_number in self._task_list_lines.items():
            if file_id not in list_ids:
                list_ids[file_id] = matcher.require(file_id, line_number)
        await _insert(transaction, user, _LISTS, matcher.new_rows)
        return list_ids, report

    async def _resolve_labels(
        self, transaction: Transaction, user: User
    ) -> tuple[dict[str, UUID], ImportReport]:
        matcher = await _load(transaction, user, _LABELS, self._labels.keys())
        ids_by_file_id: dict[UUID, UUID] = {}
        ids_by_name: dict[str, UUID] = {}
        for record in self._labels.values():
            label_id = matcher.match(record)
            ids_by_file_id[record.id] = label_id
            ids_by_name[fold(record.name)] = label_id
        report = _report(ids_by_file_id, len(matcher.new_rows))
        for folded_name, name in self._task_label_names.items():
            if folded_name not in ids_by_name:
                ids_by_name[folded_name] = matcher.match_name(name)
        await _insert(transaction, user, _LABELS, matcher.new_rows)
        return ids_by_name, report


def _report(ids: Mapping[UUID, UUID], created: int) -> ImportReport:
    """Count records; `ids` has the ids here by the ids in the file."""
    renumbered = sum(file_id != new_id for file_id, new_id in ids.items())
    return ImportReport(created=created, unchanged=len(ids) - created, renumbered=renumbered)


async def _load(
    transaction: Transaction, user: User, kind: _EntityKind, file_ids: Iterable[UUID]
) -> _Matcher:
    """Load all lists (labels) of the owner, and which ids of the file are unavailable."""
    requested_ids: list[UUID] = []
    for file_id in file_ids:
        requested_ids.append(file_id)
        requested_ids.append(replacement_id(user, file_id))
    rows = await transaction.fetch_all(kind.find, current_user_id=user.id, ids=requested_ids)
    return _Matcher(user, rows)


async def _insert(
    transaction: Transaction, user: User, kind: _EntityKind, new_rows: _NewRows
) -> None:
    if not new_rows:
        return
    [result] = await transaction.fetch_all(
        kind.insert,
        current_user_id=user.id,
        ids=new_rows.ids,
        names=new_rows.names,
        folded_names=new_rows.folded_names,
        positions=new_rows.positions,
        created_ats=new_rows.created_ats,
        updated_ats=new_rows.updated_ats,
    )
    _require_quota(kind, result["total"])
    if result["inserted"] < len(new_rows):
        raise id_taken()


def _require_quota(kind: _EntityKind, count: int) -> None:
    if count > kind.maximum:
        raise quota_exceeded(kind.maximum, kind.plural)
