"""What a request asks for before anything is done: tags, keys and places; whatever is refused writes nothing."""

from typing import Final

import pytest

from e2e.support.contract import SOME_ID, problem_of
from e2e.support.user_client import AsUser, Person

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


async def everything_of(person: Person) -> tuple[object, str]:
    """Return the tasks, and the counter that every write moves."""
    listed = await person.get("/tasks")
    return listed.json(), listed.headers["etag"]


@pytest.mark.parametrize("tags", BAD_TAGS)
async def test_tags_that_are_none_are_refused(as_user: AsUser, tags: str) -> None:
    ann = as_user("ann")
    task = await ann.add()
    before, address = await everything_of(ann), f"/tasks/{task['id']}"

    for verb, body in WRITES.items():
        problem_of(
            await ann.request(verb, address, json=body, headers={"If-Match": tags}),
            400,
            "bad-request",
        )
    for path in ("/tasks", address):
        problem_of(await ann.get(path, headers={"If-None-Match": tags}), 400, "bad-request")
    for conditions in ({"If-None-Match": tags or '"1"'}, {"If-None-Match": "*", "If-Match": tags}):
        new = await ann.put(f"/tasks/{SOME_ID}", json={"title": "New"}, headers=conditions)
        problem_of(new, 400, "bad-request")
    assert await everything_of(ann) == before


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_keys_that_are_none_are_refused(as_user: AsUser, key: str) -> None:
    ann = as_user("ann")

    sent = {b"Idempotency-Key": key.encode("latin-1")}
    problem_of(await ann.post("/tasks", json={"title": "New"}, headers=sent), 400, "bad-request")
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    problem_of(await ann.post("/tasks", json={"title": "New"}, headers=twice), 400, "bad-request")
    assert await everything_of(ann) == ([], '"0"')


@pytest.mark.parametrize(
    "query", [f"since={place}" for place in BAD_PLACES] + ["limit=0", "limit=501", "cursor=x"]
)
async def test_places_in_the_changes_that_are_none_are_refused(as_user: AsUser, query: str) -> None:
    problem_of(await as_user("ann").get(f"/tasks/changes?{query}"), 400, "bad-request")


@pytest.mark.parametrize("cursor", BAD_CURSORS)
async def test_cursors_that_are_none_are_refused(as_user: AsUser, cursor: str) -> None:
    problem_of(await as_user("ann").get(f"/tasks?limit=1&cursor={cursor}"), 400, "bad-request")


async def test_whoever_was_never_where_they_say_begins_anew(as_user: AsUser) -> None:
    ann = as_user("ann")
    task = await ann.add()

    for since in (1, task["version"] + 1, NEVER):
        problem_of(await ann.get(f"/tasks/changes?since={since}"), 410, "resync-required")
    assert (await ann.get("/tasks/changes?since=0")).json()["tasks"] == [task]


async def test_another_version_is_refused_and_writes_nothing(as_user: AsUser) -> None:
    ann = as_user("ann")
    task = await ann.add()
    before, address = await everything_of(ann), f"/tasks/{task['id']}"

    for verb, body in WRITES.items():
        answer = await ann.request(verb, address, json=body, headers={"If-Match": '"1"'})
        problem_of(answer, 412, "version-mismatch")
    again = await ann.put(address, json={"title": "New"}, headers={"If-None-Match": "*"})
    problem_of(again, 412, "task-exists")
    taken = await as_user("ben").put(address, json={"title": "New"}, headers={"If-None-Match": "*"})
    problem_of(taken, 409, "id-taken")
    assert await everything_of(ann) == before


async def test_a_key_is_for_one_body(as_user: AsUser) -> None:
    ann, key = as_user("ann"), {"Idempotency-Key": "key"}
    first = await ann.post("/tasks", json={"title": "Once"}, headers=key)
    before = await everything_of(ann)

    again = await ann.post("/tasks", json={"title": "Once"}, headers=key)
    problem_of(await ann.post("/tasks", json={"title": "Twice"}, headers=key), 422, "key-reused")

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
    as_user: AsUser, origin: str
) -> None:
    ann, key = as_user("ann"), {"Idempotency-Key": "key"}
    ann.headers["Origin"] = origin
    answers = [await ann.post("/tasks", json={"title": "Once"}, headers=key) for _ in range(2)]
    tag = {"If-None-Match": answers[0].headers["etag"]}
    answers += [
        await ann.get("/tasks", headers=tag),
        await ann.patch(f"/tasks/{SOME_ID}", json={}, headers=key),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 304, 404]
    for answer in answers:
        shown = {
            name.strip().lower()
            for name in answer.headers["access-control-expose-headers"].split(",")
        }
        assert shown >= {"etag", "location", "retry-after", "idempotency-replayed"}
        assert answer.headers["access-control-allow-origin"] == origin
