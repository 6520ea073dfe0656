"""Health, readiness, version, and the edge's error pages."""

from importlib.metadata import version

import pytest
from httpx import AsyncClient


async def test_a_service_shows_health_readiness_and_version(client: AsyncClient) -> None:
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
async def test_edge_errors_are_problem_documents(
    client: AsyncClient, status: int, code: str
) -> None:
    response = await client.get(f"/edge-errors/{status}")

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers.get("retry-after") == ("1" if status in {429, 503} else None)


@pytest.mark.parametrize("status", ["200", "599", "x", "404x"])
async def test_other_edge_error_paths_are_404(client: AsyncClient, status: str) -> None:
    response = await client.get(f"/edge-errors/{status}")

    assert (response.status_code, response.json()["code"]) == (404, "not-found")
