"""An export, imported after an erasure or by another user, is exported again as it was."""

from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..support.import_export import (
    Record,
    Report,
    erase_owner,
    export,
    import_records,
    list_record,
    replacement_id,
    task_record,
    without_versions,
)
from ..support.service import Service

pytestmark = pytest.mark.usefixtures("small_batches")

RECURRENCES: Final = [
    None,
    {"rule": "FREQ=DAILY", "from": "completion"},
    {"rule": "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5", "from": "due"},
    {"rule": "FREQ=WEEKLY;BYDAY=MO;UNTIL=20000101", "from": "due"},
]
"""The last one is past its end, as the task that was completed last is."""

DUE: Final = {"date": "2026-11-30", "time": None, "time_zone": None, "at": None}

LINK_FIELDS: Final = ("id", "list_id", "parent_id", "previous_id")


@dataclass(frozen=True)
class Node:
    """A task of a random forest; numbers name other tasks, modulo how many there are."""

    parent: int | None
    previous: int | None
    recurrence: int
    is_completed: bool
    in_list: bool
    minute: int


NODES = st.builds(
    Node,
    parent=st.none() | st.integers(0, 30),
    previous=st.none() | st.integers(0, 30),
    recurrence=st.integers(0, len(RECURRENCES) - 1),
    is_completed=st.booleans(),
    in_list=st.booleans(),
    minute=st.integers(0, 9),
)


def forest(nodes: list[Node], garden: Record) -> list[Record]:
    """Return a record for each node. A parent that is a subtask itself is taken for none."""
    ids = [str(uuid4()) for _ in nodes]
    parents = [None if node.parent is None else node.parent % len(nodes) for node in nodes]
    records: list[Record] = []
    for number, node in zip(count(), nodes):
        parent = parents[number]
        if parent is not None and parents[parent] is not None:
            parent = None
        time = f"2020-01-01T00:0{node.minute}:00.000000Z"
        record = task_record(ids[number], created_at=time, updated_at=time)
        home = node if parent is None else nodes[parent]
        record["list_id"] = garden["id"] if home.in_list else None
        if parent is None:
            record["recurrence"] = RECURRENCES[node.recurrence]
            record["due"] = DUE
        else:
            record["parent_id"] = ids[parent]
        if node.previous is not None:
            record["previous_id"] = ids[node.previous % len(nodes)]
        if node.is_completed:
            record["completed_at"] = time
        records.append(record)
    return records


def renumbered(record: Record, new_ids: dict[object, str], user_id: str) -> Record:
    """Return a record as another user has it."""
    changes: Record = {"user_id": user_id}
    for name in LINK_FIELDS:
        if record.get(name) is not None:
            changes[name] = new_ids[record[name]]
    return record | changes


def sort(records: list[Record]) -> list[Record]:
    return sorted(without_versions(records), key=lambda record: str(record["id"]))


@pytest.mark.scenario("S007-AC-14")
@settings(max_examples=15)
@given(nodes=st.lists(NODES, min_size=1, max_size=12), order=st.randoms(use_true_random=False))
async def test_links_and_recurrences_survive_export_erasure_and_import(
    roomy_service: Service, nodes: list[Node], order: Random
) -> None:
    owner = roomy_service.client_for(str(uuid4()))
    stranger = roomy_service.client_for(str(uuid4()))
    garden = list_record()
    records = [garden, *forest(nodes, garden)]
    order.shuffle(records)
    assert await import_records(owner, records) == Report(created=len(records))
    before = await export(owner)
    linked = {record["id"]: record for record in before}
    for record in records:
        for name in ("parent_id", "recurrence"):
            assert linked[record["id"]].get(name) == record.get(name)

    await import_records(stranger, before)
    new_ids = {record["id"]: replacement_id(stranger, record["id"]) for record in before}
    user_id = stranger.headers["x-user-id"]
    copies = [renumbered(record, new_ids, user_id) for record in before]
    assert sort(await export(stranger)) == sort(copies)

    await erase_owner(owner)
    assert await import_records(owner, before) == Report(created=len(before))
    after = await export(owner)
    assert without_versions(after) == without_versions(before)
    assert await import_records(owner, before) == Report(unchanged=len(before))
    assert await export(owner) == after
