"""Lists, labels and plans go out and come in with the tasks."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from tasks.transfer import batching, service

from ..support.import_export import (
    OLD_TIMESTAMP,
    Record,
    erase_owner,
    export,
    import_records,
    post_import,
    replacement_id,
    task_record,
    to_ndjson,
    without_versions,
)

DUE = {"date": "2026-11-30", "time": "08:30", "time_zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of tasks take as many steps as a hundred thousand do."""
    monkeypatch.setattr(service, "EXPORT_PAGE_ROWS", 2)
    for name in ("BATCH_LINES_MAX", "RANGE_LINES_MAX"):
        monkeypatch.setattr(batching, name, 2)


def a_list(name: str = "Garden", **fields: object) -> Record:
    """Describe a list from elsewhere."""
    return {
        "kind": "list",
        "id": str(uuid4()),
        "name": name,
        "created_at": OLD_TIMESTAMP,
        "updated_at": OLD_TIMESTAMP,
        **fields,
    }


def a_label(name: str = "Home", **fields: object) -> Record:
    """Describe a label from elsewhere."""
    return a_list(name, kind="label", **fields)


def kinds(lines: list[Record]) -> list[object]:
    return [line["kind"] for line in lines]


async def plan(owner: AsyncClient) -> None:
    """Make two lists and three tasks, and move what can be moved."""
    first, second = [
        (await owner.post("/lists", json={"name": name})).json()["id"]
        for name in ("Garden", "Shed")
    ]
    await owner.post(f"/lists/{second}/move", json={"after": None})
    bodies = [
        {
            "title": "1",
            "list_id": first,
            "labels": ["Home", "away"],
            "due": DUE,
            "priority": "high",
        },
        {
            "title": "2",
            "list_id": first,
            "labels": ["home"],
            "due": {"date": "2027-01-01"},
            "is_completed": True,
        },
        {"title": "3"},
    ]
    made = [(await owner.post("/tasks", json=body)).json()["id"] for body in bodies]
    assert (await owner.post(f"/tasks/{made[1]}/move", json={"after": None})).status_code == 200


async def test_an_export_has_lists_then_labels_then_tasks(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await plan(owner)

    lines = await export(owner)

    assert kinds(lines) == ["list"] * 2 + ["label"] * 2 + ["task"] * 3
    assert lines[:2] == [{"kind": "list", **each} for each in (await owner.get("/lists")).json()]
    labels = [{"kind": "label", **each} for each in (await owner.get("/labels")).json()]
    assert lines[2:4] == [
        {name: value for name, value in label.items() if name != "task_count"} for label in labels
    ]


async def test_a_plan_that_was_exported_and_erased_comes_back_as_it_was(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    await plan(owner)
    before = await export(owner)
    await erase_owner(owner)

    assert await import_records(owner, *before) == (7, 0, 0, 0)

    after = await export(owner)
    assert without_versions(after) == without_versions(before)
    assert len({line["version"] for line in after}) == len(after)
    assert await import_records(owner, *before) == (0, 0, 7, 0)
    assert await export(owner) == after
    changes = (await owner.get("/tasks/changes")).json()
    assert [len(changes[kind]) for kind in ("lists", "labels", "tasks")] == [2, 2, 3]
    assert int(changes["next"]) == max(
        line["version"] for line in after if isinstance(line["version"], int)
    )


async def test_what_is_found_by_its_id_stays_as_it_is(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await plan(owner)
    before = await export(owner)
    label = next(line for line in before if line["kind"] == "label" and line["name"] == "Home")
    await owner.patch(f"/labels/{label['id']}", json={"name": "House"})
    await owner.patch(f"/lists/{before[0]['id']}", json={"name": "Barn"})
    renamed = await export(owner)

    assert await import_records(owner, *before) == (0, 2, 5, 0)  # two tasks get their times back

    after = await export(owner)
    assert after[:4] == renamed[:4]
    assert [line["labels"] for line in after[4:]] == [["away", "House"], ["House"], []]


async def test_what_has_the_name_already_is_taken_for_the_same(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await plan(owner)
    standing = await export(owner)
    garden = next(line for line in standing if line["name"] == "Garden")
    lines = [a_list("GARDEN"), a_label("HOME")]
    task = task_record(uuid4(), list_id=lines[0]["id"], labels=["hOmE"])

    assert await import_records(owner, *lines, task) == (1, 0, 2, 2)

    assert [line for line in await export(owner) if line["kind"] != "task"] == standing[:4]
    [found] = (
        await owner.get(f"/tasks?list_id={garden['id']}&label=home&sort=created_at&limit=1")
    ).json()
    assert (found["id"], found["labels"]) == (task["id"], ["Home"])


async def test_somebody_elses_lists_and_labels_come_in_under_other_ids(
    as_user: ClientFactory,
) -> None:
    owner, stranger = as_user("owner"), as_user("stranger")
    await plan(owner)
    lines = await export(owner)

    assert await import_records(stranger, *lines) == (7, 0, 0, 7)

    copies = await export(stranger)
    assert [line["id"] for line in copies] == [
        replacement_id(stranger, line["id"]) for line in lines
    ]
    assert {line["list_id"] for line in copies[4:]} == {
        None,
        replacement_id(stranger, lines[1]["id"]),
    }
    assert await import_records(stranger, *lines) == (0, 0, 7, 7)
    assert await import_records(stranger, *lines[4:]) == (0, 0, 3, 3)
    assert await export(stranger) == copies
    assert await export(owner) == lines


async def test_what_was_something_else_comes_in_under_another_id(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = (await owner.post("/lists", json={"name": "Garden"})).json()["id"]
    task = (await owner.post("/tasks", json={"title": "Task"})).json()["id"]
    await owner.delete(f"/tasks/{task}")
    lines = [
        a_label(id=garden),
        a_list("Shed", id=task),
        task_record(garden, list_id=task, labels=["home"]),
    ]

    assert await import_records(owner, *lines) == (3, 0, 0, 3)
    assert await import_records(owner, *lines) == (0, 0, 3, 3)

    [copy] = (await owner.get("/tasks")).json()
    assert (copy["id"], copy["list_id"]) == (
        replacement_id(owner, garden),
        replacement_id(owner, task),
    )
    assert [each["id"] for each in (await owner.get("/tasks/changes")).json()["deleted"]] == [task]


async def test_a_list_and_a_label_of_one_file_never_share_an_id(as_user: ClientFactory) -> None:
    owner, shared = as_user("owner"), str(uuid4())

    assert await import_records(owner, a_list(id=shared), a_label(id=shared)) == (2, 0, 0, 1)

    assert [line["id"] for line in await export(owner)] == [shared, replacement_id(owner, shared)]


async def test_a_label_that_only_a_task_names_is_made(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert await import_records(
        owner, task_record(uuid4(), labels=["b", "A", "a"]), task_record(uuid4(), labels=["B"])
    ) == (2, 0, 0, 0)

    assert [(each["name"], each["task_count"]) for each in (await owner.get("/labels")).json()] == [
        ("A", 1),
        ("b", 2),
    ]


async def test_a_task_gets_the_labels_of_its_line_and_loses_the_others(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    await import_records(
        owner, task_record(UUID(int=1), labels=["a", "b"]), task_record(UUID(int=2), labels=["a"])
    )

    assert await import_records(owner, task_record(UUID(int=1), labels=["c", "b"])) == (0, 1, 0, 0)
    assert [line["labels"] for line in (await export(owner))[3:]] == [["b", "c"], ["a"]]
    assert await import_records(owner, task_record(UUID(int=1), labels=[])) == (0, 1, 0, 0)
    assert [line["labels"] for line in (await export(owner))[3:]] == [[], ["a"]]


async def test_a_line_from_before_there_were_plans_keeps_the_plan(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await plan(owner)
    before = (await export(owner))[4:]
    old = (
        "kind",
        "id",
        "title",
        "description",
        "is_completed",
        "completed_at",
        "created_at",
        "updated_at",
    )

    assert await import_records(
        owner, *({name: line[name] for name in old} for line in before)
    ) == (
        0,
        0,
        3,
        0,
    )
    assert await import_records(
        owner, {name: before[0][name] for name in old} | {"title": "New"}
    ) == (
        0,
        1,
        0,
        0,
    )

    changed, *_ = (await export(owner))[4:]
    assert changed | {"title": "1", "version": 0} == before[0] | {"version": 0}


async def test_a_task_in_a_list_that_is_not_there_is_refused(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    refused = await post_import(
        owner,
        to_ndjson(a_label(), task_record(uuid4()), task_record(uuid4(), list_id=str(uuid4()))),
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "list-not-found")
    assert refused.json()["detail"] == "Line 4 is in a list that is not there."
    assert await export(owner) == []


@pytest.mark.parametrize(("line", "most"), [(a_list, 200), (a_label, 500)])
async def test_nobody_gets_more_than_they_may_have(
    as_user: ClientFactory, line: Callable[[str], Record], most: int
) -> None:
    owner = as_user("owner")
    lines = [line(f"{number}") for number in range(most + 1)]

    at_once = await post_import(owner, to_ndjson(*lines))
    assert await import_records(owner, *lines[1:]) == (most, 0, 0, 0)
    too_many = await post_import(owner, to_ndjson(lines[0]))

    assert [answer.json()["code"] for answer in (at_once, too_many)] == ["quota-exceeded"] * 2
    assert len(await export(owner)) == most


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (a_list(" "), "too-short"),
        (a_label("a" * 51), "too-long"),
        (a_list(position="1"), "unknown-word"),
        (a_list(colour="red"), "extra-forbidden"),
        (task_record(uuid4(), labels=[str(number) for number in range(21)]), "too-long"),
        (task_record(uuid4(), due={"date": "1969-12-31"}), "date-out-of-range"),
        (task_record(uuid4(), priority="urgent"), "unknown-word"),
        (task_record(uuid4(), position="00000000000000000001.0"), "unknown-word"),
    ],
)
async def test_a_line_that_breaks_a_rule_is_named(
    as_user: ClientFactory, line: Record, code: str
) -> None:
    refused = await post_import(as_user("owner"), to_ndjson(a_list(), line))

    assert (refused.status_code, refused.json()["detail"]) == (422, "Line 3 breaks a rule.")
    assert {fault["code"] for fault in refused.json()["errors"]} == {code}
