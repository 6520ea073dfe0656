"""Which planned tasks a list holds, and what it can be sorted by."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import create_list, create_task, list_titles

FAULTS = [
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

SORTS = ("created_at", "updated_at", "title", "due", "priority", "position", "is_completed")


@pytest.fixture
async def owner(as_user: ClientFactory) -> AsyncClient:
    """Be somebody with four tasks that differ in everything."""
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


async def pages(owner: AsyncClient, query: str) -> list[str]:
    """Follow a list from page to page, and return the title on each."""
    page = await owner.get(f"/tasks?{query}&limit=1")
    seen = [task["title"] for task in page.json()]
    while "next" in page.links:
        page = await owner.get(page.links["next"]["url"])
        seen += [task["title"] for task in page.json()]
    return seen


@pytest.mark.parametrize(
    ("query", "found"),
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
async def test_the_list_is_narrowed_by_what_is_planned(
    owner: AsyncClient, query: str, found: str
) -> None:
    answer = await owner.get(f"/tasks?{query}")

    assert "".join(task["title"] for task in answer.json()) == found
    assert ("etag" in answer.headers) == ("overdue" not in query)


@pytest.mark.parametrize(
    ("sort", "found"),
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
async def test_the_list_is_sorted_and_its_pages_go_on(
    owner: AsyncClient, sort: str, found: str
) -> None:
    assert "".join(await list_titles(owner, sort=sort)) == found
    assert await pages(owner, f"sort={sort}") == [*found]


@pytest.mark.parametrize("query", ["priority=low&priority=high", "priority=high&priority=low"])
async def test_pages_keep_every_filter(owner: AsyncClient, query: str) -> None:
    assert await pages(owner, f"{query}&due_before=2100-01-01&sort=title") == ["C", "d"]
    assert await pages(owner, f"{query}&sort=created_at") == ["d", "C", "a"]


@pytest.mark.scenario("S006-FR-003", "S006-SC-004")
@pytest.mark.parametrize("query", FAULTS)
async def test_a_query_that_is_not_understood_is_refused(
    as_user: ClientFactory, query: str
) -> None:
    answer = await as_user("owner").get(f"/tasks?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    ("query", "location", "words"),
    [
        ("label[]=x", ["query", "label[]"], ["label"]),
        ("priority[]=high", ["query", "priority[]"], ["priority"]),
        ("due_befor=2026-01-01", ["query", "due_befor"], ["due_before"]),
        ("sort=colour", ["query", "sort"], [*SORTS]),
        ("status=done", ["query", "status"], ["pending", "completed"]),
        ("priority=urgent", ["query", "priority", 0], ["none", "low", "medium", "high"]),
        ("list_id=inbox", ["query", "list_id"], ["none"]),
        ("overdue=1", ["query", "overdue"], ["true", "false"]),
    ],
)
async def test_a_word_that_is_not_understood_is_told_with_those_that_are(
    as_user: ClientFactory, query: str, location: list[str | int], words: list[str]
) -> None:
    answer = await as_user("owner").get(f"/tasks?{query}")

    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["location"]) == (400, location)
    assert all(word in fault["message"] for word in words), fault["message"]


MARKS = "a" + "%CC%80%CC%96" * 100


@pytest.mark.parametrize(
    "query", [f"q={MARKS}", f"label={MARKS}", f"label=x&label={MARKS}", f"time_zone={MARKS}"]
)
async def test_no_text_of_a_query_has_too_many_marks(as_user: ClientFactory, query: str) -> None:
    answer = await as_user("owner").get(f"/tasks?{query}")

    assert (answer.status_code, [fault["code"] for fault in answer.json()["errors"]]) == (
        400,
        ["too-many-marks"],
    )


@pytest.mark.parametrize("query", ["label=" + "&label=" * 1_000, "priority=" + "&priority=" * 700])
async def test_what_is_repeated_too_often_is_refused_as_a_whole(
    as_user: ClientFactory, query: str
) -> None:
    answer = await as_user("owner").get(f"/tasks?{query}")

    assert (answer.status_code, [fault["code"] for fault in answer.json()["errors"]]) == (
        400,
        ["too-long"],
    )


@pytest.mark.parametrize("sort", SORTS)
async def test_a_cursor_is_of_one_order(owner: AsyncClient, sort: str) -> None:
    cursor = str((await owner.get(f"/tasks?sort={sort}&limit=1")).links["next"]["url"]).rpartition(
        "cursor="
    )[2]

    for other in set(SORTS) - {sort}:
        assert (await owner.get(f"/tasks?sort={other}&limit=1&cursor={cursor}")).status_code == 400


@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "UTC", "Pacific/Kiritimati"])
async def test_what_is_overdue_is_told_by_the_callers_day(
    as_user: ClientFactory, zone: str
) -> None:
    owner, today = as_user("owner"), datetime.now(ZoneInfo(zone)).date()
    await create_task(owner, "yesterday", due={"date": f"{today - timedelta(days=1)}"})
    await create_task(owner, "today", due={"date": f"{today}"})
    for title, minutes in (("just now", -5), ("soon", 5)):
        then = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(minutes=minutes)
        due = {"date": f"{then:%Y-%m-%d}", "time": f"{then:%H:%M}", "time_zone": "Asia/Tokyo"}
        await create_task(owner, title, due=due)

    assert await list_titles(owner, overdue="true", time_zone=zone) == ["yesterday", "just now"]
    assert await list_titles(owner, overdue="false", time_zone=zone) == ["today", "soon"]


async def test_a_list_that_depends_on_the_clock_is_always_shown(owner: AsyncClient) -> None:
    tag = (await owner.get("/tasks")).headers["etag"]

    assert (
        await owner.get("/tasks?overdue=true", headers={"If-None-Match": tag})
    ).status_code == 200
