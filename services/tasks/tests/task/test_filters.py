"""Filters and orders of the task list by planning fields."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import (
    create_list,
    create_task,
    field_values,
    json_object,
    list_titles,
    problem_code,
)

INVALID_QUERIES = [
    "list_id=x",
    "list_id=",
    f"list_id=urn:uuid:{UUID(int=1)}",
    "label=",
    "label=%00",
    "priority=urgent",
    "priority=high&priority=urgent",
    "due_before=tomorrow",
    "due_after=2026-02-30",
    "due_after=1969-12-31",
    "overdue=yes",
    "time_zone=Mars",
    "sort=colour",
    "sort=--title",
    "sort=title&sort=due",
    "cursor=dGl0bGU",
    "sort=title&cursor=AAZgx3MGkuEBof3Pnzlz5qmGevIcY8o-",
]

TEST_SECONDS = 20
"""Far longer than a test may take."""

SORT_KEYS = ["created_at", "updated_at", "title", "due", "priority", "position", "is_completed"]


@pytest.fixture
async def owner(as_user: ClientFactory) -> AsyncClient:
    """Return the client of an owner with four tasks that differ in all fields."""
    owner = as_user("owner")
    garden = await create_list(owner)
    await create_task(
        owner,
        "d",
        priority="low",
        labels=["x", "y"],
        due={"date": "2020-01-02"},
        list_id=garden["id"],
    )
    timed = {"date": "2020-01-01", "time": "23:00", "time_zone": "America/New_York"}
    await create_task(owner, "C", priority="high", labels=["X"], due=timed, is_completed=True)
    await create_task(owner, "b", due={"date": "2199-01-01"}, list_id=garden["id"])
    await create_task(owner, "a", priority="low", labels=["y"])
    return owner


async def _titles_of_pages(owner: AsyncClient, query: str) -> str:
    """Read a list page by page, with one task a page, and return the titles."""
    page = await owner.get(f"/tasks?{query}&limit=1")
    titles = field_values(page.json(), "title")
    while "next" in page.links:
        page = await owner.get(page.links["next"]["url"])
        titles += field_values(page.json(), "title")
    return "".join(titles)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("priority=low", "da"),
        ("priority=low&priority=high", "dCa"),
        ("label=X", "dC"),
        ("label=x&label=Y", "d"),
        ("label=x&label=X", "dC"),
        ("label=unknown", ""),
        ("due_before=2020-01-02", "C"),
        ("due_after=2020-01-01", "db"),
        ("due_after=2020-01-01&due_before=2020-01-03", "d"),
        ("overdue=true", "d"),
        ("overdue=false", "Cba"),
        ("overdue=true&time_zone=Pacific/Kiritimati", "d"),
        ("list_id=none", "Ca"),
        ("list_id=none&status=pending", "a"),
        ("priority=low&label=y&q=A&is_completed=false", "a"),
    ],
)
async def test_the_list_is_filtered_by_planning_fields(
    owner: AsyncClient, query: str, titles: str
) -> None:
    response = await owner.get(f"/tasks?{query}")

    assert "".join(field_values(response.json(), "title")) == titles
    has_etag = "etag" in response.headers
    assert has_etag == ("overdue" not in query)


@pytest.mark.parametrize(
    ("sort", "titles"),
    [
        ("created_at", "dCba"),
        ("-created_at", "abCd"),
        ("updated_at", "dCba"),
        ("title", "abCd"),
        ("-title", "dCba"),
        ("due", "Cdba"),
        ("-due", "bdCa"),
        ("priority", "bdaC"),
        ("-priority", "Cdab"),
        ("position", "dCba"),
        ("-position", "abCd"),
        ("is_completed", "dbaC"),
        ("-is_completed", "Cdba"),
    ],
)
async def test_the_list_and_its_pages_are_sorted(
    owner: AsyncClient, sort: str, titles: str
) -> None:
    assert "".join(await list_titles(owner, sort=sort)) == titles
    assert await _titles_of_pages(owner, f"sort={sort}") == titles


@pytest.mark.parametrize("query", ["priority=low&priority=high", "priority=high&priority=low"])
async def test_pages_keep_every_filter(owner: AsyncClient, query: str) -> None:
    due_query = f"{query}&due_before=2100-01-01&sort=title"

    assert await _titles_of_pages(owner, due_query) == "Cd"
    assert await _titles_of_pages(owner, f"{query}&sort=created_at") == "dCa"


@pytest.mark.scenario("S006-FR-003", "S006-SC-004")
@pytest.mark.parametrize("query", INVALID_QUERIES)
async def test_an_invalid_query_is_rejected(as_user: ClientFactory, query: str) -> None:
    response = await as_user("owner").get(f"/tasks?{query}")

    problem = await json_object(response, 400)
    assert problem["code"] == "bad-request"


@pytest.mark.parametrize(
    ("query", "location", "words"),
    [
        ("label[]=x", ["query", "label[]"], ["label"]),
        ("priority[]=high", ["query", "priority[]"], ["priority"]),
        ("due_befor=2026-01-01", ["query", "due_befor"], ["due_before"]),
        ("sort=colour", ["query", "sort"], SORT_KEYS),
        ("status=done", ["query", "status"], ["pending", "completed"]),
        ("priority=urgent", ["query", "priority", 0], ["none", "low", "medium", "high"]),
        ("list_id=inbox", ["query", "list_id"], ["none"]),
        ("overdue=1", ["query", "overdue"], ["true", "false"]),
    ],
)
async def test_an_error_of_a_query_names_the_valid_words(
    as_user: ClientFactory, query: str, location: list[str | int], words: list[str]
) -> None:
    response = await as_user("owner").get(f"/tasks?{query}")

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["location"] == location
    for word in words:
        assert word in error["message"]


MARKS = "a" + "%CC%80%CC%96" * 100
"""A letter with 200 combining marks."""


@pytest.mark.parametrize(
    "query", [f"q={MARKS}", f"label={MARKS}", f"label=x&label={MARKS}", f"time_zone={MARKS}"]
)
async def test_a_query_with_too_many_combining_marks_is_rejected(
    as_user: ClientFactory, query: str
) -> None:
    response = await as_user("owner").get(f"/tasks?{query}")

    assert problem_code(response) == (400, "too-many-marks")
    assert len(response.json()["errors"]) == 1


@pytest.mark.parametrize("query", ["label=" + "&label=" * 1_000, "priority=" + "&priority=" * 700])
async def test_a_parameter_that_is_repeated_too_often_is_rejected_with_one_error(
    as_user: ClientFactory, query: str
) -> None:
    response = await as_user("owner").get(f"/tasks?{query}")

    assert problem_code(response) == (400, "too-long")
    assert len(response.json()["errors"]) == 1


@pytest.mark.parametrize("sort", SORT_KEYS)
async def test_a_cursor_is_valid_for_one_order_only(owner: AsyncClient, sort: str) -> None:
    page = await owner.get(f"/tasks?sort={sort}&limit=1")
    cursor = page.links["next"]["url"].rpartition("cursor=")[2]

    for other_sort in set(SORT_KEYS) - {sort}:
        rejected = await owner.get(f"/tasks?sort={other_sort}&limit=1&cursor={cursor}")
        assert rejected.status_code == 400


async def _day_that_lasts(zone: str) -> date:
    """Return the day in a time zone; if it is about to end, wait for the next one first."""
    now = datetime.now(ZoneInfo(zone))
    end = now + timedelta(seconds=TEST_SECONDS)
    if end.date() != now.date():
        await asyncio.sleep(TEST_SECONDS)
    return end.date()


@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "UTC", "Pacific/Kiritimati"])
async def test_the_day_in_the_clients_time_zone_decides_what_is_overdue(
    as_user: ClientFactory, zone: str
) -> None:
    owner = as_user("owner")
    today = await _day_that_lasts(zone)
    yesterday = today - timedelta(days=1)
    await create_task(owner, "yesterday", due={"date": str(yesterday)})
    await create_task(owner, "today", due={"date": str(today)})
    for title, minutes in (("just now", -5), ("soon", 5)):
        due_at = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(minutes=minutes)
        due = {"date": f"{due_at:%Y-%m-%d}", "time": f"{due_at:%H:%M}", "time_zone": "Asia/Tokyo"}
        await create_task(owner, title, due=due)

    assert await list_titles(owner, overdue="true", time_zone=zone) == ["yesterday", "just now"]
    assert await list_titles(owner, overdue="false", time_zone=zone) == ["today", "soon"]


async def test_a_list_that_depends_on_the_clock_is_never_304(owner: AsyncClient) -> None:
    etag = (await owner.get("/tasks")).headers["etag"]

    response = await owner.get("/tasks?overdue=true", headers={"If-None-Match": etag})

    assert response.status_code == 200
