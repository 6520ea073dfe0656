"""The middleware of every request, tested through the real server."""

import asyncio

import pytest
from httpx import AsyncClient, RemoteProtocolError, Response

from common.app import KEEP_ALIVE_SECONDS
from common.middleware import HEADERS_MAX_BYTES, OUTCOME_UNKNOWN_DETAIL, URL_MAX_BYTES

from .conftest import Line, Sample

RESPONSES = [
    ("GET", "/things", 200),
    ("GET", "/things/no-id", 400),
    ("DELETE", "/things/no-id", 400),
    ("GET", "/nowhere", 404),
    ("PUT", "/things", 405),
    ("OPTIONS", "/things", 204),
    ("POST", "/things", 400),
    ("GET", "/broken", 500),
    ("GET", "/slow", 503),
]


def is_problem(response: Response) -> bool:
    problem = response.json()
    says = (
        problem["request_id"] == response.headers["x-request-id"]
        and problem["status"] == response.status_code
    )
    return says and response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "status"), RESPONSES)
async def test_every_response_has_the_security_headers(
    client: AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)

    assert response.status_code == status
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "server" not in response.headers
    assert status < 400 or is_problem(response)


async def test_headers_of_a_response_stay_except_the_request_id(client: AsyncClient) -> None:
    response = await client.get("/own-words", headers={"X-Request-ID": "our-own-id"})

    assert response.headers.get_list("cache-control") == ["private, no-cache"]
    assert response.headers.get_list("link") == ["<1>", "<2>"]
    assert response.headers.get_list("x-request-id") == ["our-own-id"]


@pytest.mark.parametrize("sent", ["a-plain.id:1_2", "x" * 128])
async def test_a_plain_request_id_is_kept(client: AsyncClient, sent: str) -> None:
    assert (await client.get("/healthz", headers={"X-Request-ID": sent})).headers[
        "x-request-id"
    ] == sent


@pytest.mark.parametrize(
    "sent", ["", "short", "x" * 129, "with a space", 'quote"quote', "back\\slash", "ümläut-id"]
)
async def test_an_odd_request_id_is_replaced(client: AsyncClient, sent: str) -> None:
    response = await client.get("/healthz", headers=[(b"X-Request-ID", sent.encode())])

    assert response.headers.get_list("x-request-id") != [sent]
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.parametrize(("path", "status"), [("/things?", 414), ("/" + "%41" * 100 + "?", 414)])
async def test_a_url_beyond_the_limit_is_414(client: AsyncClient, path: str, status: int) -> None:
    padding = "x" * (URL_MAX_BYTES - len(path) + 2)

    response = await client.get(path + padding)

    assert response.status_code == status
    assert response.json()["title"] == "URI Too Long"
    assert (await client.get(path + padding[:-200])).status_code != status


async def test_headers_beyond_the_limit_are_431(client: AsyncClient) -> None:
    response = await client.get("/healthz", headers={"X-Padding": "x" * HEADERS_MAX_BYTES})

    assert response.status_code == 431
    assert is_problem(response)
    assert (await client.get("/healthz", headers={"X-Padding": "x" * 15_000})).status_code == 200


async def test_head_returns_the_headers_of_get_without_a_body(sample: Sample) -> None:
    plain = "Host: here\nConnection: close\n\n"
    head = await sample.send_raw(f"HEAD /healthz HTTP/1.1\n{plain}")
    get = await sample.send_raw(f"GET /healthz HTTP/1.1\n{plain}")

    def fields(response: bytes) -> list[bytes]:
        lines = response.partition(b"\r\n\r\n")[0].split(b"\r\n")
        return [line for line in lines if not line.startswith((b"x-request-id", b"date"))]

    assert fields(head) == fields(get)
    assert head.endswith(b"\r\n\r\n")
    assert get.endswith(b'{"status":"ok"}')


async def test_a_trailing_slash_is_served_and_never_redirected(client: AsyncClient) -> None:
    assert (await client.get("/things/")).json() == {"subject": "ann"}
    assert (await client.get("/nowhere/")).status_code == 404


async def test_a_known_path_lists_all_its_methods(client: AsyncClient) -> None:
    path = "/things/00000000-0000-4000-8000-000000000000"
    put_response = await client.put(path)
    options_response = await client.options(path)

    assert (put_response.status_code, put_response.json()["code"]) == (405, "method-not-allowed")
    assert (options_response.status_code, options_response.content) == (204, b"")
    assert (
        put_response.headers["allow"]
        == options_response.headers["allow"]
        == "DELETE, GET, HEAD, OPTIONS"
    )
    assert (await client.options("/nowhere")).status_code == 404


async def test_an_error_of_a_middleware_is_a_problem_document(client: AsyncClient) -> None:
    response = await client.get("/things", headers={"X-Refuse": "me"})

    assert (response.status_code, response.json()["code"], response.headers["x-early"]) == (
        403,
        "refused-early",
        "yes",
    )
    assert is_problem(response)


async def test_a_framework_error_does_not_repeat_the_input(client: AsyncClient) -> None:
    response = await client.delete("/things/what-a-user-wrote")

    assert (response.status_code, response.json()["code"]) == (400, "bad-request")
    assert "wrote" not in response.text


@pytest.mark.parametrize("path", ["/broken", "/impatient"])
async def test_a_bug_is_a_500_without_details(client: AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert (response.status_code, response.json()["code"]) == (500, "internal-server-error")
    assert response.headers["retry-after"] == "1"
    assert "wrote" not in response.text


async def test_a_deadline_that_has_passed_is_a_503(client: AsyncClient) -> None:
    response = await client.get("/slow")

    assert (response.status_code, response.json()["code"]) == (503, "deadline-passed")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("how", ["broken", "slow"])
async def test_a_response_that_has_begun_is_cut_off_after_an_error(
    client: AsyncClient, sample: Sample, how: str
) -> None:
    raw = await sample.send_raw(f"GET /half/{how} HTTP/1.1\nHost: here\n\n")

    assert raw.count(b"HTTP/1.1") == 1
    assert b"half" in raw
    assert b"problem" not in raw
    with pytest.raises(RemoteProtocolError):
        await client.get(f"/half/{how}")


async def test_a_client_that_disconnects_is_not_logged_as_an_error(sample: Sample) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", sample.port)
    head = [
        "POST /patient HTTP/1.1",
        "Host: here",
        "Content-Length: 10",
        "X-Request-ID: gone-away-1",
        "",
        "half",
    ]
    writer.write("\r\n".join(head).encode())
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()

    (line,) = await sample.wait_for_request_log("gone-away-1")
    assert (line["status"], line["level"]) == (499, "info")


async def leave(sample: Sample, method: str, path: str, request_id: str) -> Line:
    """Send a request, disconnect at once, and return its log line."""
    _, writer = await asyncio.open_connection("127.0.0.1", sample.port)
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: here\r\nX-Request-ID: {request_id}\r\n\r\n".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    (line,) = await sample.wait_for_request_log(request_id)
    return line


async def test_a_read_is_cancelled_when_its_client_disconnects(
    sample: Sample, client: AsyncClient
) -> None:
    line = await leave(sample, "GET", "/rows/cancelled-row/later", "gone-away-2")

    assert (line["status"], line["level"]) == (499, "info")
    await asyncio.sleep(0.3)
    assert (await client.post("/rows/cancelled-row")).status_code == 200


async def test_a_change_is_finished_after_its_client_has_disconnected(
    sample: Sample, client: AsyncClient
) -> None:
    line = await leave(sample, "POST", "/rows/saved-and-closed/later", "gone-away-3")

    assert line["level"] == "info"
    assert (await client.post("/rows/saved-and-closed")).status_code == 500


async def test_a_long_change_is_cancelled_after_its_client_has_disconnected(sample: Sample) -> None:
    line = await leave(sample, "POST", "/slow", "gone-away-4")

    assert line["status"] == 499
    assert float(str(line["milliseconds"])) < 900


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/broken", "/slow"])
async def test_an_error_of_a_change_says_that_its_outcome_is_unknown(
    client: AsyncClient, method: str, path: str
) -> None:
    response = await client.request(method, path)

    assert is_problem(response)
    assert response.json()["detail"] == OUTCOME_UNKNOWN_DETAIL


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"Idempotency-Key": "1"}),
        ("PATCH", {"If-Match": '"1"'}),
        ("PUT", {"If-None-Match": "*"}),
        ("GET", {}),
    ],
)
async def test_an_error_of_a_repeatable_request_has_no_warning(
    client: AsyncClient, method: str, headers: dict[str, str]
) -> None:
    response = await client.request(method, "/broken", headers=headers)

    assert (response.status_code, response.json()["detail"]) == (
        500,
        "Something went wrong on our side.",
    )


async def test_a_rejected_change_has_no_warning(client: AsyncClient) -> None:
    response = await client.post("/things", headers={"X-Refuse": "me"})

    assert response.json()["detail"] == "You asked for it."


def test_connections_are_kept_open_longer_than_by_the_edge() -> None:
    """The edge keeps 90 s."""
    assert KEEP_ALIVE_SECONDS > 90


async def test_startup_objects_are_exempt_from_garbage_collection(client: AsyncClient) -> None:
    """All modules, classes and schemas are over 100,000 objects: to visit them takes 50 ms."""
    collectable = (await client.get("/collectable")).json()

    assert collectable < 40_000
