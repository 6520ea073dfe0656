"""What users take with them, bring, and have forgotten, at the one URL."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.support.contract import places_of, problem_of
from e2e.support.import_export import START, a_line, bring, erase, export, lasting, written
from e2e.support.user_client import AsUser

TEXTS: Final = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=200
)

ZONES: Final = st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/ComodRivadavia"])


@settings(max_examples=15)
@given(tasks=st.lists(st.tuples(TEXTS, st.none() | TEXTS, st.booleans()), max_size=4), zone=ZONES)
async def test_an_export_that_is_imported_after_an_erasure_is_the_same(
    as_subject: AsUser, tasks: list[tuple[str, str | None, bool]], zone: str
) -> None:
    ann = as_subject(str(uuid4()))
    await ann.patch("/users/me", json={"time_zone": zone})
    for title, description, is_completed in tasks:
        await ann.add(title, description=description, is_completed=is_completed)
    before = await export(ann)
    since = (await ann.get("/tasks/changes")).json()["next"]
    await erase(ann)
    assert [line["kind"] for line in await export(ann)] == ["export"]

    report = await bring(ann, written(*before))

    assert report.json() == {"created": len(tasks), "updated": 0, "unchanged": 0, "renumbered": 0}
    after = await export(ann)
    assert lasting(after) == lasting(before)
    if tasks:
        problem_of(await ann.get(f"/tasks/changes?since={since}"), 410, "resync-required")
    again = await bring(ann, written(*after))
    assert again.json() == {"created": 0, "updated": 0, "unchanged": len(tasks), "renumbered": 0}
    assert (await export(ann))[1:] == after[1:]


async def test_an_export_is_the_profile_and_the_list(as_user: AsUser) -> None:
    ann = as_user("ann")
    made = [await ann.add(str(number)) for number in range(3)]

    start, *tasks = await export(ann)

    assert start == {
        "kind": "export",
        "format": 1,
        "exported_at": start["exported_at"],
        "user": (await ann.get("/users/me")).json(),
    }
    assert tasks == [{"kind": "task", **task} for task in made]


async def test_an_erased_user_is_a_new_one_with_the_same_token(as_user: AsUser) -> None:
    ann = as_user("ann")
    await ann.add()
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    old = (await ann.get("/users/me")).json()

    await erase(ann)
    await erase(ann)

    new = (await ann.get("/users/me")).json()
    assert (new["id"], new["time_zone"]) == (old["id"], "UTC")
    assert new["created_at"] > old["created_at"]
    assert await ann.tasks() == []
    assert len([await ann.add()]) == len(await ann.tasks())


async def test_what_somebody_else_exported_comes_in_under_other_ids_and_stays_theirs(
    as_user: AsUser,
) -> None:
    ann, bob = as_user("ann"), as_user("bob")
    task = await ann.add()
    lines = written(*(await export(ann)))

    for created in (1, 0):
        report = (await bring(bob, lines)).json()
        assert report == {
            "created": created,
            "updated": 0,
            "unchanged": 1 - created,
            "renumbered": 1,
        }

    [copy] = await bob.tasks()
    assert (copy["id"], copy["user_id"]) == (str(uuid5(UUID(bob.id), task["id"])), bob.id)
    assert {**copy, **{name: task[name] for name in ("id", "user_id", "version")}} == task
    assert await ann.read(task) == task
    assert (await bob.get("/users/me")).json()["email"] != (await ann.get("/users/me")).json()[
        "email"
    ]


async def test_a_bad_line_is_named_and_nothing_is_taken_in(as_user: AsUser) -> None:
    ann = as_user("ann")
    start = START.replace("{}", '{"time_zone": "Europe/Berlin"}')

    unreadable = problem_of(await bring(ann, start + written(a_line()) + "{"), 400, "bad-request")
    wrong = problem_of(
        await bring(ann, start + written(a_line(), a_line(" "))), 422, "invalid-body"
    )
    first = problem_of(await bring(ann, start.replace("Berlin", "Nowhere")), 422, "invalid-body")

    assert (unreadable["detail"], places_of(unreadable)) == (
        "Line 3 cannot be read.",
        [["body", 3]],
    )
    assert (wrong["detail"], places_of(wrong)) == ("Line 3 breaks a rule.", [["body", 3, "title"]])
    assert (first["detail"], places_of(first)) == (
        "Line 1 breaks a rule.",
        [["body", 1, "user", "time_zone"]],
    )
    assert await ann.tasks() == []
    assert (await ann.get("/users/me")).json()["time_zone"] == "UTC"


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
@pytest.mark.parametrize("announced", [True, False])
async def test_an_import_may_be_far_longer_than_a_body(
    as_user: AsUser, path: str, *, announced: bool
) -> None:
    ann = as_user("ann")
    stream = (START + written(*(a_line(description="ä" * 9_000) for _ in range(150)))).encode()
    assert len(stream) > 2_500_000

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(stream), 50_000):
            yield stream[place : place + 50_000]

    report = await bring(ann, stream if announced else pieces(), path)

    assert report.json() == {"created": 150, "updated": 0, "unchanged": 0, "renumbered": 0}
    assert len(await export(ann)) == 151


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
async def test_an_import_of_another_type_is_refused(as_user: AsUser, media_type: str) -> None:
    headers = {"Content-Type": media_type}

    problem_of(
        await as_user("ann").post("/users/me/import", content=START, headers=headers),
        415,
        "unsupported-media-type",
    )
