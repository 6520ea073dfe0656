"""What every service shows of itself."""

from importlib.metadata import version

import pytest
from httpx import AsyncClient


async def test_a_service_says_that_it_lives_can_work_and_what_it_is(client: AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"database": "ok"}
    assert (await client.get("/version")).json() == {"name": "common", "version": version("common")}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "not-found"),
        (413, "content-too-large"),
        (429, "too-many-requests"),
        (502, "bad-gateway"),
        (503, "service-unavailable"),
        (504, "gateway-timeout"),
    ],
)
async def test_an_edge_finds_a_page_for_each_of_its_refusals(
    client: AsyncClient, status: int, code: str
) -> None:
    answer = await client.get(f"/edge-errors/{status}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("retry-after") == ("1" if status in {429, 503} else None)


@pytest.mark.parametrize("status", ["200", "599", "x", "404x"])
async def test_an_edge_finds_no_page_for_what_is_not_its_own(
    client: AsyncClient, status: str
) -> None:
    answer = await client.get(f"/edge-errors/{status}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
