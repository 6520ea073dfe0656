"""Which tasks a list holds, in which order, and how its pages follow each other."""

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory


async def _make(owner: AsyncClient, *titles: str) -> list[str]:
    for title in titles:
        assert (await owner.post("/tasks", json={"title": title})).status_code == 201
    return list(titles)


async def _titles(owner: AsyncClient, query: str = "") -> list[str]:
    answer = await owner.get(f"/tasks{query}")
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.json()]


@pytest.mark.scenario("S001-US2.2")
async def test_a_user_without_tasks_gets_an_empty_array(as_user: ClientFactory) -> None:
    assert (await as_user("nobody").get("/tasks")).text == "[]"


@pytest.mark.scenario("S001-US2.1")
async def test_the_list_is_whole_and_in_the_order_of_making(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = await _make(owner, "b", "a", "c")

    assert await _titles(owner) == made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?is_completed=true", ["done"]),
        ("?is_completed=false", ["open"]),
        ("?status=completed", ["done"]),
        ("?status=pending&is_completed=false", ["open"]),
    ],
)
async def test_the_list_is_narrowed_by_state(
    as_user: ClientFactory, query: str, found: list[str]
) -> None:
    owner = as_user("owner")
    await owner.post("/tasks", json={"title": "done", "is_completed": True})
    await owner.post("/tasks", json={"title": "open"})

    assert await _titles(owner, query) == found


@pytest.mark.parametrize(
    ("title", "q"),
    [
        ("Äpfel kaufen", "äPFEL"),
        ("ΟΔΟΣ", "οδός".replace("ό", "ο")),
        ("Στους δρόμους", "ΣΤΟΥΣ"),
        ("Groſs", "gross"),
        ("50 % off", "%"),
        ("a_b", "_"),
        ("back\\slash", "\\"),
        ("e\u0301clair", "\u00c9CLAIR"),
    ],
)
async def test_a_text_is_found_without_regard_to_case(
    as_user: ClientFactory, title: str, q: str
) -> None:
    owner = as_user("owner")
    await _make(owner, title, "nothing like it")

    found = (await owner.get("/tasks", params={"q": q})).json()

    assert len(found) == 1


@pytest.mark.parametrize("q", ["a%b", "a_b", "\\", "sß"])
async def test_a_text_means_itself(as_user: ClientFactory, q: str) -> None:
    owner = as_user("owner")
    await _make(owner, "aXb", "SS")

    assert (await owner.get("/tasks", params={"q": q})).json() == []


async def test_a_description_is_searched_too(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await owner.post("/tasks", json={"title": "Shop", "description": "Two\nlemons"})

    assert await _titles(owner, "?q=LEMON") == ["Shop"]


async def test_pages_follow_each_other_while_tasks_come_and_go(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await _make(owner, "1", "2", "3", "4")

    first = await owner.get("/tasks?limit=2&status=pending")
    await owner.delete(f"/tasks/{first.json()[1]['id']}")
    await _make(owner, "5")
    second = await owner.get(first.links["next"]["url"])
    third = await owner.get(second.links["next"]["url"])

    pages = [[task["title"] for task in page.json()] for page in (first, second, third)]
    assert pages == [["1", "2"], ["3", "4"], ["5"]]
    assert "next" not in third.links


async def test_a_page_that_is_just_full_has_no_next_one(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await _make(owner, "1", "2")

    assert "link" not in (await owner.get("/tasks?limit=2")).headers
    assert "link" not in (await owner.get("/tasks")).headers


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=501",
        "?limit=1.0",
        "?limit=+5",
        "?limit=５",
        "?limit=",
        "?limit=1&limit=1",
        "?cursor=",
        "?cursor=AAAA",
        "?cursor=%00",
        "?cursor=" + "A" * 31 + "=",
        "?cursor=" + "_" * 32,
        "?cursor=AAZgx3MGkuEBof3Pnzlz5qmGevIcY8o%2B",
        "?is_completed=1",
        "?is_completed=True",
        "?status=done",
        "?status=pending&is_completed=true",
        "?q=",
        "?q=%00",
        "?q=" + "a" * 201,
        "?colour=red",
        "?user_id=someone&limit=0",
    ],
)
@pytest.mark.scenario("S002-US4.1")
async def test_an_invalid_query_is_rejected(as_user: ClientFactory, query: str) -> None:
    answer = await as_user("owner").get(f"/tasks{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
    assert answer.json()["errors"][0]["location"][0] == "query"
