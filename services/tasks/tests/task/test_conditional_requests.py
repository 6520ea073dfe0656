"""If-Match prevents lost updates, and If-None-Match unnecessary responses."""

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


async def _create_task(owner: AsyncClient, title: str = "Old") -> Response:
    created = await owner.post("/tasks", json={"title": title})
    assert created.status_code == 201
    return created


def _status_and_code(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def _caching_headers(response: Response) -> Mapping[str, str | None]:
    return {name: response.headers.get(name) for name in ("etag", "vary", "cache-control")}


async def test_every_response_with_a_task_has_its_version_as_etag(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]

    changes = [
        await owner.patch(url, json={"title": "1"}),
        await owner.put(url, json={"title": "2"}),
    ]

    for response in [created, *changes, await owner.get(url)]:
        tag = f'"{response.json()["version"]}"'
        assert _caching_headers(response) == {
            "etag": tag,
            "vary": "Authorization",
            "cache-control": "private, no-cache",
        }


async def test_the_etag_of_the_list_changes_with_every_write_only(
    as_user: ClientFactory,
) -> None:
    owner, etags = as_user("owner"), list[str]()
    assert (await owner.get("/tasks")).headers["etag"] == '"0"'

    url = (await _create_task(owner)).headers["location"]
    etags.append((await owner.get("/tasks")).headers["etag"])
    await owner.patch(url, json={"title": "New"})
    etags.append((await owner.get("/tasks?status=completed")).headers["etag"])
    await owner.delete(url)
    etags.append((await owner.get("/tasks?limit=1")).headers["etag"])
    await _create_task(as_user("neighbour"))
    etags.append((await owner.get("/tasks?q=x")).headers["etag"])

    first = int(etags[0].strip('"'))
    assert etags == [f'"{first + step}"' for step in (0, 1, 2, 2)]


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize(
    "form", ["{tag}", "W/{tag}", '"1", {tag}', ',"a,b" ,, W/{tag},', "*", *MARKED]
)
async def test_a_write_with_the_current_etag_succeeds(
    as_user: ClientFactory, method: str, body: object, form: str
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    etags = form.format(tag=created.headers["etag"], version=created.json()["version"])

    written = await owner.request(
        method, created.headers["location"], json=body, headers={"If-Match": etags}
    )

    assert written.status_code == (204 if body is None else 200)


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize(
    "etags",
    ['"1"', 'W/"1", "2"', '"*"', '"0{version}"', *NOT_MARKED, '"\xe9"', '""', '"' + "9" * 40 + '"'],
)
async def test_a_write_with_another_etag_is_rejected(
    as_user: ClientFactory, method: str, body: object, etags: str
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    sent_etags = etags.format(version=created.json()["version"]).encode("latin-1")

    rejected = await owner.request(
        method, created.headers["location"], json=body, headers={b"If-Match": sent_etags}
    )

    assert _status_and_code(rejected) == (412, "version-mismatch")
    assert "etag" not in rejected.headers
    listed = await owner.get("/tasks")
    assert (listed.json(), listed.headers["etag"]) == ([created.json()], created.headers["etag"])


async def test_a_write_without_effect_is_rejected_as_well(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)

    rejected = await owner.patch(
        created.headers["location"], json={"title": "Old"}, headers={"If-Match": '"1"'}
    )

    assert _status_and_code(rejected) == (412, "version-mismatch")


@pytest.mark.parametrize(("method", "body"), WRITES)
async def test_another_users_task_looks_missing_with_any_if_match(
    as_user: ClientFactory, method: str, body: object
) -> None:
    created = await _create_task(as_user("owner"))
    stranger = as_user("stranger")

    for url in (created.headers["location"], f"/tasks/{uuid4()}"):
        for etags in ("*", created.headers["etag"], '"1"'):
            response = await stranger.request(method, url, json=body, headers={"If-Match": etags})
            assert _status_and_code(response) == (404, "task-not-found")


@pytest.mark.parametrize("etags", MALFORMED)
async def test_malformed_etags_are_rejected(as_user: ClientFactory, etags: str) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]

    for method, body in WRITES:
        response = await owner.request(method, url, json=body, headers={"If-Match": etags})
        assert _status_and_code(response) == (400, "bad-request")
    for read in ("/tasks", url):
        assert _status_and_code(await owner.get(read, headers={"If-None-Match": etags})) == (
            400,
            "bad-request",
        )
    assert (await owner.get(url)).json() == created.json()


@pytest.mark.parametrize(
    ("method", "body"), [("POST", {"title": "New"}), ("PATCH", {"title": "New"}), ("DELETE", None)]
)
@pytest.mark.parametrize("etags", ["*", '"1"', "x"])
async def test_if_none_match_is_rejected_for_writes(
    as_user: ClientFactory, method: str, body: object, etags: str
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = "/tasks" if method == "POST" else created.headers["location"]

    for other_headers in ({}, {"If-Match": created.headers["etag"]}):
        response = await owner.request(
            method, url, json=body, headers={"If-None-Match": etags, **other_headers}
        )
        assert _status_and_code(response) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == [created.json()]


async def test_several_header_lines_are_one_list(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url, own = created.headers["location"], created.headers["etag"]

    lines = [("If-Match", '"1"'), ("If-Match", own)]

    assert (await owner.patch(url, json={"title": "New"}, headers=lines)).status_code == 200
    assert (
        _status_and_code(
            await owner.patch(url, json={"title": "x"}, headers=[*lines, ("If-Match", "*")])
        )[0]
        == 400
    )


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"1",{tag}', "*", *MARKED])
@pytest.mark.parametrize("query", ["", "?limit=1", "?q=nothing"])
async def test_an_unchanged_resource_is_304(as_user: ClientFactory, form: str, query: str) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    for url in (created.headers["location"], f"/tasks{query}"):
        current = await owner.get(url)
        for method in ("GET", "HEAD"):
            etags = form.format(
                tag=current.headers["etag"], version=current.headers["etag"].strip('"')
            )
            revalidated = await owner.request(method, url, headers={"If-None-Match": etags})

            assert (
                revalidated.status_code,
                revalidated.content,
                _caching_headers(revalidated),
            ) == (304, b"", _caching_headers(current))
            assert not {"content-type", "content-length"} & set(revalidated.headers)


async def test_a_changed_resource_is_sent(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)

    for url in (created.headers["location"], "/tasks"):
        current = await owner.get(url, headers={"If-None-Match": '"1", "*", "0"'})
        assert (current.status_code, current.headers["etag"]) == (200, created.headers["etag"])
    missing = await owner.get(f"/tasks/{uuid4()}", headers={"If-None-Match": "*"})
    assert _status_and_code(missing) == (404, "task-not-found")


async def test_the_list_of_an_unknown_owner_has_version_zero(as_user: ClientFactory) -> None:
    response = await as_user("nobody").get("/tasks", headers={"If-None-Match": '"0"'})

    assert (response.status_code, response.headers["etag"]) == (304, '"0"')


async def test_one_of_many_concurrent_changes_with_one_etag_succeeds(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url, tag = created.headers["location"], {"If-Match": created.headers["etag"]}

    async def change(number: int) -> Response:
        return await owner.patch(url, json={"title": f"{number}"}, headers=tag)

    responses = await asyncio.gather(*(change(number) for number in range(200)))

    assert sorted(response.status_code for response in responses) == [200] + [412] * 199
    (success,) = [response for response in responses if response.is_success]
    assert success.json() == (await owner.get(url)).json()
    assert success.json()["version"] == created.json()["version"] + 1
