"""What surrounds every request, seen from outside the real server."""

import asyncio

import pytest
from httpx import AsyncClient, RemoteProtocolError, Response

from common.app import KEEP_ALIVE_SECONDS
from common.middleware import HEADERS_MAX_BYTES, OUTCOME_UNKNOWN_DETAIL, URL_MAX_BYTES

from .conftest import Line, Sample

ANSWERS = [
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


def is_problem(answer: Response) -> bool:
    problem = answer.json()
    says = (
        problem["request_id"] == answer.headers["x-request-id"]
        and problem["status"] == answer.status_code
    )
    return says and answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("verb", "path", "status"), ANSWERS)
async def test_every_answer_says_how_to_be_treated(
    client: AsyncClient, verb: str, path: str, status: int
) -> None:
    answer = await client.request(verb, path)

    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    assert status < 400 or is_problem(answer)


async def test_what_an_answer_says_itself_stays_but_for_the_request_id(client: AsyncClient) -> None:
    answer = await client.get("/own-words", headers={"X-Request-ID": "our-own-id"})

    assert answer.headers.get_list("cache-control") == ["private, no-cache"]
    assert answer.headers.get_list("link") == ["<1>", "<2>"]
    assert answer.headers.get_list("x-request-id") == ["our-own-id"]


@pytest.mark.parametrize("sent", ["a-plain.id:1_2", "x" * 128])
async def test_a_plain_request_id_is_kept(client: AsyncClient, sent: str) -> None:
    assert (await client.get("/healthz", headers={"X-Request-ID": sent})).headers[
        "x-request-id"
    ] == sent


@pytest.mark.parametrize(
    "sent", ["", "short", "x" * 129, "with a space", 'quote"quote', "back\\slash", "ümläut-id"]
)
async def test_an_odd_request_id_is_replaced(client: AsyncClient, sent: str) -> None:
    answer = await client.get("/healthz", headers=[(b"X-Request-ID", sent.encode())])

    assert answer.headers.get_list("x-request-id") != [sent]
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(("path", "status"), [("/things?", 414), ("/" + "%41" * 100 + "?", 414)])
async def test_an_address_beyond_the_limit_is_refused(
    client: AsyncClient, path: str, status: int
) -> None:
    padding = "x" * (URL_MAX_BYTES - len(path) + 2)

    answer = await client.get(path + padding)

    assert answer.status_code == status
    assert answer.json()["title"] == "URI Too Long"
    assert (await client.get(path + padding[:-200])).status_code != status


async def test_headers_beyond_the_limit_are_refused(client: AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"X-Padding": "x" * HEADERS_MAX_BYTES})

    assert answer.status_code == 431
    assert is_problem(answer)
    assert (await client.get("/healthz", headers={"X-Padding": "x" * 15_000})).status_code == 200


async def test_head_is_answered_like_get_without_a_body(sample: Sample) -> None:
    plain = "Host: here\nConnection: close\n\n"
    head = await sample.say(f"HEAD /healthz HTTP/1.1\n{plain}")
    get = await sample.say(f"GET /healthz HTTP/1.1\n{plain}")

    def fields(answer: bytes) -> list[bytes]:
        lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
        return [line for line in lines if not line.startswith((b"x-request-id", b"date"))]

    assert fields(head) == fields(get)
    assert head.endswith(b"\r\n\r\n")
    assert get.endswith(b'{"status":"ok"}')


async def test_a_trailing_slash_is_served_and_never_redirected(client: AsyncClient) -> None:
    assert (await client.get("/things/")).json() == {"subject": "somebody"}
    assert (await client.get("/nowhere/")).status_code == 404


async def test_a_known_path_lists_all_its_verbs(client: AsyncClient) -> None:
    path = "/things/00000000-0000-4000-8000-000000000000"
    refused, asked = await client.put(path), await client.options(path)

    assert (refused.status_code, refused.json()["code"]) == (405, "method-not-allowed")
    assert (asked.status_code, asked.content) == (204, b"")
    assert refused.headers["allow"] == asked.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert (await client.options("/nowhere")).status_code == 404


async def test_what_a_middleware_refuses_is_a_problem_like_any_other(client: AsyncClient) -> None:
    answer = await client.get("/things", headers={"X-Refuse": "me"})

    assert (answer.status_code, answer.json()["code"], answer.headers["x-early"]) == (
        403,
        "refused-early",
        "yes",
    )
    assert is_problem(answer)


async def test_the_framework_never_repeats_what_was_sent(client: AsyncClient) -> None:
    answer = await client.delete("/things/what-a-person-wrote")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
    assert "wrote" not in answer.text


@pytest.mark.parametrize("path", ["/broken", "/impatient"])
async def test_a_bug_is_a_500_that_tells_nothing(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-server-error")
    assert answer.headers["retry-after"] == "1"
    assert "wrote" not in answer.text


async def test_a_deadline_that_has_passed_is_a_503(client: AsyncClient) -> None:
    answer = await client.get("/slow")

    assert (answer.status_code, answer.json()["code"]) == (503, "deadline-passed")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("how", ["broken", "slow"])
async def test_an_answer_that_has_begun_is_cut_and_not_followed_by_another(
    client: AsyncClient, sample: Sample, how: str
) -> None:
    raw = await sample.say(f"GET /half/{how} HTTP/1.1\nHost: here\n\n")

    assert raw.count(b"HTTP/1.1") == 1
    assert b"half" in raw
    assert b"problem" not in raw
    with pytest.raises(RemoteProtocolError):
        await client.get(f"/half/{how}")


async def test_a_client_who_leaves_is_no_failure(sample: Sample) -> None:
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

    (line,) = await sample.until_written("gone-away-1")
    assert (line["status"], line["level"]) == (499, "info")


async def leave(sample: Sample, verb: str, path: str, request_id: str) -> Line:
    """Ask for something, leave at once, and return what the service writes of it."""
    _, writer = await asyncio.open_connection("127.0.0.1", sample.port)
    writer.write(
        f"{verb} {path} HTTP/1.1\r\nHost: here\r\nX-Request-ID: {request_id}\r\n\r\n".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    (line,) = await sample.until_written(request_id)
    return line


async def test_a_read_ends_when_its_client_has_left(sample: Sample, client: AsyncClient) -> None:
    line = await leave(sample, "GET", "/rows/nobody-waits/later", "gone-away-2")

    assert (line["status"], line["level"]) == (499, "info")
    await asyncio.sleep(0.3)
    assert (await client.post("/rows/nobody-waits")).status_code == 200


async def test_a_change_is_finished_for_a_client_who_has_just_left(
    sample: Sample, client: AsyncClient
) -> None:
    line = await leave(sample, "POST", "/rows/saved-and-closed/later", "gone-away-3")

    assert line["level"] == "info"
    assert (await client.post("/rows/saved-and-closed")).status_code == 500


async def test_a_change_that_takes_long_ends_when_its_client_has_left(sample: Sample) -> None:
    line = await leave(sample, "POST", "/slow", "gone-away-4")

    assert line["status"] == 499
    assert float(str(line["milliseconds"])) < 900


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/broken", "/slow"])
async def test_who_cannot_know_whether_a_change_was_made_is_told_so(
    client: AsyncClient, verb: str, path: str
) -> None:
    answer = await client.request(verb, path)

    assert is_problem(answer)
    assert answer.json()["detail"] == OUTCOME_UNKNOWN_DETAIL


@pytest.mark.parametrize(
    ("verb", "headers"),
    [
        ("POST", {"Idempotency-Key": "1"}),
        ("PATCH", {"If-Match": '"1"'}),
        ("PUT", {"If-None-Match": "*"}),
        ("GET", {}),
    ],
)
async def test_who_may_safely_send_it_again_is_not_warned(
    client: AsyncClient, verb: str, headers: dict[str, str]
) -> None:
    answer = await client.request(verb, "/broken", headers=headers)

    assert (answer.status_code, answer.json()["detail"]) == (
        500,
        "Something went wrong on our side.",
    )


async def test_a_refusal_of_a_change_says_nothing_of_changes_made(client: AsyncClient) -> None:
    answer = await client.post("/things", headers={"X-Refuse": "me"})

    assert answer.json()["detail"] == "You asked for it."


def test_connections_are_kept_longer_than_an_edge_keeps_its_own() -> None:
    """The edge keeps 90 s."""
    assert KEEP_ALIVE_SECONDS > 90


async def test_what_a_service_is_made_of_is_never_searched_for_garbage(client: AsyncClient) -> None:
    """All modules, classes and schemas together are well over 100,000 objects: to look at them takes 50 ms."""
    collectable = (await client.get("/collectable")).json()

    assert collectable < 40_000
