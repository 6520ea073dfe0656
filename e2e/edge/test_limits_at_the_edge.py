"""How much one address and one user may ask at once, and how much anybody may send."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from edge_stage import FRONT_END, SUBJECT, Backstage, Edge
from wire import problem_of

from devkit.conversation import Answer, answers, ask, converse, request
from devkit.tokens import mint_token
from devkit.upstream import Received, document

OTHER = "c0ffee00-0000-4000-8000-000000000002"
BURST = 10


async def rush(edge: Edge, path: str, *tokens: str) -> list[httpx.Response]:
    """Ask for more than may pass, with each of these tokens in turn."""
    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        headers = [{"Authorization": f"Bearer {token}", "Origin": FRONT_END} for token in tokens]
        return await asyncio.gather(*(client.get(path, headers=headers[at % len(headers)]) for at in range(60)))


def refused(found: list[httpx.Response]) -> list[httpx.Response]:
    """Return those that were too many, having looked at all that they promise."""
    those = [answer for answer in found if not answer.is_success]
    for answer in those:
        problem_of(answer, 429, "too-many-requests")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["access-control-allow-origin"] == FRONT_END
    return those


async def test_an_address_that_asks_too_much_is_told_to_wait(backstage: Backstage, token: str) -> None:
    edge = await backstage.edge(LIMIT_PER_ADDRESS=str(BURST // 2))
    await asyncio.sleep(2)

    for path in ("/tasks", "/healthz", "/nothing", "/users/me"):
        found = await rush(edge, path, token, mint_token("somebody else's secret, of many bytes", OTHER))
        counted = Counter(answer.status_code for answer in found)
        assert counted[429] >= 60 - 2 * BURST, counted
    for answer in found:
        if answer.status_code == 429:
            refused([answer])


async def test_a_user_who_asks_too_much_is_told_to_wait_and_nobody_else(
    backstage: Backstage, token: str, better_auth_secret: str
) -> None:
    edge = await backstage.edge(LIMIT_PER_USER=str(BURST // 2))
    others = mint_token(better_auth_secret, OTHER)

    many = await rush(edge, "/tasks", token)
    assert 60 - 2 * BURST <= len(refused(many)) < 60
    assert len(refused(await rush(edge, "/tasks", others))) <= 60 - BURST
    both = await rush(edge, "/tasks", token, others)
    assert refused(both)
    assert {seen.values("x-user-id")[0] for seen in backstage.tasks.seen} == {SUBJECT, OTHER}


@pytest.mark.parametrize("length", ["1000000", "10000000000", str(10**18), "0001000000"])
@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/users/me/imports", "/nothing", "/healthz"])
async def test_a_body_that_is_announced_too_long_is_refused_unread(edge: Edge, path: str, length: str) -> None:
    sent = request("POST", path, headers=f"Content-Length: {length}\r\nExpect: 100-continue\r\n")

    received = await converse(edge.port, sent)

    (answer,) = answers(received)
    assert (answer.status, answer.code) == (413, "content-too-large")
    assert b" 100 " not in received
    assert not edge.tasks.seen


async def test_the_longest_body_that_may_be_announced_is_handed_on(edge: Edge, token: str) -> None:
    assert (await ask(edge.port, request("POST", "/tasks", token, body=bytes(999_999)))).status == 200


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
async def test_an_import_may_be_longer(edge: Edge, token: str, path: str) -> None:
    sent = request("POST", path, token, body=bytes(2_000_000))

    assert (await ask(edge.port, sent)).status == 200
    assert [seen.line.split()[1] for seen in edge.users.seen] == [path]
    assert '"RouterName":"import@file"' in edge.process.log.read_text().splitlines()[-1]


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
async def test_an_import_has_an_end_too(edge: Edge, path: str) -> None:
    sent = request("POST", path, headers="Content-Length: 100000000\r\nExpect: 100-continue\r\n")

    (answer,) = answers(await converse(edge.port, sent))

    assert (answer.status, answer.code) == (413, "content-too-large")
    assert not edge.users.seen


async def test_a_body_of_chunks_is_handed_on_as_it_comes(edge: Edge, token: str) -> None:
    first = asyncio.Event()

    async def count(received: Received, writer: asyncio.StreamWriter) -> None:
        await received.reader.readexactly(len(b"5\r\nhello\r\n"))
        first.set()
        writer.write(document(status="413 Content Too Large", headers="Connection: close\r\n"))

    async def body() -> AsyncIterator[bytes]:
        yield b"hello"
        await first.wait()
        yield b"world"

    edge.tasks.behaviour = count
    async with httpx.AsyncClient(base_url=edge.service.url) as client, asyncio.timeout(5):
        answer = await client.post("/tasks", content=body(), headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 413


async def test_headers_beyond_the_limit_are_refused(edge: Edge, token: str) -> None:
    answer: Answer = await ask(edge.port, request("GET", "/tasks", token, headers=f"X-Own: {'a' * 22_000}\r\n"))

    assert answer.status == 431
    assert not edge.tasks.seen
