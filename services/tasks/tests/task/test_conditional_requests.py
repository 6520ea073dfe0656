"""If-Match prevents lost updates, and If-None-Match unnecessary responses."""

import asyncio
from collections.abc import Awaitable
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import problem_code, status_codes

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


CURRENT_ETAGS = ["{tag}", "W/{tag}", '"1", {tag}', "*"] + MARKED
"""Forms of a header that names the current version."""

OTHER_ETAGS = NOT_MARKED + [
    '"1"',
    'W/"1", "2"',
    '"*"',
    '"0{version}"',
    '"\xe9"',
    '""',
    f'"{"9" * 40}"',
]
"""Forms of a header that does not name the current version."""


async def _create_task(owner: AsyncClient, title: str = "Old") -> Response:
    created = await owner.post("/tasks", json={"title": title})
    assert created.status_code == 201
    return created


def _assert_caching_headers(response: Response, etag: str) -> None:
    assert response.headers["etag"] == etag
    assert response.headers["vary"] == "Authorization"
    assert response.headers["cache-control"] == "private, no-cache"


async def test_every_response_with_a_task_has_its_version_as_etag(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]

    responses = [
        created,
        await owner.patch(url, json={"title": "1"}),
        await owner.put(url, json={"title": "2"}),
        await owner.get(url),
    ]

    for response in responses:
        version = response.json()["version"]
        _assert_caching_headers(response, f'"{version}"')


async def test_the_etag_of_the_list_changes_with_every_write_only(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    etags: list[str] = []
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
    assert etags == [f'"{first}"', f'"{first + 1}"', f'"{first + 2}"', f'"{first + 2}"']


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize("form", CURRENT_ETAGS + [',"a,b" ,, W/{tag},'])
async def test_a_write_with_the_current_etag_succeeds(
    as_user: ClientFactory, method: str, body: object, form: str
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]
    etags = form.format(tag=created.headers["etag"], version=created.json()["version"])

    response = await owner.request(method, url, json=body, headers={"If-Match": etags})

    success_status = {"PATCH": 200, "PUT": 200, "DELETE": 204}
    assert response.status_code == success_status[method]


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize("etags", OTHER_ETAGS)
async def test_a_write_with_another_etag_is_rejected(
    as_user: ClientFactory, method: str, body: object, etags: str
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]
    if_match = etags.format(version=created.json()["version"]).encode("latin-1")

    rejected = await owner.request(method, url, json=body, headers={b"If-Match": if_match})

    assert problem_code(rejected) == (412, "version-mismatch")
    assert "etag" not in rejected.headers
    listed = await owner.get("/tasks")
    assert listed.json() == [created.json()]
    assert listed.headers["etag"] == created.headers["etag"]


async def test_a_write_without_effect_is_rejected_as_well(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)

    rejected = await owner.patch(
        created.headers["location"], json={"title": "Old"}, headers={"If-Match": '"1"'}
    )

    assert problem_code(rejected) == (412, "version-mismatch")


@pytest.mark.parametrize(("method", "body"), WRITES)
async def test_another_users_task_looks_missing_with_any_if_match(
    as_user: ClientFactory, method: str, body: object
) -> None:
    created = await _create_task(as_user("owner"))
    stranger = as_user("stranger")

    for url in (created.headers["location"], f"/tasks/{uuid4()}"):
        for etags in ("*", created.headers["etag"], '"1"'):
            response = await stranger.request(method, url, json=body, headers={"If-Match": etags})
            assert problem_code(response) == (404, "task-not-found")


@pytest.mark.parametrize("etags", MALFORMED)
async def test_malformed_etags_are_rejected(as_user: ClientFactory, etags: str) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]

    for method, body in WRITES:
        response = await owner.request(method, url, json=body, headers={"If-Match": etags})
        assert problem_code(response) == (400, "bad-request")
    for read_url in ("/tasks", url):
        response = await owner.get(read_url, headers={"If-None-Match": etags})
        assert problem_code(response) == (400, "bad-request")
    assert (await owner.get(url)).json() == created.json()


@pytest.mark.parametrize("etags", ["*", '"1"', "x"])
async def test_if_none_match_is_rejected_for_writes(as_user: ClientFactory, etags: str) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]
    body = {"title": "New"}
    if_none_match = {"If-None-Match": etags}
    both_conditions = {"If-None-Match": etags, "If-Match": created.headers["etag"]}

    for headers in (if_none_match, both_conditions):
        responses = [
            await owner.post("/tasks", json=body, headers=headers),
            await owner.patch(url, json=body, headers=headers),
            await owner.delete(url, headers=headers),
        ]
        for response in responses:
            assert problem_code(response) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == [created.json()]


async def test_several_header_lines_are_one_list(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]
    lines = [("If-Match", '"1"'), ("If-Match", created.headers["etag"])]

    changed = await owner.patch(url, json={"title": "New"}, headers=lines)
    assert changed.status_code == 200
    lines.append(("If-Match", "*"))
    rejected = await owner.patch(url, json={"title": "x"}, headers=lines)
    assert rejected.status_code == 400


@pytest.mark.parametrize("form", CURRENT_ETAGS + ['"1",{tag}'])
@pytest.mark.parametrize("query", ["", "?limit=1", "?q=nothing"])
async def test_an_unchanged_resource_is_304(as_user: ClientFactory, form: str, query: str) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    for url in (created.headers["location"], f"/tasks{query}"):
        current = await owner.get(url)
        etag = current.headers["etag"]
        _assert_caching_headers(current, etag)
        if_none_match = form.format(tag=etag, version=etag.strip('"'))
        for method in ("GET", "HEAD"):
            revalidated = await owner.request(method, url, headers={"If-None-Match": if_none_match})

            assert revalidated.status_code == 304
            assert revalidated.content == b""
            _assert_caching_headers(revalidated, etag)
            assert "content-type" not in revalidated.headers
            assert "content-length" not in revalidated.headers


async def test_a_changed_resource_is_sent(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)

    for url in (created.headers["location"], "/tasks"):
        current = await owner.get(url, headers={"If-None-Match": '"1", "*", "0"'})
        assert current.status_code == 200
        assert current.headers["etag"] == created.headers["etag"]
    missing = await owner.get(f"/tasks/{uuid4()}", headers={"If-None-Match": "*"})
    assert problem_code(missing) == (404, "task-not-found")


async def test_the_list_of_an_unknown_owner_has_version_zero(as_user: ClientFactory) -> None:
    response = await as_user("unknown").get("/tasks", headers={"If-None-Match": '"0"'})

    assert response.status_code == 304
    assert response.headers["etag"] == '"0"'


async def test_one_of_many_concurrent_changes_with_one_etag_succeeds(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await _create_task(owner)
    url = created.headers["location"]
    if_match = {"If-Match": created.headers["etag"]}

    requests: list[Awaitable[Response]] = []
    for number in range(200):
        requests.append(owner.patch(url, json={"title": str(number)}, headers=if_match))
    responses = await asyncio.gather(*requests)

    assert sorted(status_codes(responses)) == [200] + [412] * 199
    [success] = [response for response in responses if response.is_success]
    task = success.json()
    assert task == (await owner.get(url)).json()
    assert task["version"] == created.json()["version"] + 1
