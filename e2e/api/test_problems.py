"""Refusals: one shape everywhere, the right status, and the order in which things are looked at."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import httpx
import pytest

from e2e.support.contract import PROTECTED, PUBLIC, SOME_ID, problem_of, verbs_of
from e2e.support.user_client import AsUser

VERBS: Final = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "PURGE",
)

ADDRESSES: Final = {**PROTECTED, **dict.fromkeys([*PUBLIC, "/problems/not-found"], ("GET",))}

UNKNOWN: Final = (
    "/",
    "/nothing",
    "/task",
    "/tasksx",
    "/TASKS",
    "/tasks;x",
    f"/tasks/{SOME_ID}/title",
    "/users",
    "/users/me/tasks",
    "/user/me",
    "/api/tasks",
    "/problems",
    "/problems/not-found/x",
    "/docs/x",
    "/openapi.yaml",
    "/redoc",
    "/favicon.ico",
    "/robots.txt",
    "/.env",
    "/" + "x" * 2_000,
    "/" + "x/" * 1_000,
)

NO_IDS: Final = (
    "x",
    "0",
    "None",
    "null",
    SOME_ID[:-1],
    SOME_ID + "0",
    SOME_ID[:-1] + "g",
    "\u0661" * 36,
    f"{SOME_ID};x",
    "{x}",
)


class Flawed(NamedTuple):
    """A request with several things wrong, and the first of them that is found."""

    wrong: str
    status: int
    code: str
    verb: str = "POST"
    path: str = "/tasks"
    media_type: str = "application/json"
    body: bytes = b'{"title": "x"}'


OTHER: Final = SOME_ID.encode()
LONG: Final = b'{"title": "x", "user_id": "' + OTHER + b'"'.ljust(70_000)

FLAWED: Final = (
    Flawed("length, type, form", 413, "content-too-large", media_type="text/plain", body=LONG),
    Flawed("length, address", 413, "content-too-large", "PATCH", "/tasks/x?x=1", body=LONG),
    Flawed("type, form", 415, "unsupported-media-type", media_type="text/plain", body=b"{"),
    Flawed(
        "type, query", 415, "unsupported-media-type", path="/tasks?x=1", media_type="text/plain"
    ),
    Flawed("type, address", 415, "unsupported-media-type", "PATCH", "/tasks/x", "text/plain"),
    Flawed(
        "type, user",
        415,
        "unsupported-media-type",
        path=f"/tasks?user_id={SOME_ID}",
        media_type="text/plain",
    ),
    Flawed("form, user", 400, "bad-request", path=f"/tasks?user_id={SOME_ID}", body=b"{"),
    Flawed("value, user", 400, "bad-request", body=b'{"title": 1, "user_id": "' + OTHER + b'"}'),
    Flawed(
        "query, user",
        400,
        "bad-request",
        path="/tasks?x=1",
        body=b'{"title": "x", "user_id": "' + OTHER + b'"}',
    ),
    Flawed("query, rule", 400, "bad-request", path="/tasks?x=1", body=b'{"title": ""}'),
    Flawed("address, user", 400, "bad-request", "PATCH", f"/tasks/x?user_id={SOME_ID}"),
    Flawed("address, rule", 400, "bad-request", "PATCH", "/tasks/x", body=b'{"title": ""}'),
    Flawed("user, rule", 403, "other-user", body=b'{"title": "", "user_id": "' + OTHER + b'"}'),
    Flawed(
        "user, rule in the query",
        403,
        "other-user",
        path=f"/tasks?user_id={SOME_ID}",
        body=b'{"x": 1}',
    ),
    Flawed("user, missing", 403, "other-user", "PATCH", f"/tasks/{SOME_ID}?user_id={SOME_ID}"),
    Flawed(
        "rule, missing", 422, "invalid-body", "PATCH", f"/tasks/{SOME_ID}", body=b'{"title": ""}'
    ),
    Flawed("rule, missing whole", 422, "invalid-body", "PUT", f"/tasks/{SOME_ID}", body=b"{}"),
    Flawed(
        "rule, missing deletion",
        422,
        "invalid-body",
        "DELETE",
        f"/tasks/{SOME_ID}",
        body=b'{"x": 1}',
    ),
)


@pytest.mark.parametrize("flawed", FLAWED, ids=lambda flawed: flawed.wrong)
async def test_of_several_flaws_the_first_in_order_is_told(as_user: AsUser, flawed: Flawed) -> None:
    ann = as_user("ann")

    answer = await ann.request(
        flawed.verb, flawed.path, content=flawed.body, headers={"Content-Type": flawed.media_type}
    )

    problem_of(answer, flawed.status, flawed.code)
    assert await ann.tasks() == []


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


@pytest.mark.parametrize("flawed", FLAWED, ids=lambda flawed: flawed.wrong)
async def test_nothing_of_a_request_is_looked_at_without_a_token(
    nobody: httpx.AsyncClient, flawed: Flawed
) -> None:
    headers = {"Content-Type": flawed.media_type}

    # A length that is announced may be refused first; one that is found out may not.
    answer = await nobody.request(
        flawed.verb, flawed.path, content=in_pieces(flawed.body), headers=headers
    )

    problem_of(answer, 401, "token-missing")


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", UNKNOWN)
async def test_there_is_nothing_at_an_unknown_address(
    as_user: AsUser, verb: str, path: str
) -> None:
    problem_of(await as_user("ann").request(verb, path), 404, "not-found")


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_unknown_address_may_be_told_without_a_token(
    nobody: httpx.AsyncClient, path: str
) -> None:
    answer = await nobody.get(path)

    assert answer.status_code in {401, 404}
    problem_of(answer, answer.status_code)


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_verb_is_allowed_or_refused_as_the_address_says(as_user: AsUser, path: str) -> None:
    ann = as_user("ann")
    address = path.format(task=SOME_ID, user=ann.id)
    answers = {verb: await ann.request(verb, address) for verb in VERBS}

    refused = {verb for verb, answer in answers.items() if answer.status_code == 405}

    allowed = {*ADDRESSES[path], "OPTIONS", *(("HEAD",) if "GET" in ADDRESSES[path] else ())}
    assert allowed <= verbs_of(answers["OPTIONS"])
    assert set(VERBS) - refused == verbs_of(answers["OPTIONS"])
    for verb in refused - {"HEAD"}:
        problem_of(answers[verb], 405, "method-not-allowed")
        assert verbs_of(answers[verb]) == verbs_of(answers["OPTIONS"])


@pytest.mark.parametrize("path", ADDRESSES)
async def test_an_address_tells_its_verbs_without_a_body(as_user: AsUser, path: str) -> None:
    ann = as_user("ann")

    answer = await ann.options(path.format(task=SOME_ID, user=ann.id))

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("verb", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("text", NO_IDS)
async def test_an_id_that_is_no_uuid_cannot_be_read(as_user: AsUser, verb: str, text: str) -> None:
    body = b"{}" if verb == "DELETE" else b'{"title": "x"}' if verb != "GET" else None

    answer = await as_user("ann").request(verb, f"/tasks/{text}", content=body)

    problem = problem_of(answer, 400, "bad-request")
    assert all(fault["location"] == ["path", "task_id"] for fault in problem.get("errors", []))


@pytest.mark.parametrize("verb", ["GET", "PATCH", "PUT", "DELETE"])
async def test_an_id_may_be_written_in_any_case(as_user: AsUser, verb: str) -> None:
    ann = as_user("ann")
    task = await ann.add()
    body = {"title": "x"} if verb in {"PATCH", "PUT"} else None

    assert (await ann.request(verb, f"/tasks/{task['id'].upper()}", json=body)).is_success


@pytest.mark.scenario("S001-FR-006", "S002-FR-005")
async def test_each_code_has_a_page_that_explains_it(
    as_user: AsUser, nobody: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    refused = [
        await nobody.get("/tasks"),
        await ann.get("/tasks?limit=0"),
        await ann.get(f"/users/{SOME_ID}"),
        await ann.get("/nothing"),
        await ann.get(f"/tasks/{SOME_ID}"),
        await ann.put("/tasks"),
        await ann.post("/tasks", content=LONG),
        await ann.post("/tasks", content=b"", headers={"Content-Type": "text/plain"}),
        await ann.post("/tasks", json={}),
        await ann.post("/tasks", json={"title": "x", "is_completed": True, "status": "pending"}),
        await ann.patch(f"/tasks/{SOME_ID}", json={"id": ann.id}),
    ]

    for answer in refused:
        page = await nobody.get(problem_of(answer, answer.status_code)["type"])
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.json()["code"] in page.text
    assert len({answer.json()["code"] for answer in refused}) == len(refused)
    problem_of(await nobody.get("/problems/no-such-code"), 404, "not-found")
