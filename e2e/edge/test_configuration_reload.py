"""`routes.yml` is replaced while requests run; an invalid file changes nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from e2e.support.edge_testbed import FRONT_END_ORIGIN, Edge, EdgeTestbed

CLIENTS = 16
REQUESTS_MIN = 100
POLLS_MAX = 50
POLL_SECONDS = 0.1


def replace_routes(edge: Edge, text: str) -> None:
    """Replace the file by a rename, as operators must."""
    new_file = edge.routes.with_name("routes.yml.new")
    new_file.write_text(text)
    new_file.rename(edge.routes)


async def replace_with_invalid_routes(edge: Edge, text: str) -> None:
    """Replace the file, and wait until the log names it in an error."""
    known_errors = len(edge.logged_errors())
    replace_routes(edge, text)

    async def is_logged() -> bool:
        new_errors = edge.logged_errors()[known_errors:]
        return "routes.yml" in str(new_errors)

    await edge.process.wait_until(is_logged, seconds=10)


async def wait_for_max_age(edge: Edge, seconds: str) -> None:
    """Wait until responses to preflight requests have this value of Access-Control-Max-Age."""
    headers = {"Origin": FRONT_END_ORIGIN, "Access-Control-Request-Method": "PUT"}
    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        for _ in range(POLLS_MAX):
            response = await client.options("/tasks", headers=headers)
            if response.headers["access-control-max-age"] == seconds:
                return
            await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError


@asynccontextmanager
async def run_clients(edge: Edge, token: str) -> AsyncGenerator[Counter[int]]:
    """Let clients send requests until the block ends, each on one connection; count statuses."""
    statuses = Counter[int]()
    stop = asyncio.Event()

    async def send_requests(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            method = "GET"
            if statuses.total() % 2:
                method = "POST"
            response = await client.request(method, "/tasks")
            statuses[response.status_code] += 1

    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(base_url=edge.service.url, headers=headers, timeout=30) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(CLIENTS):
            group.create_task(send_requests(client))
        yield statuses
        stop.set()


async def test_replacing_the_routes_fails_no_request(edge_testbed: EdgeTestbed, token: str) -> None:
    edge = await edge_testbed.start_edge()
    text = edge.routes.read_text()

    async with run_clients(edge, token) as statuses:

        async def have_sent_many() -> bool:
            return statuses.total() > REQUESTS_MIN

        for number in range(10):
            changed_text = text.replace(
                "accessControlMaxAge: 600", f"accessControlMaxAge: {number}"
            )
            replace_routes(edge, changed_text)
            await asyncio.sleep(0.3)
        await wait_for_max_age(edge, "9")
        await edge.process.wait_until(have_sent_many)

    assert set(statuses) == {200}
    assert edge.logged_errors() == []


async def test_invalid_routes_are_logged_and_the_last_valid_ones_stay(
    edge_testbed: EdgeTestbed, token: str
) -> None:
    edge = await edge_testbed.start_edge()
    text = edge.routes.read_text()
    invalid_texts = {
        "no YAML": "http: [",
        "an invalid template": text + "{{ if }}",
        "an unknown key": text.replace("frameDeny: true", "frameDenied: true"),
        "half of the file": text[: text.index("}}", len(text) // 2)],
    }

    async with run_clients(edge, token) as statuses:
        for invalid_text in invalid_texts.values():
            await replace_with_invalid_routes(edge, invalid_text)
        await asyncio.sleep(0.5)
        replace_routes(edge, text)
        await asyncio.sleep(0.5)

    assert set(statuses) == {200}
    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        response = await client.get("/nothing")
        assert response.json()["code"] == "not-found"
