"""Lists: which tasks, in which order, how many of them, and what a query string may say."""

import json
from base64 import urlsafe_b64encode
from typing import Final, cast

import pytest
from httpx import Response

from e2e.support.contract import UNKNOWN_ID, Task, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

PAGES_MAX: Final = 20
"""More than any list of these tests has."""


async def pages(user: UserClient, **query: str) -> list[list[Task]]:
    """Read a list page by page."""
    return await follow(user, await user.get("/tasks", params=query))


async def follow(user: UserClient, response: Response) -> list[list[Task]]:
    """Return a page and all that it links to."""
    read = [cast("list[Task]", response.json())]
    while "next" in response.links:
        response = await user.get(response.links["next"]["url"])
        assert response.status_code == 200, response.text
        read.append(cast("list[Task]", response.json()))
        assert len(read) < PAGES_MAX
    return read


async def some_tasks(user: UserClient, count: int) -> list[Task]:
    return [
        await user.create_task(f"Number {number}", is_completed=number % 2 == 1)
        for number in range(count)
    ]


async def test_a_plain_list_has_everything_oldest_first(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 12)
    changed = await ann.patch(f"/tasks/{tasks[3]['id']}", json={"title": "Changed"})

    response = await ann.get("/tasks")

    assert response.json() == [*tasks[:3], changed.json(), *tasks[4:]]
    assert "link" not in response.headers
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
    as_user: UserClientFactory, query: dict[str, str], wanted: list[int]
) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 5)

    assert await ann.list_tasks(**query) == [tasks[number] for number in wanted]


@pytest.mark.parametrize(("completed", "status"), [("true", "pending"), ("false", "completed")])
async def test_filters_that_contradict_each_other_are_refused(
    as_user: UserClientFactory, completed: str, status: str
) -> None:
    query = {"is_completed": completed, "status": status}

    assert_problem(await as_user("ann").get("/tasks", params=query), 400, "bad-request")


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
        *(("cursor", value) for value in ("", "x", "AAAA", UNKNOWN_ID, "=", "x" * 1_000, "\0")),
        *(
            (name, "1")
            for name in ("page", "offset", "Limit", "limit[]", "sort", "access_token", "token", "")
        ),
    ],
)
async def test_a_query_that_cannot_be_read_is_refused(
    as_user: UserClientFactory, name: str, value: str
) -> None:
    response = await as_user("ann").get("/tasks", params={name: value})

    problem = assert_problem(response, 400, "bad-request")
    assert [place[0] for place in error_locations(problem)] == ["query"]


async def test_a_refused_query_does_not_come_back(as_user: UserClientFactory) -> None:
    skull, ann = "\u2620", as_user("ann")
    wrong: dict[str, str] = dict.fromkeys(
        ("is_completed", "status", "limit", "cursor", skull), skull
    )

    for path in ("/tasks", f"/tasks/{skull}", f"/users/{skull}"):
        response = await ann.get(path, params=wrong)
        assert_problem(response, 400, "bad-request")
        assert skull not in json.dumps(response.json(), ensure_ascii=False)


@pytest.mark.parametrize("query", ["q=%FF", "q=%C3", "q=%ED%A0%80", "%FF=1", "q=a%C0%AFb"])
async def test_a_query_is_utf8(as_user: UserClientFactory, query: str) -> None:
    ann = as_user("ann")
    await ann.create_task("\ufffd")

    assert_problem(await ann.get(f"/tasks?{query}"), 400, "bad-request")


@pytest.mark.parametrize("name", ["is_completed", "status", "q", "limit", "user_id"])
async def test_a_parameter_that_is_given_twice_is_refused(
    as_user: UserClientFactory, name: str
) -> None:
    ann = as_user("ann")
    value = {"is_completed": "true", "status": "pending", "limit": "5"}.get(name, ann.id)

    problem = assert_problem(
        await ann.get(f"/tasks?{name}={value}&{name}={value}"), 400, "bad-request"
    )
    assert ["query", name] in error_locations(problem)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks"),
        *((method, "/tasks/{task}") for method in ("GET", "PATCH", "PUT", "DELETE")),
        *((method, "/users/me") for method in ("GET", "PATCH")),
        ("GET", "/users/{user}"),
    ],
)
async def test_a_parameter_that_an_address_does_not_know_is_refused(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    body = {"title": "x"} if method in {"POST", "PUT"} and "tasks" in path else {}
    path = path.format(task=task["id"], user=ann.id)

    response = await ann.request(method, path, params={"limit": "1"}, content=json.dumps(body))

    assert error_locations(assert_problem(response, 400, "bad-request")) == [["query", "limit"]]
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 6), (2, [2, 2, 2]), (4, [4, 2]), (6, [6]), (500, [6])]
)
async def test_pages_together_are_the_list(
    as_user: UserClientFactory, limit: int, sizes: list[int]
) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 6)

    read = await pages(ann, limit=str(limit))

    assert [len(page) for page in read] == sizes
    assert [task for page in read for task in page] == tasks


async def test_a_page_of_a_filtered_list_leads_to_its_next_one(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 10)
    await ann.create_task("Something else", is_completed=True)

    for query in ({"q": "NUMBER"}, {"q": "number", "user_id": ann.id}):
        read = await pages(ann, status="completed", limit="2", **query)
        assert read == [[tasks[1], tasks[3]], [tasks[5], tasks[7]], [tasks[9]]]


async def test_a_link_keeps_what_was_searched_for(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    tasks = [await ann.create_task(f"50% of a+b & c=ü \\ # {number}") for number in range(3)]
    await ann.create_task("50")

    assert await pages(ann, q="50% of A+B & c=Ü \\ #", limit="2") == [tasks[:2], tasks[2:]]


async def test_a_link_is_written_as_web_linking_wants_it(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    await some_tasks(ann, 2)

    link = (await ann.get("/tasks", params={"limit": 1})).headers["link"]

    path, _, relation = link.partition(">; ")
    assert relation == 'rel="next"'
    assert path.startswith(("</tasks?", f"<{ann.base_url}tasks?"))


async def test_an_empty_list_has_no_next_page(as_user: UserClientFactory) -> None:
    response = await as_user("ann").get("/tasks", params={"limit": 1})

    assert (response.json(), response.links) == ([], {})


async def test_paging_neither_repeats_nor_misses_anything_while_the_list_changes(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    tasks = await some_tasks(ann, 7)
    first = await ann.get("/tasks", params={"limit": 2})

    for number in (0, 1, 4):
        await ann.delete(f"/tasks/{tasks[number]['id']}")
    await ann.patch(f"/tasks/{tasks[2]['id']}", json={"title": "Changed"})
    added = await ann.create_task("Added")
    seen = [task for page in await follow(ann, first) for task in page]

    left = [tasks[number]["id"] for number in (0, 1, 2, 3, 5, 6)]
    assert [task["id"] for task in seen] == [*left, added["id"]]


@pytest.mark.parametrize("tamper", ["{}=", "{}A", "x{}", "{} ", "{}\n"])
async def test_a_cursor_that_was_not_handed_out_is_refused(
    as_user: UserClientFactory, tamper: str
) -> None:
    ann = as_user("ann")
    await some_tasks(ann, 2)
    link = (await ann.get("/tasks", params={"limit": 1})).links["next"]["url"]
    cursor = ann.build_request("GET", link).url.params["cursor"]

    assert_problem(
        await ann.get("/tasks", params={"limit": 1, "cursor": tamper.format(cursor)}),
        400,
        "bad-request",
    )


@pytest.mark.parametrize("length", [1, 8, 16, 23, 24, 25, 1_000])
async def test_a_cursor_of_any_bytes_breaks_nothing(
    as_user: UserClientFactory, length: int
) -> None:
    for byte in (b"\0", b"\x7f", b"\xff"):
        cursor = urlsafe_b64encode(byte * length).decode()
        response = await as_user("ann").get("/tasks", params={"limit": 1, "cursor": cursor})
        assert response.status_code in {200, 400}, response.text
