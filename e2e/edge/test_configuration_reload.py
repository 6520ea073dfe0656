"""`routes.yml` is replaced while requests run; a broken one changes nothing."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from e2e.support.edge_testbed import Backstage, Edge

CLIENTS = 16


def replace(edge: Edge, text: str) -> None:
    """Put another text in the place of the routes, as operators are told to: by a rename."""
    beside = edge.routes.with_name("routes.yml.new")
    beside.write_text(text)
    beside.rename(edge.routes)


def errors(edge: Edge) -> list[str]:
    """Return what the edge's log calls an error."""
    lines = [
        json.loads(line)
        for line in edge.process.log.read_text().splitlines()
        if line.startswith("{")
    ]
    return [
        f"{line.get('error')} {line.get('message')}" for line in lines if line["level"] == "error"
    ]


async def require_error(edge: Edge, broken: str) -> None:
    """Put a broken text in the place of the routes, and wait until the log says so."""
    before = len(errors(edge))
    replace(edge, broken)

    async def is_said() -> bool:
        return "routes.yml" in str(errors(edge)[before:])

    await edge.process.wait_until(is_said, seconds=10)


@asynccontextmanager
async def load(edge: Edge, token: str) -> AsyncGenerator[Counter[int]]:
    """Let clients with one connection each ask and ask, and count the answers."""
    counted, enough = Counter[int](), asyncio.Event()

    async def go_on(client: httpx.AsyncClient) -> None:
        while not enough.is_set():
            verb = "POST" if sum(counted.values()) % 2 else "GET"
            counted[(await client.request(verb, "/tasks")).status_code] += 1

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=edge.service.url, headers=headers, timeout=30) as client:
        clients = [asyncio.create_task(go_on(client)) for _ in range(CLIENTS)]
        yield counted
        enough.set()
        await asyncio.gather(*clients)


async def test_replacing_the_routes_costs_no_request(backstage: Backstage, token: str) -> None:
    edge = await backstage.edge()
    text = edge.routes.read_text()

    async with load(edge, token) as counted:
        for number in range(10):
            replace(
                edge, text.replace("accessControlMaxAge: 600", f"accessControlMaxAge: {number}")
            )
            await asyncio.sleep(0.3)
        async with httpx.AsyncClient(base_url=edge.service.url) as client:
            asking = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
            for _ in itertools.repeat(None, 50):
                if (await client.options("/tasks", headers=asking)).headers[
                    "access-control-max-age"
                ] == "9":
                    break
                await asyncio.sleep(0.1)
            else:
                raise AssertionError("the last routes are not in force")

    assert set(counted) == {200}
    assert counted[200] > 100
    assert errors(edge) == []


async def test_broken_routes_leave_the_last_good_ones_and_are_named(
    backstage: Backstage, token: str
) -> None:
    edge = await backstage.edge()
    text = edge.routes.read_text()
    broken = {
        "no YAML": "http: [",
        "a template that ends too soon": text + "{{ if }}",
        "an unknown key": text.replace("frameDeny: true", "frameDenied: true"),
        "half of it": text[: text.index("}}", len(text) // 2)],
    }

    async with load(edge, token) as counted:
        for worse in broken.values():
            await require_error(edge, worse)
        await asyncio.sleep(0.5)
        replace(edge, text)
        await asyncio.sleep(0.5)

    assert set(counted) == {200}
    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        assert (await client.get("/nothing")).json()["code"] == "not-found"
