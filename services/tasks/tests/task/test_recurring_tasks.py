"""Completing a task that repeats: its successor."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import (
    IF_ABSENT,
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    list_titles,
)
from ..support.recurring import (
    change,
    complete,
    create_recurring,
    due_date,
    successor_id,
    successor_of,
)
from ..support.service import TASKS_MAX

SPELLINGS = [
    ("PATCH", {"is_completed": True}),
    ("PATCH", {"status": "completed"}),
    ("PUT", {"title": "Task", "is_completed": True}),
    ("PUT", {"title": "Task", "status": "completed"}),
]

SAME_FIELDS = ["title", "description", "list_id", "priority", "labels", "recurrence"]


@pytest.mark.scenario("S007-AC-1")
@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY", ["2127-12-31", "2128-01-31", "2128-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2126-01-31", "2126-03-31", "2126-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2128-01-31", "2128-02-29", "2128-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2127-01-31", "2127-02-28", "2127-03-31"]),
        ("FREQ=YEARLY", ["2128-02-29", "2132-02-29"]),
    ],
)
async def test_days_that_do_not_exist_are_skipped(
    as_user: ClientFactory, rule: str, days: Sequence[str]
) -> None:
    await _check_days(as_user, rule, days)


@pytest.mark.scenario("S007-AC-2")
@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", ["2126-12-03", "2126-12-17", "2126-12-31"]),
        ("FREQ=MONTHLY;BYDAY=1MO", ["2126-12-02", "2127-01-06", "2127-02-03"]),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", ["2126-12-05", "2126-12-06", "2126-12-09"]),
    ],
)
async def test_weekdays_and_intervals(
    as_user: ClientFactory, rule: str, days: Sequence[str]
) -> None:
    await _check_days(as_user, rule, days)


async def _check_days(as_user: ClientFactory, rule: str, days: Sequence[str]) -> None:
    owner = as_user("owner")
    task: JsonObject | None = await create_recurring(owner, rule, due={"date": days[0]})
    for day in days[1:]:
        assert task is not None
        task = await complete(owner, task)
        assert due_date(task) == day


@pytest.mark.scenario("S007-AC-3")
@pytest.mark.parametrize(
    ("day", "next_day", "instants"),
    [
        ("2126-03-25", "2126-04-01", ["2126-03-25T08:00", "2126-04-01T07:00"]),
        ("2126-10-21", "2126-10-28", ["2126-10-21T07:00", "2126-10-28T08:00"]),
    ],
)
async def test_a_timed_task_keeps_its_time_of_day(
    as_user: ClientFactory, day: str, next_day: str, instants: Sequence[str]
) -> None:
    owner = as_user("owner")
    due = {"date": day, "time": "09:00", "time_zone": "Europe/Berlin"}
    task = await create_recurring(owner, "FREQ=WEEKLY", due=due)

    successor = await complete(owner, task)

    assert task["due"] == {**due, "at": f"{instants[0]}:00.000000Z"}
    assert successor is not None
    assert successor["due"] == {**due, "date": next_day, "at": f"{instants[1]}:00.000000Z"}


async def test_times_that_are_skipped_or_shown_twice(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    at = []
    for day in ("2126-03-30", "2126-10-26"):
        due = {"date": day, "time": "02:30", "time_zone": "Europe/Berlin"}
        successor = await complete(owner, await create_recurring(owner, due=due))
        assert successor is not None
        assert successor["due"] | {"at": "", "date": day} == {**due, "at": ""}  # type: ignore[operator]
        at.append(successor["due"]["at"])  # type: ignore[index]

    assert at == ["2126-03-31T01:30:00.000000Z", "2126-10-27T00:30:00.000000Z"]


@pytest.mark.scenario("S007-AC-4")
@pytest.mark.parametrize(
    ("start", "rule", "overdue_days", "days_ahead"),
    [
        ("due", "FREQ=DAILY", 5, 1),
        ("due", "FREQ=WEEKLY", 5, 2),
        ("due", "FREQ=WEEKLY", 7, 7),
        ("due", "FREQ=DAILY;INTERVAL=3", 5, 1),
        ("completion", "FREQ=WEEKLY", 5, 7),
        ("completion", "FREQ=DAILY;INTERVAL=3", 5, 3),
        ("completion", "FREQ=DAILY", -9, 1),
        ("due", "FREQ=DAILY", -9, 10),
    ],
)
@pytest.mark.parametrize("zone", [None, "Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_a_task_completed_late_has_one_successor_in_the_future(
    as_user: ClientFactory,
    start: str,
    rule: str,
    overdue_days: int,
    days_ahead: int,
    zone: str | None,
) -> None:
    owner = as_user("owner")
    today = _today(zone)
    due: dict[str, str] = {"date": str(today - timedelta(days=overdue_days))}
    if zone is not None:
        due |= {"time": "12:00", "time_zone": zone}
    task = await create_recurring(owner, rule, start, due)

    successor = await complete(owner, task)

    expected = {str(day + timedelta(days=days_ahead)) for day in (today, _today(zone))}
    assert due_date(successor) in expected
    assert len((await owner.get("/tasks")).json()) == 2


def _today(zone: str | None) -> date:
    return datetime.now(ZoneInfo(zone or "UTC")).date()


@pytest.mark.scenario("S007-AC-8")
@pytest.mark.parametrize(("method", "body"), SPELLINGS)
async def test_a_client_that_knows_no_recurrence_completes_a_task(
    as_user: ClientFactory, method: str, body: dict[str, object]
) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner)
    begun = datetime.now(UTC)

    response = await owner.request(method, f"/tasks/{task['id']}", json=body)

    completed = await json_object(response)
    assert response.headers["etag"] == f'"{completed["version"]}"'
    assert completed["completed_at"] == completed["updated_at"]
    assert datetime.fromisoformat(str(completed["completed_at"])) > begun - timedelta(minutes=1)
    changed = ["is_completed", "status", "completed_at", "updated_at", "version"]
    assert {**task, **{name: completed[name] for name in changed}} == completed
    assert (completed["is_completed"], completed["status"]) == (True, "completed")
    assert await successor_of(owner, response) is not None


async def test_a_successor_is_the_task_as_the_write_leaves_it(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    task = await create_recurring(owner, "FREQ=WEEKLY", title="Old", labels=["home", "old"])
    fields: dict[str, object] = {
        "title": "New",
        "description": "Text",
        "list_id": garden["id"],
        "priority": "high",
        "labels": ["garden", "home"],
        "due": {"date": "2126-12-06"},
        "recurrence": {"rule": "FREQ=DAILY;COUNT=5", "from": "due"},
    }

    response = await change(owner, task, is_completed=True, **fields)

    successor = await successor_of(owner, response)
    assert successor is not None
    completed = response.json()
    expected = dict(completed)
    expected["recurrence"] = {"rule": "FREQ=DAILY;COUNT=4", "from": "due"}
    for name in SAME_FIELDS:
        assert successor[name] == expected[name]
    assert due_date(successor) == "2126-12-07"
    assert (successor["is_completed"], successor["completed_at"]) == (False, None)
    assert (successor["previous_id"], successor["parent_id"]) == (task["id"], None)
    assert successor["id"] == successor_id(task)
    assert successor["created_at"] == successor["updated_at"] == completed["updated_at"]
    labels = (await owner.get("/labels")).json()
    assert {label["name"]: label["task_count"] for label in labels}.get("garden") == 2


async def test_a_successor_stands_directly_behind_the_completed_task(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    await create_task(owner, "first", list_id=garden["id"])
    task = await create_recurring(owner, title="repeats", list_id=garden["id"])
    await create_task(owner, "last", list_id=garden["id"])

    successor = await complete(owner, task)

    assert successor is not None
    assert float(str(successor["position"])) == float(str(task["position"])) + 1
    titles = await list_titles(owner, list_id=garden["id"])
    assert titles == ["first", "repeats", "repeats", "last"]


@pytest.mark.scenario("S007-AC-5")
async def test_completing_twice_makes_one_successor(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner)
    first = await change(owner, task, is_completed=True)
    tasks = (await owner.get("/tasks")).json()

    for method, body in SPELLINGS:
        response = await owner.request(method, f"/tasks/{task['id']}", json=body)
        assert response.headers["link"] == first.headers["link"]
        assert response.json() == first.json()
    assert (await owner.get("/tasks")).json() == tasks
    assert len(tasks) == 2

    renamed = await change(owner, task, title="New", recurrence={"rule": "FREQ=YEARLY"})
    assert renamed.headers["link"] == first.headers["link"]
    assert (await owner.get("/tasks")).json()[1] == tasks[1]
    assert "link" not in (await owner.get(f"/tasks/{task['id']}")).headers
    assert "link" not in (await change(owner, tasks[1], title="New")).headers


async def test_creating_a_completed_task_makes_no_successor(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner, is_completed=True)
    body = {
        "title": "x",
        "due": task["due"],
        "recurrence": task["recurrence"],
        "is_completed": True,
    }
    named = await owner.put(f"/tasks/{uuid4()}", json=body, headers=IF_ABSENT)

    assert (named.status_code, "link" in named.headers) == (201, False)
    assert "link" not in (await change(owner, task, is_completed=True)).headers
    assert len((await owner.get("/tasks")).json()) == 2


async def test_clearing_the_recurrence_while_completing_makes_no_successor(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner)

    assert await complete(owner, task, recurrence=None, due=None) is None
    assert len((await owner.get("/tasks")).json()) == 1


async def test_setting_a_recurrence_while_completing_makes_a_successor(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    task = await create_task(owner, due={"date": "2126-11-30"})

    successor = await complete(owner, task, recurrence={"rule": "FREQ=DAILY"})

    assert due_date(successor) == "2126-12-01"


@pytest.mark.scenario("S007-AC-7")
@pytest.mark.parametrize(
    ("rules", "day"),
    [
        (["FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=1"], "2126-11-30"),
        (["FREQ=DAILY;UNTIL=21261201"] * 2, "2126-11-30"),
        (["FREQ=DAILY"] * 2, "2200-12-30"),
    ],
)
async def test_a_recurrence_ends(as_user: ClientFactory, rules: Sequence[str], day: str) -> None:
    owner = as_user("owner")
    task: JsonObject | None = await create_recurring(owner, rules[0], due={"date": day})
    for rule in rules[1:]:
        assert task is not None
        task = await complete(owner, task)
        assert task is not None
        assert task["recurrence"] == {"rule": rule, "from": "due"}

    assert task is not None
    assert await complete(owner, task) is None
    assert field_values((await owner.get("/tasks")).json(), "is_completed") == [True] * len(rules)


async def test_without_room_a_task_is_completed_without_a_successor(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    parent = await create_recurring(owner)
    subtask = await create_task(owner, parent_id=parent["id"])
    others = [await create_task(owner) for _ in range(TASKS_MAX - 3)]

    response = await change(owner, parent, is_completed=True)

    assert "link" not in response.headers
    assert (response.json()["is_completed"], response.json()["recurrence"]) == (
        True,
        parent["recurrence"],
    )
    assert len((await owner.get("/tasks")).json()) == TASKS_MAX - 1

    await owner.delete(f"/tasks/{others[0]['id']}")
    assert await complete(owner, parent) is None, "a repeated true writes nothing"
    await change(owner, parent, is_completed=False)
    assert await complete(owner, parent) is not None
    assert (await owner.get(f"/tasks/{successor_id(subtask)}")).status_code == 200
    assert (await owner.post("/tasks", json={"title": "x"})).status_code == 422


async def test_a_successor_never_takes_the_id_of_something_else(as_user: ClientFactory) -> None:
    owner, neighbour = as_user("owner"), as_user("neighbour")
    tasks = [await create_recurring(owner) for _ in range(3)]
    urls = [f"/tasks/{successor_id(task)}" for task in tasks]
    theirs = await neighbour.put(urls[0], json={"title": "Theirs"}, headers=IF_ABSENT)
    own = await owner.put(urls[1], json={"title": "Own"}, headers=IF_ABSENT)
    list_url = f"/lists/{successor_id(tasks[2])}"
    assert (await owner.put(list_url, json={"name": "x"}, headers=IF_ABSENT)).status_code == 201

    for task in tasks:
        assert await complete(owner, task) is None

    assert (await neighbour.get("/tasks")).json() == [theirs.json()]
    assert (await owner.get(urls[1])).json() == own.json()
    assert len((await owner.get("/tasks")).json()) == 4
    for _ in range(TASKS_MAX - 4):
        await create_task(owner)
    assert (await owner.post("/tasks", json={"title": "x"})).status_code == 422


async def test_if_match_decides_before_a_successor_is_made(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner)
    url, body = f"/tasks/{task['id']}", {"is_completed": True}

    refused = await owner.patch(url, json=body, headers={"If-Match": '"1"'})
    assert refused.status_code == 412
    assert (await owner.get("/tasks")).json() == [task]
    etag = {"If-Match": f'"{task["version"]}"'}
    assert (await owner.patch(url, json=body, headers=etag)).status_code == 200
    again = await owner.patch(url, json=body, headers=etag)
    assert again.status_code == 412
