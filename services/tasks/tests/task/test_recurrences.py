"""The field `recurrence`: what is accepted, and how it is returned."""

from time import perf_counter
from uuid import uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import IF_ABSENT, create_task, json_object, problem_code
from ..support.recurring import change, complete, create_recurring, due_date

DUE = {"date": "2126-11-30"}
LONG_RULE = "FREQ=DAILY;BYMONTHDAY=" + ",".join(str(day % 31 + 1) for day in range(80))

BROKEN_RULES = [
    ("", ""),
    ("weekly", ""),
    ("RRULE:FREQ=DAILY", "RRULE"),
    ("FREQ=HOURLY", "FREQ"),
    ("INTERVAL=2", "FREQ"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
    ("FREQ=DAILY;INTERVAL=1000", "INTERVAL"),
    ("FREQ=DAILY;COUNT=1000", "COUNT"),
    ("FREQ=DAILY;COUNT=2;UNTIL=21270101", "COUNT"),
    ("FREQ=DAILY;UNTIL=2126-12-31", "UNTIL"),
    ("FREQ=DAILY;UNTIL=21260230", "UNTIL"),
    ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
    ("FREQ=MONTHLY;BYDAY=1MO,TU", "BYDAY"),
    ("FREQ=MONTHLY;BYSETPOS=0", "BYSETPOS"),
    ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
    ("FREQ=DAILY;BYHOUR=8", "BYHOUR"),
    ("FREQ=DAILY;DTSTART=20261130", "DTSTART"),
    ("FREQ=DAILY;COLOUR=RED", ""),
    ("FREQ=DAILY\u0000", ""),
    (LONG_RULE, ""),
]

NEVER = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;UNTIL=21261129",
    "FREQ=YEARLY;INTERVAL=999;BYMONTH=1;BYMONTHDAY=1",
]

HOSTILE_RULES = [
    ("1970-01-01", "FREQ=DAILY;COUNT=999"),
    ("1970-01-01", "FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29"),
    ("2026-11-30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    ("2026-11-30", "FREQ=YEARLY;BYSETPOS=366;BYDAY=MO"),
    ("2026-11-30", "FREQ=MONTHLY;BYSETPOS=-366;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
    ("2026-11-30", "FREQ=MONTHLY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=30"),
    ("2199-12-31", "FREQ=YEARLY;INTERVAL=999"),
]


@pytest.mark.scenario("S007-AC-2")
@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("freq=daily;interval=01", "FREQ=DAILY"),
        ("BYDAY=tu,mo,TU;FREQ=WEEKLY;WKST=MO", "FREQ=WEEKLY;BYDAY=MO,TU"),
        ("FREQ=MONTHLY;BYMONTHDAY=+1,-1;COUNT=007", "FREQ=MONTHLY;BYMONTHDAY=-1,1;COUNT=7"),
    ],
)
async def test_a_rule_is_returned_in_its_canonical_form(
    as_user: ClientFactory, sent: str, canonical: str
) -> None:
    owner = as_user("owner")
    body = {"title": "x", "due": DUE, "recurrence": {"rule": sent}}
    expected = {"rule": canonical, "from": "due"}

    task = await json_object(await owner.post("/tasks", json=body), 201)
    url = f"/tasks/{task['id']}"
    named = await owner.put(f"/tasks/{uuid4()}", json=body, headers=IF_ABSENT)

    assert task["recurrence"] == named.json()["recurrence"] == expected
    for response in (await owner.patch(url, json=body), await owner.put(url, json=body)):
        assert (await json_object(response))["recurrence"] == expected
    assert (await owner.get(url)).json()["version"] == task["version"]


@pytest.mark.parametrize(("rule", "part"), BROKEN_RULES, ids=str)
async def test_a_rule_that_cannot_be_read_is_422(
    as_user: ClientFactory, rule: str, part: str
) -> None:
    owner = as_user("owner")
    body = {"title": "x", "due": DUE, "recurrence": {"rule": rule}}

    response = await owner.post("/tasks", json=body)

    assert problem_code(response) == (422, "invalid-recurrence")
    [error] = response.json()["errors"]
    assert error["location"] == ["body", "recurrence", "rule"]
    assert part in error["message"]
    assert (await owner.patch(f"/tasks/{uuid4()}", json=body)).json()["errors"] == [error]


@pytest.mark.parametrize(
    ("recurrence", "status", "code"),
    [
        ("FREQ=DAILY", 400, "model-type"),
        ([], 400, "model-type"),
        ({"rule": 5}, 400, "string-type"),
        ({"rule": None}, 400, "string-type"),
        ({"rule": "FREQ=DAILY", "from": None}, 400, "string-type"),
        ({"rule": "FREQ=DAILY", "from": "start"}, 422, "unknown-word"),
        ({"from": "due"}, 422, "missing"),
        ({"rule": "FREQ=DAILY", "every": 2}, 422, "extra-forbidden"),
    ],
)
async def test_a_recurrence_of_another_shape_is_rejected(
    as_user: ClientFactory, recurrence: object, status: int, code: str
) -> None:
    body = {"title": "x", "due": DUE, "recurrence": recurrence}

    assert problem_code(await as_user("owner").post("/tasks", json=body)) == (status, code)


async def test_a_recurrence_needs_a_due_date(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    plain = await create_task(owner)
    recurring = await create_recurring(owner)
    body = {"title": "x", "recurrence": {"rule": "FREQ=DAILY"}}
    refused = (422, "recurrence-without-due")

    created = await owner.post("/tasks", json=body)
    named = await owner.put(f"/tasks/{uuid4()}", json=body, headers=IF_ABSENT)
    assert (problem_code(created), problem_code(named)) == (refused, refused)

    url = f"/tasks/{plain['id']}"
    for response in (await owner.patch(url, json=body), await owner.put(url, json=body)):
        assert problem_code(response) == refused
    for cleared in ({"title": "x", "due": None}, body | {"due": None}):
        for url in (f"/tasks/{plain['id']}", f"/tasks/{recurring['id']}"):
            if "recurrence" in cleared or url.endswith(str(recurring["id"])):
                assert problem_code(await owner.patch(url, json=cleared)) == refused
                assert problem_code(await owner.put(url, json=cleared)) == refused
    both = await change(owner, recurring, due=None, recurrence=None)
    assert (both.json()["due"], both.json()["recurrence"]) == (None, None)


async def test_completing_does_not_excuse_a_missing_due_date(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner)

    response = await owner.patch(f"/tasks/{task['id']}", json={"is_completed": True, "due": None})

    assert problem_code(response) == (422, "recurrence-without-due")
    assert (await owner.get("/tasks")).json() == [task]


@pytest.mark.parametrize("rule", NEVER)
async def test_a_new_rule_must_have_an_occurrence(as_user: ClientFactory, rule: str) -> None:
    owner = as_user("owner")
    refused = (422, "recurrence-never")
    body = {"title": "x", "due": DUE, "recurrence": {"rule": rule}}

    assert problem_code(await owner.post("/tasks", json=body)) == refused
    named = await owner.put(f"/tasks/{uuid4()}", json=body, headers=IF_ABSENT)
    assert problem_code(named) == refused

    task = await create_task(owner, due=DUE)
    url = f"/tasks/{task['id']}"
    for changed in (body, {"title": "x", "recurrence": {"rule": rule}}):
        assert problem_code(await owner.patch(url, json=changed)) == refused
        assert problem_code(await owner.put(url, json=changed)) == refused
    assert (await owner.get(url)).json() == task


@pytest.mark.scenario("S007-AC-7")
async def test_a_task_may_be_postponed_past_the_end_of_its_rule(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner, "FREQ=DAILY;UNTIL=21261201")

    postponed = (await change(owner, task, due={"date": "2126-12-24"})).json()

    assert postponed["recurrence"] == task["recurrence"]
    url = f"/tasks/{task['id']}"
    assert (await owner.put(url, json=postponed)).json() == postponed
    assert (await change(owner, task, recurrence=task["recurrence"])).json() == postponed
    other = {"recurrence": {"rule": "FREQ=DAILY;UNTIL=21261202"}}
    assert problem_code(await owner.patch(url, json=other)) == (422, "recurrence-never")
    assert await complete(owner, task) is None


@pytest.mark.scenario("S007-AC-8")
async def test_a_change_without_the_field_keeps_the_recurrence(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner, "FREQ=WEEKLY", "completion")

    replaced = await json_object(await owner.put(f"/tasks/{task['id']}", json={"title": "New"}))

    assert replaced["recurrence"] == {"rule": "FREQ=WEEKLY", "from": "completion"}
    assert (await change(owner, task, recurrence=None)).json()["recurrence"] is None


@pytest.mark.parametrize(("day", "rule"), HOSTILE_RULES)
@pytest.mark.parametrize("start", ["due", "completion"])
async def test_a_hostile_rule_is_answered_within_a_second(
    as_user: ClientFactory, day: str, rule: str, start: str
) -> None:
    owner = as_user("owner")
    plain = await create_task(owner, due={"date": day})
    recurrence = {"rule": rule, "from": start}

    began = perf_counter()
    response = await owner.patch(f"/tasks/{plain['id']}", json={"recurrence": recurrence})
    assert perf_counter() - began < 1
    if response.status_code == 422:
        assert problem_code(response) == (422, "recurrence-never")
        return

    began = perf_counter()
    await complete(owner, plain)
    assert perf_counter() - began < 1


BEFORE_GAP = {"date": "2027-03-21", "time": "02:30", "time_zone": "Europe/Berlin"}
IN_GAP = {"date": "2027-03-28", "time": "02:30", "time_zone": "Europe/Berlin"}


async def test_a_skipped_time_may_be_sent_back_unchanged(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_recurring(owner, "FREQ=WEEKLY", due=BEFORE_GAP)
    successor = await complete(owner, task)
    assert successor is not None
    assert successor["due"] == {**IN_GAP, "at": "2027-03-28T01:30:00.000000Z"}
    url = f"/tasks/{successor['id']}"

    assert (await owner.put(url, json=successor)).json() == successor
    assert (await change(owner, successor, due=IN_GAP)).json() == successor
    assert (await change(owner, successor, title="New", due=IN_GAP)).json()["due"] == (
        successor["due"]
    )
    following = await complete(owner, successor, due=successor["due"])
    assert due_date(following) == "2027-04-04"


async def test_another_due_date_at_a_skipped_time_is_422(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_task(owner, due=BEFORE_GAP)
    today = await owner.post("/tasks", json={"title": "x", "due": IN_GAP})
    assert problem_code(today) == (422, "skipped-time")

    for url in (f"/tasks/{task['id']}", f"/tasks/{uuid4()}"):
        for method in ("PATCH", "PUT"):
            response = await owner.request(method, url, json={"title": "x", "due": IN_GAP})
            assert response.status_code == 422
            assert response.json() | {"request_id": ""} == today.json() | {"request_id": ""}
    other_time = {"due": IN_GAP | {"time": "02:31"}}
    response = await owner.patch(f"/tasks/{task['id']}", json=other_time)
    assert problem_code(response) == (422, "skipped-time")


async def test_a_deleted_task_at_a_skipped_time_can_be_restored(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    successor = await complete(owner, await create_recurring(owner, "FREQ=WEEKLY", due=BEFORE_GAP))
    assert successor is not None
    url = f"/tasks/{successor['id']}"
    await owner.delete(url)

    without_instant = {"title": "x", "due": IN_GAP}
    refused = await owner.put(url, json=without_instant, headers=IF_ABSENT)
    assert problem_code(refused) == (422, "skipped-time")
    restored = await json_object(await owner.put(url, json=successor, headers=IF_ABSENT), 201)
    assert restored["due"] == successor["due"]
