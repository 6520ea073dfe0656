"""What a request asks for before anything is done: tags, keys and places; whatever is refused writes nothing."""

from typing import Final

import pytest

from e2e.support.contract import UNKNOWN_ID, assert_problem
from e2e.support.user_client import UserClient, UserClientFactory

BAD_TAGS: Final = ("", "1", '"1', "W/1", '"1" "2"', '*, "1"', ",", '"a b"', '"1";q=1')
BAD_KEYS: Final = ("", "a b", "x" * 256, "caf\xe9")
BAD_PLACES: Final = (
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
BAD_CURSORS: Final = ("", "x", "0", "A" * 31, "A" * 33, "=" * 32, "%00")

NEVER: Final = 2**62
"""A place that no reader has come to."""


WRITES: Final = {"PATCH": {"title": "New"}, "PUT": {"title": "New"}, "DELETE": None}


async def everything_of(user: UserClient) -> tuple[object, str]:
    """Return the tasks, and the counter that every write moves."""
    listed = await user.get("/tasks")
    return listed.json(), listed.headers["etag"]


@pytest.mark.parametrize("tags", BAD_TAGS)
async def test_tags_that_are_none_are_refused(as_user: UserClientFactory, tags: str) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    before, path = await everything_of(ann), f"/tasks/{task['id']}"

    for method, body in WRITES.items():
        assert_problem(
            await ann.request(method, path, json=body, headers={"If-Match": tags}),
            400,
            "bad-request",
        )
    for readable in ("/tasks", path):
        assert_problem(await ann.get(readable, headers={"If-None-Match": tags}), 400, "bad-request")
    for conditions in ({"If-None-Match": tags or '"1"'}, {"If-None-Match": "*", "If-Match": tags}):
        new = await ann.put(f"/tasks/{UNKNOWN_ID}", json={"title": "New"}, headers=conditions)
        assert_problem(new, 400, "bad-request")
    assert await everything_of(ann) == before


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_keys_that_are_none_are_refused(as_user: UserClientFactory, key: str) -> None:
    ann = as_user("ann")

    sent = {b"Idempotency-Key": key.encode("latin-1")}
    assert_problem(
        await ann.post("/tasks", json={"title": "New"}, headers=sent), 400, "bad-request"
    )
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert_problem(
        await ann.post("/tasks", json={"title": "New"}, headers=twice), 400, "bad-request"
    )
    assert await everything_of(ann) == ([], '"0"')


@pytest.mark.parametrize(
    "query", [f"since={place}" for place in BAD_PLACES] + ["limit=0", "limit=501", "cursor=x"]
)
async def test_places_in_the_changes_that_are_none_are_refused(
    as_user: UserClientFactory, query: str
) -> None:
    assert_problem(await as_user("ann").get(f"/tasks/changes?{query}"), 400, "bad-request")


@pytest.mark.parametrize("cursor", BAD_CURSORS)
async def test_cursors_that_are_none_are_refused(as_user: UserClientFactory, cursor: str) -> None:
    assert_problem(await as_user("ann").get(f"/tasks?limit=1&cursor={cursor}"), 400, "bad-request")


async def test_whoever_was_never_where_they_say_begins_anew(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    for since in (1, task["version"] + 1, NEVER):
        assert_problem(await ann.get(f"/tasks/changes?since={since}"), 410, "resync-required")
    assert (await ann.get("/tasks/changes?since=0")).json()["tasks"] == [task]


async def test_another_version_is_refused_and_writes_nothing(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    before, path = await everything_of(ann), f"/tasks/{task['id']}"

    for method, body in WRITES.items():
        response = await ann.request(method, path, json=body, headers={"If-Match": '"1"'})
        assert_problem(response, 412, "version-mismatch")
    again = await ann.put(path, json={"title": "New"}, headers={"If-None-Match": "*"})
    assert_problem(again, 412, "task-exists")
    taken = await as_user("ben").put(path, json={"title": "New"}, headers={"If-None-Match": "*"})
    assert_problem(taken, 409, "id-taken")
    assert await everything_of(ann) == before


async def test_a_key_is_for_one_body(as_user: UserClientFactory) -> None:
    ann, key = as_user("ann"), {"Idempotency-Key": "key"}
    first = await ann.post("/tasks", json={"title": "Once"}, headers=key)
    before = await everything_of(ann)

    again = await ann.post("/tasks", json={"title": "Once"}, headers=key)
    assert_problem(
        await ann.post("/tasks", json={"title": "Twice"}, headers=key), 422, "key-reused"
    )

    assert (again.status_code, again.content, again.headers["etag"]) == (
        201,
        first.content,
        first.headers["etag"],
    )
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (
        False,
        "true",
    )
    assert await everything_of(ann) == before


async def test_a_page_of_an_allowed_origin_can_read_tags_and_replays(
    as_user: UserClientFactory, origin: str
) -> None:
    ann, key = as_user("ann"), {"Idempotency-Key": "key"}
    ann.headers["Origin"] = origin
    responses = [await ann.post("/tasks", json={"title": "Once"}, headers=key) for _ in range(2)]
    tag = {"If-None-Match": responses[0].headers["etag"]}
    responses += [
        await ann.get("/tasks", headers=tag),
        await ann.patch(f"/tasks/{UNKNOWN_ID}", json={}, headers=key),
    ]

    assert [response.status_code for response in responses] == [201, 201, 304, 404]
    for response in responses:
        shown = {
            name.strip().lower()
            for name in response.headers["access-control-expose-headers"].split(",")
        }
        assert shown >= {"etag", "location", "retry-after", "idempotency-replayed"}
        assert response.headers["access-control-allow-origin"] == origin
