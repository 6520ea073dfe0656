"""Lists: which tasks, in which order, how many of them, and what a query string may say."""

import json
from base64 import urlsafe_b64encode
from typing import Final, cast

import pytest
from httpx import Response

from e2e.support.contract import SOME_ID, Task, places_of, problem_of
from e2e.support.user_client import AsUser, Person

PAGES_MAX: Final = 20
"""More than any list of these tests has."""


async def pages(person: Person, **query: str) -> list[list[Task]]:
    """Read a list page by page."""
    return await follow(person, await person.get("/tasks", params=query))


async def follow(person: Person, answer: Response) -> list[list[Task]]:
    """Return a page and all that it links to."""
    read = [cast("list[Task]", answer.json())]
    while "next" in answer.links:
        answer = await person.get(answer.links["next"]["url"])
        assert answer.status_code == 200, answer.text
        read.append(cast("list[Task]", answer.json()))
        assert len(read) < PAGES_MAX
    return read


async def some_tasks(person: Person, count: int) -> list[Task]:
    return [
        await person.add(f"Number {number}", is_completed=number % 2 == 1)
        for number in range(count)
    ]


async def test_a_plain_list_has_everything_oldest_first(as_user: AsUser) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 12)
    changed = await ann.patch(f"/tasks/{tasks[3]['id']}", json={"title": "Changed"})

    answer = await ann.get("/tasks")

    assert answer.json() == [*tasks[:3], changed.json(), *tasks[4:]]
    assert "link" not in answer.headers
    assert tasks == sorted(tasks, key=lambda task: (task["created_at"], task["id"]))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"is_completed": "true"}, [1, 3]),
        ({"is_completed": "false"}, [0, 2, 4]),
        ({"status": "completed"}, [1, 3]),
        ({"status": "pending"}, [0, 2, 4]),
        ({"status": "pending", "is_completed": "false"}, [0, 2, 4]),
        ({"status": "completed", "is_completed": "true", "q": "number 3", "limit": "1"}, [3]),
        ({"q": "number", "limit": "500"}, [0, 1, 2, 3, 4]),
        ({"q": "number 0", "status": "completed"}, []),
    ],
)
async def test_filters_are_joined(
    as_user: AsUser, query: dict[str, str], wanted: list[int]
) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 5)

    assert await ann.tasks(**query) == [tasks[number] for number in wanted]


@pytest.mark.parametrize(("completed", "status"), [("true", "pending"), ("false", "completed")])
async def test_filters_that_contradict_each_other_are_refused(
    as_user: AsUser, completed: str, status: str
) -> None:
    query = {"is_completed": completed, "status": status}

    problem_of(await as_user("ann").get("/tasks", params=query), 400, "bad-request")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("is_completed", value)
            for value in ("", "1", "0", "yes", "True", "TRUE", "null", " true")
        ),
        *(
            ("status", value)
            for value in ("", "done", "Completed", "pending,completed", " pending")
        ),
        *(
            ("limit", value)
            for value in (
                "",
                "0",
                "-1",
                "501",
                "1.0",
                "1e1",
                "+1",
                "01",
                " 1",
                "1_0",
                "\u0661",
                "ten",
            )
        ),
        ("limit", "9" * 1_000),
        *(("q", value) for value in ("", "x" * 201, "a\0b")),
        *(("cursor", value) for value in ("", "x", "AAAA", SOME_ID, "=", "x" * 1_000, "\0")),
        *(
            (name, "1")
            for name in ("page", "offset", "Limit", "limit[]", "sort", "access_token", "token", "")
        ),
    ],
)
async def test_a_query_that_cannot_be_read_is_refused(
    as_user: AsUser, name: str, value: str
) -> None:
    answer = await as_user("ann").get("/tasks", params={name: value})

    problem = problem_of(answer, 400, "bad-request")
    assert [place[0] for place in places_of(problem)] == ["query"]


async def test_a_refused_query_does_not_come_back(as_user: AsUser) -> None:
    skull, ann = "\u2620", as_user("ann")
    wrong: dict[str, str] = dict.fromkeys(
        ("is_completed", "status", "limit", "cursor", skull), skull
    )

    for address in ("/tasks", f"/tasks/{skull}", f"/users/{skull}"):
        answer = await ann.get(address, params=wrong)
        problem_of(answer, 400, "bad-request")
        assert skull not in json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.parametrize("query", ["q=%FF", "q=%C3", "q=%ED%A0%80", "%FF=1", "q=a%C0%AFb"])
async def test_a_query_is_utf8(as_user: AsUser, query: str) -> None:
    ann = as_user("ann")
    await ann.add("\ufffd")

    problem_of(await ann.get(f"/tasks?{query}"), 400, "bad-request")


@pytest.mark.parametrize("name", ["is_completed", "status", "q", "limit", "user_id"])
async def test_a_parameter_that_is_given_twice_is_refused(as_user: AsUser, name: str) -> None:
    ann = as_user("ann")
    value = {"is_completed": "true", "status": "pending", "limit": "5"}.get(name, ann.id)

    problem = problem_of(await ann.get(f"/tasks?{name}={value}&{name}={value}"), 400, "bad-request")
    assert ["query", name] in places_of(problem)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/tasks"),
        *((verb, "/tasks/{task}") for verb in ("GET", "PATCH", "PUT", "DELETE")),
        *((verb, "/users/me") for verb in ("GET", "PATCH")),
        ("GET", "/users/{user}"),
    ],
)
async def test_a_parameter_that_an_address_does_not_know_is_refused(
    as_user: AsUser, verb: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.add()
    body = {"title": "x"} if verb in {"POST", "PUT"} and "tasks" in path else {}
    address = path.format(task=task["id"], user=ann.id)

    answer = await ann.request(verb, address, params={"limit": "1"}, content=json.dumps(body))

    assert places_of(problem_of(answer, 400, "bad-request")) == [["query", "limit"]]
    assert await ann.tasks() == [task]


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 6), (2, [2, 2, 2]), (4, [4, 2]), (6, [6]), (500, [6])]
)
async def test_pages_together_are_the_list(as_user: AsUser, limit: int, sizes: list[int]) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 6)

    read = await pages(ann, limit=str(limit))

    assert [len(page) for page in read] == sizes
    assert [task for page in read for task in page] == tasks


async def test_a_page_of_a_filtered_list_leads_to_its_next_one(as_user: AsUser) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 10)
    await ann.add("Something else", is_completed=True)

    for query in ({"q": "NUMBER"}, {"q": "number", "user_id": ann.id}):
        read = await pages(ann, status="completed", limit="2", **query)
        assert read == [[tasks[1], tasks[3]], [tasks[5], tasks[7]], [tasks[9]]]


async def test_a_link_keeps_what_was_searched_for(as_user: AsUser) -> None:
    ann = as_user("ann")
    tasks = [await ann.add(f"50% of a+b & c=ü \\ # {number}") for number in range(3)]
    await ann.add("50")

    assert await pages(ann, q="50% of A+B & c=Ü \\ #", limit="2") == [tasks[:2], tasks[2:]]


async def test_a_link_is_written_as_web_linking_wants_it(as_user: AsUser) -> None:
    ann = as_user("ann")
    await some_tasks(ann, 2)

    link = (await ann.get("/tasks", params={"limit": 1})).headers["link"]

    address, _, relation = link.partition(">; ")
    assert relation == 'rel="next"'
    assert address.startswith(("</tasks?", f"<{ann.base_url}tasks?"))


async def test_an_empty_list_has_no_next_page(as_user: AsUser) -> None:
    answer = await as_user("ann").get("/tasks", params={"limit": 1})

    assert (answer.json(), answer.links) == ([], {})


async def test_paging_neither_repeats_nor_misses_anything_while_the_list_changes(
    as_user: AsUser,
) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 7)
    first = await ann.get("/tasks", params={"limit": 2})

    for number in (0, 1, 4):
        await ann.delete(f"/tasks/{tasks[number]['id']}")
    await ann.patch(f"/tasks/{tasks[2]['id']}", json={"title": "Changed"})
    added = await ann.add("Added")
    seen = [task for page in await follow(ann, first) for task in page]

    left = [tasks[number]["id"] for number in (0, 1, 2, 3, 5, 6)]
    assert [task["id"] for task in seen] == [*left, added["id"]]


@pytest.mark.parametrize("tamper", ["{}=", "{}A", "x{}", "{} ", "{}\n"])
async def test_a_cursor_that_was_not_handed_out_is_refused(as_user: AsUser, tamper: str) -> None:
    ann = as_user("ann")
    await some_tasks(ann, 2)
    link = (await ann.get("/tasks", params={"limit": 1})).links["next"]["url"]
    cursor = ann.build_request("GET", link).url.params["cursor"]

    problem_of(
        await ann.get("/tasks", params={"limit": 1, "cursor": tamper.format(cursor)}),
        400,
        "bad-request",
    )


@pytest.mark.parametrize("length", [1, 8, 16, 23, 24, 25, 1_000])
async def test_a_cursor_of_any_bytes_breaks_nothing(as_user: AsUser, length: int) -> None:
    for byte in (b"\0", b"\x7f", b"\xff"):
        cursor = urlsafe_b64encode(byte * length).decode()
        answer = await as_user("ann").get("/tasks", params={"limit": 1, "cursor": cursor})
        assert answer.status_code in {200, 400}, answer.text
