"""How much one address and one user may ask at once, and how much anybody may send."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from devkit.platform.tokens import mint_token
from devkit.testing.raw_http import (
    RawResponse,
    build_request,
    parse_responses,
    send_raw,
    send_request,
)
from devkit.testing.stub_server import ReceivedRequest, json_response
from e2e.support.contract import problem_of
from e2e.support.edge_testbed import FRONT_END, SUBJECT, Backstage, Edge

OTHER = "c0ffee00-0000-4000-8000-000000000002"
BURST = 10

REQUESTS = 60
"""How many are sent at once: some more than `BURST` may pass, because time goes on meanwhile."""


@pytest.fixture
async def limited(_limited: Edge) -> Edge:
    """Return an edge whose clients may send `BURST` requests at once, and have not sent any for long enough."""
    await asyncio.sleep(2)
    return _limited


@pytest.fixture(scope="module")
async def _limited(backstage: Backstage) -> Edge:
    return await backstage.edge(LIMIT_PER_ADDRESS=str(BURST // 2))


async def rush(edge: Edge, paths: Sequence[str], *tokens: str) -> list[httpx.Response]:
    """Ask for more than may pass, at these paths and with these tokens in turn."""
    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        requests = [
            client.get(
                paths[number % len(paths)],
                headers={
                    "Authorization": f"Bearer {tokens[number % len(tokens)]}",
                    "Origin": FRONT_END,
                },
            )
            for number in range(REQUESTS)
        ]
        return await asyncio.gather(*requests)


def refused(found: list[httpx.Response]) -> list[httpx.Response]:
    """Return those that were too many, having looked at all that they promise."""
    those = [answer for answer in found if answer.status_code == 429]
    for answer in those:
        problem_of(answer, 429, "too-many-requests")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["access-control-allow-origin"] == FRONT_END
        assert answer.headers["x-content-type-options"] == "nosniff"
    return those


@pytest.mark.parametrize(
    "path", ["/tasks", "/users/me", "/users/me/import", "/healthz", "/nothing"]
)
async def test_an_address_that_asks_too_much_is_told_to_wait(
    limited: Edge, token: str, path: str
) -> None:
    strangers = mint_token("somebody else's secret, of many bytes", OTHER)

    assert len(refused(await rush(limited, [path], token, strangers))) >= REQUESTS - 2 * BURST


async def test_one_address_has_one_budget_over_all_routes(limited: Edge, token: str) -> None:
    paths = ["/tasks", "/users/me", "/users/me/import", "/healthz", "/nothing", "/lists/1"]

    assert len(refused(await rush(limited, paths, token))) >= REQUESTS - 2 * BURST


async def test_preflights_cost_nothing_and_are_answered_when_all_else_is_refused(
    limited: Edge, token: str
) -> None:
    asking = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
    await rush(limited, ["/tasks"], token)

    async with httpx.AsyncClient(base_url=limited.service.url) as client:
        answers = await asyncio.gather(
            *(client.options("/tasks", headers=asking) for _ in range(REQUESTS))
        )

    assert {
        (answer.status_code, answer.headers["access-control-allow-origin"]) for answer in answers
    } == {(200, FRONT_END)}


async def test_a_user_who_asks_too_much_is_told_to_wait_and_nobody_else(
    backstage: Backstage, token: str, better_auth_secret: str
) -> None:
    edge = await backstage.edge(LIMIT_PER_USER=str(BURST // 2))
    others = mint_token(better_auth_secret, OTHER)

    many = await rush(edge, ["/tasks"], token)
    assert REQUESTS - 2 * BURST <= len(refused(many)) < REQUESTS
    assert len(refused(await rush(edge, ["/tasks"], others))) <= REQUESTS - BURST
    assert refused(await rush(edge, ["/tasks"], token, others))
    assert {seen.header_values("x-user-id")[0] for seen in backstage.tasks.requests} == {
        SUBJECT,
        OTHER,
    }


async def test_one_user_has_one_budget_over_all_routes(backstage: Backstage, token: str) -> None:
    edge = await backstage.edge(LIMIT_PER_USER=str(BURST // 2))

    found = await rush(edge, ["/tasks", "/users/me", "/users/me/import", "/lists/1"], token)

    assert len(refused(found)) >= REQUESTS - 2 * BURST
    assert not refused(await rush(edge, ["/healthz"], token))


@pytest.mark.parametrize("length", ["1000000", "10000000000", str(10**18), "0001000000"])
@pytest.mark.parametrize(
    "path", ["/tasks", "/users/me", "/users/me/imports", "/nothing", "/healthz"]
)
async def test_a_body_that_is_announced_too_long_is_refused_unread(
    edge: Edge, path: str, length: str
) -> None:
    sent = build_request(
        "POST", path, headers=f"Content-Length: {length}\r\nExpect: 100-continue\r\n"
    )

    received = await send_raw(edge.port, sent)

    (answer,) = parse_responses(received)
    assert (answer.status, answer.code) == (413, "content-too-large")
    assert b" 100 " not in received
    assert not edge.tasks.requests


async def test_the_longest_body_that_may_be_announced_is_handed_on(edge: Edge, token: str) -> None:
    assert (
        await send_request(edge.port, build_request("POST", "/tasks", token, body=bytes(999_999)))
    ).status == 200


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
async def test_an_import_may_be_longer(edge: Edge, token: str, path: str) -> None:
    sent = build_request("POST", path, token, body=bytes(2_000_000))

    assert (await send_request(edge.port, sent)).status == 200
    assert [seen.line.split()[1] for seen in edge.users.requests] == [path]
    routers = json.loads(edge.process.log.read_text().splitlines()[-1])["RouterName"]
    assert routers.split(" -> ")[-1] == "import@file"


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
async def test_an_import_has_an_end_too(edge: Edge, path: str) -> None:
    sent = build_request(
        "POST", path, headers="Content-Length: 100000000\r\nExpect: 100-continue\r\n"
    )

    (answer,) = parse_responses(await send_raw(edge.port, sent))

    assert (answer.status, answer.code) == (413, "content-too-large")
    assert not edge.users.requests


async def test_a_body_of_chunks_is_handed_on_as_it_comes(edge: Edge, token: str) -> None:
    first = asyncio.Event()

    async def count(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await received.reader.readexactly(len(b"5\r\nhello\r\n"))
        first.set()
        writer.write(json_response(status="413 Content Too Large", headers="Connection: close\r\n"))

    async def body() -> AsyncIterator[bytes]:
        yield b"hello"
        await first.wait()
        yield b"world"

    edge.tasks.behaviour = count
    async with httpx.AsyncClient(base_url=edge.service.url) as client, asyncio.timeout(5):
        answer = await client.post(
            "/tasks", content=body(), headers={"Authorization": f"Bearer {token}"}
        )

    assert answer.status_code == 413


async def test_headers_beyond_the_limit_are_refused(edge: Edge, token: str) -> None:
    answer: RawResponse = await send_request(
        edge.port, build_request("GET", "/tasks", token, headers=f"X-Own: {'a' * 22_000}\r\n")
    )

    assert answer.status == 431
    assert not edge.tasks.requests


LONG = ["Content-Length: 10000\r\n", "Content-Length: 900000\r\n", "Transfer-Encoding: chunked\r\n"]


@pytest.mark.parametrize("framing", LONG)
@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/users/me/import"])
@pytest.mark.parametrize("status", [401, 413])
async def test_an_answer_does_not_wait_for_a_body_that_stalls(
    edge: Edge, token: str, framing: str, path: str, status: int
) -> None:
    async def refuse(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(json_response(status="413 Content Too Large"))

    edge.tasks.behaviour = edge.users.behaviour = refuse
    head = build_request("POST", path, token if status == 413 else "nonsense", headers=framing)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(head.replace(b"Connection: close\r\n", b""))
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert answer.startswith(f"HTTP/1.1 {status}".encode())
    assert b"Connection: close" in answer


async def test_a_short_change_leaves_the_connection_open(edge: Edge, token: str) -> None:
    sent = build_request("POST", "/tasks", token, body=bytes(9_999)).replace(
        b"Connection: close\r\n", b""
    )

    found = parse_responses(await send_raw(edge.port, sent + sent, timeout_seconds=1))

    assert [(answer.status, answer.header_values("connection")) for answer in found] == [
        (200, [])
    ] * 2


async def test_long_and_short_changes_have_one_budget(backstage: Backstage, token: str) -> None:
    edge = await backstage.edge(LIMIT_PER_USER="1")
    short, long = (build_request("POST", "/tasks", token, body=bytes(size)) for size in (1, 10_000))

    found = [(await send_request(edge.port, sent)).status for sent in (short, long, short, long)]

    assert found == [200, 200, 429, 429]
