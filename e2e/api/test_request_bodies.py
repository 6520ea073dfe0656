"""What a body must be before its content is validated: JSON, of the right type, not too large."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import httpx
import pytest

from e2e.support.contract import assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

BODY_MAX_BYTES: Final = 65_536

MALFORMED_BODIES: Final = {
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
    "a NUL after the object": b'{"title": "x"}\0',
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

Endpoint = tuple[str, str]
"""A method, and a path with `{id}` in the place of a task's id."""

CREATE_TASK: Final = ("POST", "/tasks")
PATCH_TASK: Final = ("PATCH", "/tasks/{id}")
PUT_TASK: Final = ("PUT", "/tasks/{id}")
DELETE_TASK: Final = ("DELETE", "/tasks/{id}")
PATCH_PROFILE: Final = ("PATCH", "/users/me")
ENDPOINTS: Final = (CREATE_TASK, PATCH_TASK, PUT_TASK, DELETE_TASK, PATCH_PROFILE)

LEAK: Final = "\u2620"
"""A character that is in no text of the platform: a parser's message may quote a single one."""

VALUES_OF_WRONG_TYPES: Final[dict[str, list[object]]] = {
    "title": [None, 1, True, ["x"], {"x": "y"}],
    "description": [1, False, ["x"], {"x": "y"}],
    "is_completed": [None, 0, 1, 1.0, "true", "", [True]],
    "status": [None, 1, True, ["pending"]],
}
"""Values of a type that a field never has; `null` only where it does not clear the field."""

WRONG_TYPES: Final = [
    (field, value) for field, values in VALUES_OF_WRONG_TYPES.items() for value in values
]


def nested_body(levels: int) -> bytes:
    return b'{"title": "x", "x": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def padded_body(length: int) -> bytes:
    return b'{"title": "x"}'.ljust(length)


async def stream_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


async def assert_rejected(
    user: UserClient, endpoint: Endpoint, body: bytes, *, status: int = 400
) -> None:
    """Send a body, and check the problem and that nothing has changed."""
    codes = {400: "bad-request", 413: "content-too-large"}
    method, path = endpoint
    task = await user.create_task()
    profile = await user.get("/users/me")

    response = await user.request(method, path.format(id=task["id"]), content=body)

    assert_problem(response, status, codes[status])
    assert await user.list_tasks() == [task]
    unchanged_profile = await user.get("/users/me")
    assert unchanged_profile.content == profile.content


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
@pytest.mark.parametrize("body", MALFORMED_BODIES.values(), ids=MALFORMED_BODIES.keys())
async def test_a_body_that_is_not_strict_json_is_a_bad_request(
    as_user: UserClientFactory, body: bytes, endpoint: Endpoint
) -> None:
    await assert_rejected(as_user("ann"), endpoint, body)


@pytest.mark.parametrize(
    "endpoint", [CREATE_TASK, PATCH_TASK, PUT_TASK, PATCH_PROFILE], ids=" ".join
)
async def test_a_missing_body_is_a_bad_request(
    as_user: UserClientFactory, endpoint: Endpoint
) -> None:
    await assert_rejected(as_user("ann"), endpoint, b"")


@pytest.mark.parametrize("endpoint", [CREATE_TASK, PATCH_TASK, PUT_TASK], ids=" ".join)
@pytest.mark.parametrize(("field", "value"), WRONG_TYPES)
async def test_a_value_of_the_wrong_type_is_a_bad_request(
    as_user: UserClientFactory, endpoint: Endpoint, field: str, value: object
) -> None:
    body = json.dumps({"title": "x", field: value}).encode()

    await assert_rejected(as_user("ann"), endpoint, body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 1),
        ("id", ""),
        ("id", "x"),
        ("id", "00000000-0000-4000-8000-00000000000g"),
        ("completed_at", 1),
        ("completed_at", ""),
        ("completed_at", "yesterday"),
        ("completed_at", "2026-01-01"),
        ("completed_at", "2026-13-01T00:00:00Z"),
        ("completed_at", "2026-01-01T00:00:00"),
    ],
)
@pytest.mark.parametrize("endpoint", [PATCH_TASK, PUT_TASK], ids=["PATCH", "PUT"])
async def test_a_value_that_is_no_id_or_no_time_is_a_bad_request(
    as_user: UserClientFactory, endpoint: Endpoint, field: str, value: object
) -> None:
    body = json.dumps({"title": "x", field: value}).encode()

    await assert_rejected(as_user("ann"), endpoint, body)


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
@pytest.mark.parametrize("endpoint", [CREATE_TASK, PUT_TASK], ids=" ".join)
async def test_types_are_checked_before_rules(
    as_user: UserClientFactory, endpoint: Endpoint, body: bytes
) -> None:
    await assert_rejected(as_user("ann"), endpoint, body)


@pytest.mark.parametrize(("method", "path"), [CREATE_TASK, PUT_TASK])
async def test_every_invalid_field_is_listed_without_its_value(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    body: dict[str, object] = {
        "title": [LEAK],
        "description": {LEAK: 1},
        "is_completed": LEAK,
        "user_id": [LEAK],
        "unknown": LEAK,
    }
    if method == "PUT":
        body["id"] = LEAK
        body["completed_at"] = LEAK

    response = await ann.request(method, path.format(id=task["id"]), json=body)

    problem = assert_problem(response, 400, "bad-request")
    locations = sorted(str(location) for location in error_locations(problem))
    assert locations == sorted(str(["body", field]) for field in body)
    assert LEAK not in json.dumps(response.json(), ensure_ascii=False)


async def test_limits_for_depth_and_digits_are_exact(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    long_number_body = b'{"title": "x", "x": ' + b"9" * 1_000 + b"}"

    # An unknown field breaks a rule, so the body itself was accepted.
    for body in (nested_body(32), long_number_body):
        response = await ann.post("/tasks", content=body)
        problem = assert_problem(response, 422, "invalid-body")
        assert error_locations(problem) == [["body", "x"]]
    too_deep = await ann.post("/tasks", content=nested_body(33))
    assert_problem(too_deep, 400, "bad-request")


@pytest.mark.parametrize("is_chunked", [False, True], ids=["announced", "in chunks"])
async def test_a_body_has_at_most_64_kib(as_user: UserClientFactory, *, is_chunked: bool) -> None:
    ann = as_user("ann")

    async def create_task(length: int) -> httpx.Response:
        body = padded_body(length)
        if is_chunked:
            return await ann.post("/tasks", content=stream_chunks(body))
        return await ann.post("/tasks", content=body)

    created = await create_task(BODY_MAX_BYTES)
    assert created.status_code == 201
    for length in (BODY_MAX_BYTES + 1, 3 * BODY_MAX_BYTES):
        rejected = await create_task(length)
        assert_problem(rejected, 413, "content-too-large")
    assert len(await ann.list_tasks()) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
async def test_a_body_that_is_too_large_is_rejected_everywhere(
    as_user: UserClientFactory, endpoint: Endpoint
) -> None:
    body = b'"'.ljust(BODY_MAX_BYTES + 1)

    await assert_rejected(as_user("ann"), endpoint, body, status=413)


async def test_a_body_may_have_chunks_of_any_size(as_user: UserClientFactory) -> None:
    async def stream_bytes() -> AsyncIterator[bytes]:
        for byte in '{"title": "Grüße 🌱"}'.encode():
            yield bytes([byte])

    response = await as_user("ann").post("/tasks", content=stream_bytes())

    assert response.json()["title"] == "Grüße 🌱"


JSON_MEDIA_TYPES: Final = (
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    "application/json;x=y",
)
OTHER_MEDIA_TYPES: Final = (
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


@pytest.mark.parametrize("media_type", JSON_MEDIA_TYPES)
async def test_a_json_media_type_is_accepted(as_user: UserClientFactory, media_type: str) -> None:
    headers = {"Content-Type": media_type}

    response = await as_user("ann").post("/tasks", content=b'{"title": "x"}', headers=headers)

    assert response.status_code == 201


async def test_a_body_without_a_media_type_is_json(as_user: UserClientFactory) -> None:
    response = await as_user("ann").post("/tasks", content=b'{"title": "x"}')

    assert "content-type" not in response.request.headers
    assert response.status_code == 201


async def send_body(
    user: UserClient, endpoint: Endpoint, body: bytes, headers: dict[str, str]
) -> httpx.Response:
    """Send a body with these headers to an endpoint, for a new task."""
    method, path = endpoint
    task = await user.create_task()
    return await user.request(method, path.format(id=task["id"]), content=body, headers=headers)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
@pytest.mark.parametrize("media_type", OTHER_MEDIA_TYPES)
async def test_another_media_type_is_rejected(
    as_user: UserClientFactory, endpoint: Endpoint, media_type: str
) -> None:
    response = await send_body(as_user("ann"), endpoint, b"{}", {"Content-Type": media_type})

    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, ("POST", "/users/me/import")], ids=" ".join)
async def test_a_compressed_body_is_rejected(
    as_user: UserClientFactory, endpoint: Endpoint
) -> None:
    headers = {"Content-Encoding": "gzip"}

    response = await send_body(as_user("ann"), endpoint, gzip.compress(b"{}"), headers)

    assert_problem(response, 415, "unsupported-content-encoding")
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
async def test_only_a_patch_may_be_a_merge_patch(
    as_user: UserClientFactory, endpoint: Endpoint
) -> None:
    headers = {"Content-Type": "application/merge-patch+json"}

    response = await send_body(as_user("ann"), endpoint, b"{}", headers)

    if endpoint in (PATCH_TASK, PATCH_PROFILE):
        assert response.status_code == 200
    else:
        assert response.status_code == 415


class EarlyProblem(NamedTuple):
    """The headers of a request whose body never arrives, and the status of the response."""

    method: str
    path: str
    media_type: str
    length: int
    status: int


EARLY_PROBLEMS: Final = [
    EarlyProblem("POST", "/tasks", "text/plain", 60_000, 415),
    EarlyProblem("POST", "/tasks", "text/plain", 900_000, 413),
    EarlyProblem("PATCH", "/users/me", "text/plain", 60_000, 415),
    EarlyProblem("PATCH", "/users/me", "text/plain", 900_000, 413),
    EarlyProblem("POST", "/users/me/import", "application/json", 60_000, 415),
    EarlyProblem("POST", "/users/me/import", "application/json", 900_000, 415),
]


@pytest.mark.parametrize("early_problem", EARLY_PROBLEMS)
async def test_the_headers_are_checked_before_the_body_arrives(
    as_user: UserClientFactory, base_url: str, early_problem: EarlyProblem
) -> None:
    url = httpx.URL(base_url)
    use_tls = None
    if url.scheme == "https":
        use_tls = True
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=use_tls)
    lines = [
        f"{early_problem.method} {early_problem.path} HTTP/1.1",
        f"Host: {url.host}",
        f"Authorization: {as_user('ann').headers['authorization']}",
        f"Content-Length: {early_problem.length}",
        f"Content-Type: {early_problem.media_type}",
        "",
        "",
    ]

    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(4):
        status_line = await reader.readline()
    writer.close()

    assert int(status_line.split()[1]) == early_problem.status
