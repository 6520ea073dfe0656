"""What a body must be before anybody looks at what it says. In the tests' names: what is wrong with it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest

from e2e.support.contract import assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

BODY_MAX_BYTES: Final = 65_536

UNREADABLE: Final = {
    "nothing but white space": b" \r\n\t",
    "half an object": b'{"title": "x"',
    "half a text": b'{"title": "x',
    "a comma too many": b'{"title": "x",}',
    "a comma too few": b'{"title": "x" "status": "pending"}',
    "a comment": b'{"title": "x"} // x',
    "single quotes": b"{'title': 'x'}",
    "a name without quotes": b'{title: "x"}',
    "two objects": b'{"title": "x"}{"title": "x"}',
    "a form": b"title=x",
    "a byte order mark": b'\xef\xbb\xbf{"title": "x"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"title": "x"}'.encode("utf-16-le"),
    "UTF-32": '{"title": "x"}'.encode("utf-32"),
    "Latin-1": '{"title": "ä"}'.encode("latin-1"),
    "an overlong encoding": b'{"title": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "half a character": b'{"title": "\xf0\x9f\x98"}',
    "half a surrogate pair": b'{"title": "\\ud800"}',
    "a surrogate pair the wrong way round": b'{"title": "\\udc00\\ud800"}',
    "half a surrogate pair in a name": b'{"\\ud800": 1}',
    "half an escape": b'{"title": "\\u12"}',
    "an unknown escape": b'{"title": "\\x41"}',
    "a line break inside a text": b'{"title": "x\ny"}',
    "a bare NUL": b'{"title": "x\0y"}',
    "a NUL behind the object": b'{"title": "x"}\0',
    "NaN": b'{"title": "x", "x": NaN}',
    "Infinity": b'{"title": "x", "x": Infinity}',
    "-Infinity": b'{"title": "x", "x": [-Infinity]}',
    "a number with a plus sign": b'{"title": "x", "x": +1}',
    "a number with leading zeros": b'{"title": "x", "x": 01}',
    "a hexadecimal number": b'{"title": "x", "x": 0x1}',
    "half a number": b'{"title": "x", "x": 1.}',
    "a word": b'{"title": "x", "x": undefined}',
    "a word in capitals": b'{"title": "x", "x": True}',
    "a name twice": b'{"title": "x", "title": "y"}',
    "a name twice with the same value": b'{"title": "x", "title": "x"}',
    "a name twice, once escaped": b'{"title": "x", "t\\u0069tle": "y"}',
    "a name twice inside": b'{"title": "x", "x": {"y": 1, "y": 2}}',
    "33 levels": b'{"x": ' + b"[" * 32 + b"]" * 32 + b"}",
    "33 levels of objects": b'{"x": ' * 33 + b"1" + b"}" * 33,
    "thousands of levels": b"[" * 30_000 + b"]" * 30_000,
    "thousands of levels without an end": b'{"x":' * 10_000,
    "a number of 1001 digits": b'{"title": "x", "x": ' + b"9" * 1_001 + b"}",
    "a number of 1001 decimals": b'{"title": "x", "x": 0.' + b"1" * 999 + b"}",
    "an array": b'[{"title": "x"}]',
    "text": b'"title"',
    "a number alone": b"1",
    "null": b"null",
    "true": b"true",
}

ENDPOINTS: Final = (
    ("POST", "/tasks"),
    ("PATCH", "/tasks/{id}"),
    ("PUT", "/tasks/{id}"),
    ("DELETE", "/tasks/{id}"),
    ("PATCH", "/users/me"),
)

LEAK: Final = "\u2620"
"""A character that is nowhere in our own texts: a parser's message may quote a single one."""

WRONG_TYPES: Final = (
    *(("title", value) for value in (None, 1, True, ["x"], {"x": "y"})),
    *(("description", value) for value in (1, False, ["x"], {"x": "y"})),
    *(("is_completed", value) for value in (None, 0, 1, 1.0, "true", "", [True])),
    *(("status", value) for value in (None, 1, True, ["pending"])),
)
"""Fields with values of a type that they never have; `null` only where nothing can be cleared."""


def nested(levels: int) -> bytes:
    return b'{"title": "x", "x": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def padded(length: int) -> bytes:
    return b'{"title": "x"}'.ljust(length)


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


async def ask(
    user: UserClient, endpoint: tuple[str, str], body: bytes, problem: tuple[int, str]
) -> None:
    """Ask with a body that is refused with this status and code, and make sure that nothing came of it."""
    task, before = await user.create_task(), (await user.get("/users/me")).content
    method, path = endpoint

    assert_problem(await user.request(method, path.format(id=task["id"]), content=body), *problem)
    assert await user.list_tasks() == [task]
    assert (await user.get("/users/me")).content == before


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_not_strictly_json_cannot_be_read(
    as_user: UserClientFactory, body: bytes, endpoint: tuple[str, str]
) -> None:
    await ask(as_user("ann"), endpoint, body, (400, "bad-request"))


@pytest.mark.parametrize(
    "endpoint", [endpoint for endpoint in ENDPOINTS if endpoint[0] != "DELETE"], ids=" ".join
)
async def test_an_empty_body_cannot_be_read_where_one_is_needed(
    as_user: UserClientFactory, endpoint: tuple[str, str]
) -> None:
    await ask(as_user("ann"), endpoint, b"", (400, "bad-request"))


@pytest.mark.parametrize("endpoint", ENDPOINTS[:3], ids=" ".join)
@pytest.mark.parametrize(("field", "value"), WRONG_TYPES)
async def test_a_value_of_the_wrong_type_cannot_be_read(
    as_user: UserClientFactory, endpoint: tuple[str, str], field: str, value: object
) -> None:
    body = json.dumps({"title": "x", field: value}).encode()

    await ask(as_user("ann"), endpoint, body, (400, "bad-request"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("id", value) for value in (1, "", "x", "00000000-0000-4000-8000-00000000000g")),
        *(
            ("completed_at", value)
            for value in (1, "", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z")
        ),
        ("completed_at", "2026-01-01T00:00:00"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_value_that_is_no_id_or_no_time_cannot_be_read(
    as_user: UserClientFactory, method: str, field: str, value: object
) -> None:
    body = json.dumps({"title": "x", field: value}).encode()

    await ask(as_user("ann"), (method, "/tasks/{id}"), body, (400, "bad-request"))


@pytest.mark.parametrize(
    "body",
    [
        b'{"is_completed": "x"}',
        b'{"title": "", "is_completed": null}',
        b'{"title": "x", "description": 1, "unknown": 1}',
        b'{"title": null, "status": "done"}',
        b'{"title": "x", "status": "done", "user_id": 1}',
        b'{"title": 1, "is_completed": true, "status": "pending"}',
        b'{"title": "", "title": ""}',
        b'{"unknown": NaN}',
    ],
)
@pytest.mark.parametrize("endpoint", ENDPOINTS[:3:2], ids=" ".join)
async def test_a_body_that_cannot_be_read_and_breaks_a_rule_cannot_be_read(
    as_user: UserClientFactory, endpoint: tuple[str, str], body: bytes
) -> None:
    await ask(as_user("ann"), endpoint, body, (400, "bad-request"))


@pytest.mark.parametrize(("method", "path"), [("POST", "/tasks"), ("PUT", "/tasks/{id}")])
async def test_every_fault_is_listed_at_its_place_and_never_what_was_sent(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")
    wrong = {
        "title": [LEAK],
        "description": {LEAK: 1},
        "is_completed": LEAK,
        "user_id": [LEAK],
        "unknown": LEAK,
    }
    if method == "PUT":
        wrong |= {"id": LEAK, "completed_at": LEAK}

    response = await ann.request(
        method, path.format(id=(await ann.create_task())["id"]), json=wrong
    )

    places = error_locations(assert_problem(response, 400, "bad-request"))
    assert sorted(map(str, places)) == sorted(str(["body", field]) for field in wrong)
    assert LEAK not in json.dumps(response.json(), ensure_ascii=False)


async def test_limits_are_kept_to_the_last_level_and_digit(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    # An unknown field breaks a rule, so whoever is told of it was read.
    for body in (nested(32), b'{"title": "x", "x": ' + b"9" * 1_000 + b"}"):
        assert error_locations(
            assert_problem(await ann.post("/tasks", content=body), 422, "invalid-body")
        ) == [["body", "x"]]
    assert_problem(await ann.post("/tasks", content=nested(33)), 400, "bad-request")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "in chunks"])
async def test_a_body_has_at_most_64_kib(as_user: UserClientFactory, *, chunked: bool) -> None:
    ann = as_user("ann")

    for length, status in (
        (BODY_MAX_BYTES, 201),
        (BODY_MAX_BYTES + 1, 413),
        (3 * BODY_MAX_BYTES, 413),
    ):
        body = padded(length)
        response = await ann.post("/tasks", content=in_chunks(body) if chunked else body)
        assert response.status_code == status, response.text
        if status == 413:
            assert_problem(response, 413, "content-too-large")
    assert len(await ann.list_tasks()) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
async def test_a_body_that_is_too_long_is_refused_everywhere(
    as_user: UserClientFactory, endpoint: tuple[str, str]
) -> None:
    await ask(as_user("ann"), endpoint, b'"'.ljust(BODY_MAX_BYTES + 1), (413, "content-too-large"))


async def test_a_body_may_come_in_chunks_of_any_size(as_user: UserClientFactory) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for byte in '{"title": "Grüße 🌱"}'.encode():
            yield bytes([byte])

    assert (await as_user("ann").post("/tasks", content=drops())).json()["title"] == "Grüße 🌱"


JSON_TYPES: Final = (
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    "application/json;x=y",
)
OTHER_TYPES: Final = (
    "text/plain",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/json-patch+json",
    "application/x-ndjson",
    "application/problem+json",
    "application/json, text/plain",
    "json",
    "*/*",
)


@pytest.mark.parametrize("media_type", JSON_TYPES)
async def test_a_body_is_json(as_user: UserClientFactory, media_type: str) -> None:
    headers = {"Content-Type": media_type}

    assert (
        await as_user("ann").post("/tasks", content=b'{"title": "x"}', headers=headers)
    ).status_code == 201


async def test_a_body_that_does_not_say_what_it_is_counts_as_json(
    as_user: UserClientFactory,
) -> None:
    response = await as_user("ann").post("/tasks", content=b'{"title": "x"}')

    assert "content-type" not in response.request.headers
    assert response.status_code == 201


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
@pytest.mark.parametrize("media_type", OTHER_TYPES)
async def test_a_body_of_another_type_is_refused(
    as_user: UserClientFactory, endpoint: tuple[str, str], media_type: str
) -> None:
    ann = as_user("ann")
    ann.headers["Content-Type"] = media_type
    method, path = endpoint
    task = (await as_user("ann").create_task())["id"]

    response = await ann.request(method, path.format(id=task), content=b"{}")

    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, ("POST", "/users/me/import")], ids=" ".join)
async def test_a_compressed_body_is_refused(
    as_user: UserClientFactory, endpoint: tuple[str, str]
) -> None:
    ann = as_user("ann")
    ann.headers["Content-Encoding"] = "gzip"
    method, path = endpoint
    task = (await as_user("ann").create_task())["id"]

    response = await ann.request(method, path.format(id=task), content=gzip.compress(b"{}"))

    assert_problem(response, 415, "unsupported-content-encoding")
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
async def test_only_a_patch_may_be_a_merge_patch(
    as_user: UserClientFactory, endpoint: tuple[str, str]
) -> None:
    ann = as_user("ann")
    method, path = endpoint
    headers = {"Content-Type": "application/merge-patch+json"}

    response = await ann.request(
        method, path.format(id=(await ann.create_task())["id"]), content=b"{}", headers=headers
    )

    assert response.status_code == (200 if method == "PATCH" else 415)


@pytest.mark.parametrize("framing", ["Content-Length: 60000", "Content-Length: 900000"])
@pytest.mark.parametrize(
    ("path", "media_type", "status"),
    [
        ("/tasks", "text/plain", (415, 413)),
        ("/users/me", "text/plain", (415, 413)),
        ("/users/me/import", "application/json", (415, 415)),
    ],
)
async def test_what_the_head_tells_is_answered_before_the_body_is_there(
    as_user: UserClientFactory,
    base_url: str,
    framing: str,
    path: str,
    media_type: str,
    status: tuple[int, int],
) -> None:
    ann = as_user("ann")
    url = httpx.URL(base_url)
    method = "PATCH" if path == "/users/me" else "POST"
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {url.host}",
        framing,
        f"Content-Type: {media_type}",
    ]
    lines += [f"Authorization: {ann.headers['authorization']}", "", ""]
    reader, writer = await asyncio.open_connection(
        url.host, url.port, ssl=url.scheme == "https" or None
    )

    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(4):
        response = await reader.readline()
    writer.close()

    assert int(response.split()[1]) == status["900000" in framing]
