"""Metrics of a service, as Prometheus reads them."""

import asyncio

import httpx
import psycopg
from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families

from common.database.engine import POOL_SIZE
from devkit.testing.lock_waits import wait_for_blocked_statements

from .conftest import Sample

Labels = frozenset[tuple[str, str]]

REQUESTS = "http_request_duration_seconds_count"
WROTE = "what-a-user-wrote"


async def metrics(sample: Sample, name: str) -> dict[Labels, float]:
    """Read all values of one name, as Prometheus would."""
    async with AsyncClient(trust_env=False) as prometheus:
        response = await prometheus.get(f"http://127.0.0.1:{sample.metrics_port}/metrics")
    response.raise_for_status()
    assert WROTE not in response.text
    values: dict[Labels, float] = {}
    for family in text_string_to_metric_families(response.text):
        for measurement in family.samples:
            if measurement.name == name:
                values[frozenset(measurement.labels.items())] = measurement.value
    return values


def requests(method: str, route: str, status: int) -> Labels:
    return frozenset({"method": method, "route": route, "status": str(status)}.items())


async def test_requests_are_counted_by_route_and_status(
    client: AsyncClient, sample: Sample
) -> None:
    before = await metrics(sample, REQUESTS)
    for _ in range(3):
        await client.get(f"/things/{WROTE}?size={WROTE}")
    await client.head("/things")
    await client.get("/broken")
    after = await metrics(sample, REQUESTS)

    def more(labels: Labels) -> float:
        return after[labels] - before.get(labels, 0)

    assert more(requests("GET", "/things/{thing_id}", 400)) == 3
    assert more(requests("HEAD", "/things", 200)) == 1
    assert more(requests("GET", "/broken", 500)) == 1


async def test_unknown_methods_and_paths_share_one_label(
    client: AsyncClient, sample: Sample
) -> None:
    before = await metrics(sample, REQUESTS)
    for method in ("COPY", "MOVE", "PROPFIND"):
        await client.request(method, f"/{WROTE}/{method}")
    after = await metrics(sample, REQUESTS)

    assert after.keys() - before.keys() == {requests("other", "unknown", 404)}
    assert after[requests("other", "unknown", 404)] == 3


async def test_the_time_of_a_request_is_in_seconds(client: AsyncClient, sample: Sample) -> None:
    name = "http_request_duration_seconds_sum"
    await client.get("/slow")

    assert 0.9 < (await metrics(sample, name))[requests("GET", "/slow", 503)] < 30


async def test_busy_connections_are_shown(
    client: AsyncClient, sample: Sample, database: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("LOCK TABLE names")
        waiting = asyncio.create_task(client.get("/rows"))
        await wait_for_blocked_statements(database)
        assert (await metrics(sample, "database_connections_busy"))[frozenset()] == 1
    assert (await waiting).is_success

    assert (await metrics(sample, "database_connections_busy"))[frozenset()] == 0
    assert (await metrics(sample, "database_connections_max"))[frozenset()] == POOL_SIZE


async def test_the_service_itself_shows_no_metrics(client: AsyncClient) -> None:
    assert (await client.get("/metrics")).status_code == httpx.codes.NOT_FOUND
