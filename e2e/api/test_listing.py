"""GET /tasks: which tasks, in which order, page by page, and what a query may contain."""

import json
from base64 import urlsafe_b64encode
from typing import Final, cast

import pytest
from httpx import Response

from e2e.support.contract import UNKNOWN_ID, Task, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

PAGES_MAX: Final = 20
"""More pages than any list of these tests has."""


async def read_pages(user: UserClient, **query: str) -> list[list[Task]]:
    """List tasks page by page."""
    return await follow_links(user, await user.get("/tasks", params=query))


async def follow_links(user: UserClient, response: Response) -> list[list[Task]]:
    """Return a page and all following ones."""
    pages = [cast("list[Task]", response.json())]
    while "next" in response.links:
        response = await user.get(response.links["next"]["url"])
        assert response.status_code == 200, response.text
        pages.append(cast("list[Task]", response.json()))
        assert len(pages) < PAGES_MAX
    return pages


async def create_tasks(user: UserClient, count: int) -> list[Task]:
    """Create tasks, of which every second one is completed."""
    tasks: list[Task] = []
    for number in range(count):
        task = await user.create_task(f"Number {number}", is_completed=number % 2 == 1)
        tasks.append(task)
    return tasks


async def test_a_list_without_filters_has_all_tasks_oldest_first(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    tasks = await create_tasks(ann, 12)
    changed = await ann.patch(f"/tasks/{tasks[3]['id']}", json={"title": "Changed"})

    response = await ann.get("/tasks")

    assert tasks == sorted(tasks, key=lambda task: (task["created_at"], task["id"]))
    tasks[3] = changed.json()
    assert response.json() == tasks
    assert "link" not in response.headers


@pytest.mark.parametrize(
    ("query", "matching_numbers"),
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
async def test_filters_are_combined(
    as_user: UserClientFactory, query: dict[str, str], matching_numbers: list[int]
) -> None:
    ann = as_user("ann")
    tasks = await create_tasks(ann, 5)

    assert await ann.list_tasks(**query) == [tasks[number] for number in matching_numbers]


@pytest.mark.parametrize(("is_completed", "status"), [("true", "pending"), ("false", "completed")])
async def test_contradictory_filters_are_rejected(
    as_user: UserClientFactory, is_completed: str, status: str
) -> None:
    query = {"is_completed": is_completed, "status": status}

    response = await as_user("ann").get("/tasks", params=query)

    assert_problem(response, 400, "bad-request")


INVALID_VALUES: Final = {
    "is_completed": ["", "1", "0", "yes", "True", "TRUE", "null", " true"],
    "status": ["", "done", "Completed", "pending,completed", " pending"],
    "limit": [
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
        "9" * 1_000,
    ],
    "q": ["", "x" * 201, "a\0b"],
    "cursor": ["", "x", "AAAA", UNKNOWN_ID, "=", "x" * 1_000, "\0"],
}

UNKNOWN_PARAMETERS: Final = (
    "page",
    "offset",
    "Limit",
    "limit[]",
    "sort",
    "access_token",
    "token",
    "",
)

INVALID_PARAMETERS: Final = [
    (name, value) for name, values in INVALID_VALUES.items() for value in values
] + [(name, "1") for name in UNKNOWN_PARAMETERS]


@pytest.mark.parametrize(("name", "value"), INVALID_PARAMETERS)
async def test_an_invalid_query_is_rejected(
    as_user: UserClientFactory, name: str, value: str
) -> None:
    response = await as_user("ann").get("/tasks", params={name: value})

    problem = assert_problem(response, 400, "bad-request")
    [location] = error_locations(problem)
    assert location[0] == "query"


async def test_a_problem_does_not_repeat_the_query(as_user: UserClientFactory) -> None:
    skull = "\u2620"
    ann = as_user("ann")
    names = ("is_completed", "status", "limit", "cursor", skull)
    query: dict[str, str] = dict.fromkeys(names, skull)

    for path in ("/tasks", f"/tasks/{skull}", f"/users/{skull}"):
        response = await ann.get(path, params=query)
        assert_problem(response, 400, "bad-request")
        assert skull not in json.dumps(response.json(), ensure_ascii=False)


@pytest.mark.parametrize("query", ["q=%FF", "q=%C3", "q=%ED%A0%80", "%FF=1", "q=a%C0%AFb"])
async def test_a_query_must_be_utf8(as_user: UserClientFactory, query: str) -> None:
    ann = as_user("ann")
    await ann.create_task("\ufffd")

    response = await ann.get(f"/tasks?{query}")

    assert_problem(response, 400, "bad-request")


@pytest.mark.parametrize("name", ["is_completed", "status", "q", "limit", "user_id"])
async def test_a_repeated_parameter_is_rejected(as_user: UserClientFactory, name: str) -> None:
    ann = as_user("ann")
    values = {"is_completed": "true", "status": "pending", "limit": "5"}
    value = values.get(name, ann.id)

    response = await ann.get(f"/tasks?{name}={value}&{name}={value}")

    problem = assert_problem(response, 400, "bad-request")
    assert ["query", name] in error_locations(problem)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks"),
        ("GET", "/tasks/{task}"),
        ("PATCH", "/tasks/{task}"),
        ("PUT", "/tasks/{task}"),
        ("DELETE", "/tasks/{task}"),
        ("GET", "/users/me"),
        ("PATCH", "/users/me"),
        ("GET", "/users/{user}"),
    ],
)
async def test_a_parameter_of_another_endpoint_is_rejected(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    body = "{}"
    if method in {"POST", "PUT"}:
        body = '{"title": "x"}'
    url = path.format(task=task["id"], user=ann.id)

    response = await ann.request(method, url, params={"limit": "1"}, content=body)

    problem = assert_problem(response, 400, "bad-request")
    assert error_locations(problem) == [["query", "limit"]]
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize(
    ("limit", "page_sizes"),
    [(1, [1, 1, 1, 1, 1, 1]), (2, [2, 2, 2]), (4, [4, 2]), (6, [6]), (500, [6])],
)
async def test_all_pages_together_are_the_list(
    as_user: UserClientFactory, limit: int, page_sizes: list[int]
) -> None:
    ann = as_user("ann")
    tasks = await create_tasks(ann, 6)

    pages = await read_pages(ann, limit=str(limit))

    assert [len(page) for page in pages] == page_sizes
    assert [task for page in pages for task in page] == tasks


async def test_links_keep_the_filters(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    tasks = await create_tasks(ann, 10)
    await ann.create_task("Something else", is_completed=True)

    expected_pages = [[tasks[1], tasks[3]], [tasks[5], tasks[7]], [tasks[9]]]
    pages = await read_pages(ann, q="NUMBER", status="completed", limit="2")
    assert pages == expected_pages
    pages = await read_pages(ann, q="number", user_id=ann.id, status="completed", limit="2")
    assert pages == expected_pages


async def test_links_keep_the_search_text(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    tasks = [await ann.create_task(f"50% of a+b & c=ü \\ # {number}") for number in range(3)]
    await ann.create_task("50")

    pages = await read_pages(ann, q="50% of A+B & c=Ü \\ #", limit="2")

    assert pages == [tasks[:2], tasks[2:]]


async def test_a_link_has_the_form_of_web_linking(as_user: UserClientFactory) -> None:
    """Source: RFC 8288."""
    ann = as_user("ann")
    await create_tasks(ann, 2)

    response = await ann.get("/tasks", params={"limit": 1})

    target, _, parameters = response.headers["link"].partition(">; ")
    assert parameters == 'rel="next"'
    assert target.startswith(("</tasks?", f"<{ann.base_url}tasks?"))


async def test_an_empty_list_has_no_next_page(as_user: UserClientFactory) -> None:
    response = await as_user("ann").get("/tasks", params={"limit": 1})

    assert response.json() == []
    assert response.links == {}


async def test_paging_neither_repeats_nor_misses_tasks_while_the_list_changes(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    tasks = await create_tasks(ann, 7)
    first_page = await ann.get("/tasks", params={"limit": 2})

    for number in (0, 1, 4):
        await ann.delete(f"/tasks/{tasks[number]['id']}")
    await ann.patch(f"/tasks/{tasks[2]['id']}", json={"title": "Changed"})
    added = await ann.create_task("Added")
    pages = await follow_links(ann, first_page)

    listed_ids = [task["id"] for page in pages for task in page]
    expected_ids = [tasks[number]["id"] for number in (0, 1, 2, 3, 5, 6)]
    assert listed_ids == [*expected_ids, added["id"]]


@pytest.mark.parametrize("template", ["{}=", "{}A", "x{}", "{} ", "{}\n"])
async def test_a_manipulated_cursor_is_rejected(as_user: UserClientFactory, template: str) -> None:
    ann = as_user("ann")
    await create_tasks(ann, 2)
    first_page = await ann.get("/tasks", params={"limit": 1})
    next_request = ann.build_request("GET", first_page.links["next"]["url"])
    cursor = template.format(next_request.url.params["cursor"])

    response = await ann.get("/tasks", params={"limit": 1, "cursor": cursor})

    assert_problem(response, 400, "bad-request")


@pytest.mark.parametrize("length", [1, 8, 16, 23, 24, 25, 1_000])
async def test_a_cursor_of_any_bytes_is_no_server_error(
    as_user: UserClientFactory, length: int
) -> None:
    for byte in (b"\0", b"\x7f", b"\xff"):
        cursor = urlsafe_b64encode(byte * length).decode()
        response = await as_user("ann").get("/tasks", params={"limit": 1, "cursor": cursor})
        assert response.status_code in {200, 400}, response.text
