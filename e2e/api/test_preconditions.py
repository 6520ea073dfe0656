"""Preconditions, idempotency keys, sync tokens and cursors: rejected requests write nothing."""

from typing import Final

import pytest
from httpx import Response

from e2e.support.contract import UNKNOWN_ID, assert_problem
from e2e.support.user_client import UserClient, UserClientFactory

INVALID_ETAGS: Final = ("", "1", '"1', "W/1", '"1" "2"', '*, "1"', ",", '"a b"', '"1";q=1')
INVALID_KEYS: Final = ("", "a b", "x" * 256, "caf\xe9")
INVALID_SYNC_TOKENS: Final = (
    "",
    "x",
    "-1",
    "1-",
    "5-5",
    "0-",
    "01",
    "1.5",
    "9" * 19,
    "9" * 400,
    "1-2-3",
    "%00",
    "%D9%A3",
)
INVALID_CURSORS: Final = ("", "x", "0", "A" * 31, "A" * 33, "=" * 32, "%00")

FUTURE_SYNC_TOKEN: Final = 2**62
"""A sync token that the platform has never returned."""


WRITES: Final = {"PATCH": {"title": "New"}, "PUT": {"title": "New"}, "DELETE": None}
"""The bodies of writes, by their method."""

INVALID_CHANGE_QUERIES: Final = [
    *[f"since={sync_token}" for sync_token in INVALID_SYNC_TOKENS],
    "limit=0",
    "limit=501",
    "cursor=x",
]


async def read_state(user: UserClient) -> tuple[object, str]:
    """Return the tasks, and the ETag of the list, which every write changes."""
    response = await user.get("/tasks")
    return response.json(), response.headers["etag"]


@pytest.mark.parametrize("etag", INVALID_ETAGS)
async def test_an_invalid_etag_is_a_bad_request(as_user: UserClientFactory, etag: str) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    path = f"/tasks/{task['id']}"
    before = await read_state(ann)
    responses: list[Response] = []

    for method, body in WRITES.items():
        response = await ann.request(method, path, json=body, headers={"If-Match": etag})
        responses.append(response)
    for readable_path in ("/tasks", path):
        responses.append(await ann.get(readable_path, headers={"If-None-Match": etag}))
    invalid_conditions = {"If-None-Match": etag or '"1"'}
    contradictory_conditions = {"If-None-Match": "*", "If-Match": etag}
    for headers in (invalid_conditions, contradictory_conditions):
        response = await ann.put(f"/tasks/{UNKNOWN_ID}", json={"title": "New"}, headers=headers)
        responses.append(response)

    for response in responses:
        assert_problem(response, 400, "bad-request")
    assert await read_state(ann) == before


@pytest.mark.parametrize("key", INVALID_KEYS)
async def test_an_invalid_idempotency_key_is_a_bad_request(
    as_user: UserClientFactory, key: str
) -> None:
    ann = as_user("ann")
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    repeated_headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

    invalid = await ann.post("/tasks", json={"title": "New"}, headers=headers)
    repeated = await ann.post("/tasks", json={"title": "New"}, headers=repeated_headers)

    assert_problem(invalid, 400, "bad-request")
    assert_problem(repeated, 400, "bad-request")
    assert await read_state(ann) == ([], '"0"')


@pytest.mark.parametrize("query", INVALID_CHANGE_QUERIES)
async def test_an_invalid_query_of_the_changes_feed_is_a_bad_request(
    as_user: UserClientFactory, query: str
) -> None:
    response = await as_user("ann").get(f"/tasks/changes?{query}")

    assert_problem(response, 400, "bad-request")


@pytest.mark.parametrize("cursor", INVALID_CURSORS)
async def test_an_invalid_cursor_is_a_bad_request(as_user: UserClientFactory, cursor: str) -> None:
    response = await as_user("ann").get(f"/tasks?limit=1&cursor={cursor}")

    assert_problem(response, 400, "bad-request")


async def test_a_sync_token_that_was_never_returned_requires_a_resync(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    for since in (1, task["version"] + 1, FUTURE_SYNC_TOKEN):
        response = await ann.get(f"/tasks/changes?since={since}")
        assert_problem(response, 410, "resync-required")
    changes = await ann.get("/tasks/changes?since=0")
    assert changes.json()["tasks"] == [task]


async def test_a_failed_precondition_writes_nothing(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    path = f"/tasks/{task['id']}"
    before = await read_state(ann)

    for method, body in WRITES.items():
        response = await ann.request(method, path, json=body, headers={"If-Match": '"1"'})
        assert_problem(response, 412, "version-mismatch")
    if_missing = {"If-None-Match": "*"}
    existing = await ann.put(path, json={"title": "New"}, headers=if_missing)
    assert_problem(existing, 412, "task-exists")
    id_of_another_user = await as_user("ben").put(path, json={"title": "New"}, headers=if_missing)
    assert_problem(id_of_another_user, 409, "id-taken")
    assert await read_state(ann) == before


async def test_an_idempotency_key_is_valid_for_one_body(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    headers = {"Idempotency-Key": "key"}
    first = await ann.post("/tasks", json={"title": "Once"}, headers=headers)
    before = await read_state(ann)

    replayed = await ann.post("/tasks", json={"title": "Once"}, headers=headers)
    other_body = await ann.post("/tasks", json={"title": "Twice"}, headers=headers)

    assert "idempotency-replayed" not in first.headers
    assert replayed.status_code == 201
    assert replayed.content == first.content
    assert replayed.headers["etag"] == first.headers["etag"]
    assert replayed.headers["idempotency-replayed"] == "true"
    assert_problem(other_body, 422, "key-reused")
    assert await read_state(ann) == before


async def test_a_page_of_an_allowed_origin_can_read_etags_and_replays(
    as_user: UserClientFactory, origin: str
) -> None:
    ann = as_user("ann")
    ann.headers["Origin"] = origin
    with_key = {"Idempotency-Key": "key"}
    created = await ann.post("/tasks", json={"title": "Once"}, headers=with_key)
    replayed = await ann.post("/tasks", json={"title": "Once"}, headers=with_key)
    if_changed = {"If-None-Match": created.headers["etag"]}
    not_modified = await ann.get("/tasks", headers=if_changed)
    missing = await ann.patch(f"/tasks/{UNKNOWN_ID}", json={}, headers=with_key)
    responses = [created, replayed, not_modified, missing]

    assert [response.status_code for response in responses] == [201, 201, 304, 404]
    for response in responses:
        names = response.headers["access-control-expose-headers"].lower().split(",")
        exposed_headers = {name.strip() for name in names}
        assert exposed_headers >= {"etag", "location", "retry-after", "idempotency-replayed"}
        assert response.headers["access-control-allow-origin"] == origin
