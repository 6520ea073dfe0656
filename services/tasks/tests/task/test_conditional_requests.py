"""What If-Match and If-None-Match promise: nobody overwrites what they have not seen, or reads twice what they have."""

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory

WRITES = [("PATCH", {"title": "New"}), ("PUT", {"title": "New"}), ("DELETE", None)]

MALFORMED = ["", "1", '"1', "W/1", 'w/"1"', '"1" "2"', '*, "1"', "*,*", ",", '"a b"', '"1";q=1']

MARKED = [
    '"{version}-gzip"',
    'W/"{version}-gzip"',
    '"{version}--gzip"',
    '"{version};gzip"',
    '"{version};br"',
    '"{version}-br"',
    '"{version}-GZIP"',
    '"{version}-x-gzip"',
    '"{version}-zstd"',
    '"1-gzip", W/"{version}-deflate"',
]

NOT_MARKED = [
    '"{version}-"',
    '"{version}gzip"',
    '"-gzip"',
    '"*-gzip"',
    '"{version}-gzip-1"',
    '"{version}-1"',
    '"1-gzip"',
]


async def _make(owner: AsyncClient, title: str = "Old") -> Response:
    made = await owner.post("/tasks", json={"title": title})
    assert made.status_code == 201
    return made


def _code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def _kept(answer: Response) -> Mapping[str, str | None]:
    return {name: answer.headers.get(name) for name in ("etag", "vary", "cache-control")}


async def test_a_task_carries_its_version_as_a_tag_wherever_it_is_shown(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    address = made.headers["location"]

    changes = [
        await owner.patch(address, json={"title": "1"}),
        await owner.put(address, json={"title": "2"}),
    ]

    for answer in [made, *changes, await owner.get(address)]:
        tag = f'"{answer.json()["version"]}"'
        assert _kept(answer) == {
            "etag": tag,
            "vary": "Authorization",
            "cache-control": "private, no-cache",
        }


async def test_the_tag_of_a_list_moves_with_every_write_and_with_nothing_else(
    as_user: ClientFactory,
) -> None:
    owner, tags = as_user("owner"), list[str]()
    assert (await owner.get("/tasks")).headers["etag"] == '"0"'

    address = (await _make(owner)).headers["location"]
    tags.append((await owner.get("/tasks")).headers["etag"])
    await owner.patch(address, json={"title": "New"})
    tags.append((await owner.get("/tasks?status=completed")).headers["etag"])
    await owner.delete(address)
    tags.append((await owner.get("/tasks?limit=1")).headers["etag"])
    await _make(as_user("neighbour"))
    tags.append((await owner.get("/tasks?q=x")).headers["etag"])

    first = int(tags[0].strip('"'))
    assert tags == [f'"{first + step}"' for step in (0, 1, 2, 2)]


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize(
    "form", ["{tag}", "W/{tag}", '"1", {tag}', ',"a,b" ,, W/{tag},', "*", *MARKED]
)
async def test_a_write_that_knows_the_version_is_done(
    as_user: ClientFactory, method: str, body: object, form: str
) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    tags = form.format(tag=made.headers["etag"], version=made.json()["version"])

    written = await owner.request(
        method, made.headers["location"], json=body, headers={"If-Match": tags}
    )

    assert written.status_code == (204 if body is None else 200)


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize(
    "tags",
    ['"1"', 'W/"1", "2"', '"*"', '"0{version}"', *NOT_MARKED, '"\xe9"', '""', '"' + "9" * 40 + '"'],
)
async def test_a_write_that_knows_another_version_is_refused(
    as_user: ClientFactory, method: str, body: object, tags: str
) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    named = tags.format(version=made.json()["version"]).encode("latin-1")

    refused = await owner.request(
        method, made.headers["location"], json=body, headers={b"If-Match": named}
    )

    assert _code(refused) == (412, "version-mismatch")
    assert "etag" not in refused.headers
    listed = await owner.get("/tasks")
    assert (listed.json(), listed.headers["etag"]) == ([made.json()], made.headers["etag"])


async def test_a_write_that_would_change_nothing_is_refused_all_the_same(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    made = await _make(owner)

    refused = await owner.patch(
        made.headers["location"], json={"title": "Old"}, headers={"If-Match": '"1"'}
    )

    assert _code(refused) == (412, "version-mismatch")


@pytest.mark.parametrize(("method", "body"), WRITES)
async def test_a_task_that_is_not_the_callers_is_missing_whatever_is_expected(
    as_user: ClientFactory, method: str, body: object
) -> None:
    made = await _make(as_user("owner"))
    stranger = as_user("stranger")

    for address in (made.headers["location"], f"/tasks/{uuid4()}"):
        for tags in ("*", made.headers["etag"], '"1"'):
            answer = await stranger.request(method, address, json=body, headers={"If-Match": tags})
            assert _code(answer) == (404, "task-not-found")


@pytest.mark.parametrize("tags", MALFORMED)
async def test_tags_that_are_none_are_refused_and_nothing_is_written(
    as_user: ClientFactory, tags: str
) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    address = made.headers["location"]

    for method, body in WRITES:
        answer = await owner.request(method, address, json=body, headers={"If-Match": tags})
        assert _code(answer) == (400, "bad-request")
    for read in ("/tasks", address):
        assert _code(await owner.get(read, headers={"If-None-Match": tags})) == (400, "bad-request")
    assert (await owner.get(address)).json() == made.json()


@pytest.mark.parametrize(
    ("method", "body"), [("POST", {"title": "New"}), ("PATCH", {"title": "New"}), ("DELETE", None)]
)
@pytest.mark.parametrize("tags", ["*", '"1"', "x"])
async def test_a_write_cannot_ask_for_another_version_than_one(
    as_user: ClientFactory, method: str, body: object, tags: str
) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    address = "/tasks" if method == "POST" else made.headers["location"]

    for more in ({}, {"If-Match": made.headers["etag"]}):
        answer = await owner.request(
            method, address, json=body, headers={"If-None-Match": tags, **more}
        )
        assert _code(answer) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == [made.json()]


async def test_a_header_in_several_lines_is_one_list(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    address, own = made.headers["location"], made.headers["etag"]

    lines = [("If-Match", '"1"'), ("If-Match", own)]

    assert (await owner.patch(address, json={"title": "New"}, headers=lines)).status_code == 200
    assert (
        _code(await owner.patch(address, json={"title": "x"}, headers=[*lines, ("If-Match", "*")]))[
            0
        ]
        == 400
    )


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"1",{tag}', "*", *MARKED])
@pytest.mark.parametrize("query", ["", "?limit=1", "?q=nothing"])
async def test_what_the_caller_has_already_is_not_sent_again(
    as_user: ClientFactory, form: str, query: str
) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    for address in (made.headers["location"], f"/tasks{query}"):
        shown = await owner.get(address)
        for verb in ("GET", "HEAD"):
            tags = form.format(tag=shown.headers["etag"], version=shown.headers["etag"].strip('"'))
            again = await owner.request(verb, address, headers={"If-None-Match": tags})

            assert (again.status_code, again.content, _kept(again)) == (304, b"", _kept(shown))
            assert not {"content-type", "content-length"} & set(again.headers)


async def test_what_the_caller_has_not_yet_is_sent(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = await _make(owner)

    for address in (made.headers["location"], "/tasks"):
        shown = await owner.get(address, headers={"If-None-Match": '"1", "*", "0"'})
        assert (shown.status_code, shown.headers["etag"]) == (200, made.headers["etag"])
    missing = await owner.get(f"/tasks/{uuid4()}", headers={"If-None-Match": "*"})
    assert _code(missing) == (404, "task-not-found")


async def test_an_owner_whom_nobody_knows_has_seen_their_empty_list(as_user: ClientFactory) -> None:
    answer = await as_user("nobody").get("/tasks", headers={"If-None-Match": '"0"'})

    assert (answer.status_code, answer.headers["etag"]) == (304, '"0"')


async def test_of_many_changes_with_one_tag_exactly_one_is_made(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = await _make(owner)
    address, tag = made.headers["location"], {"If-Match": made.headers["etag"]}

    async def change(number: int) -> Response:
        return await owner.patch(address, json={"title": f"{number}"}, headers=tag)

    answers = await asyncio.gather(*(change(number) for number in range(200)))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 199
    (done,) = [answer for answer in answers if answer.is_success]
    assert done.json() == (await owner.get(address)).json()
    assert done.json()["version"] == made.json()["version"] + 1
