"""Each alert fires in its fault, which is made for real, and in no other run."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_urlsafe

import httpx
import psycopg
import pytest

from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.services import Service
from devkit.platform.tokens import mint_token
from devkit.testing.lock_waits import wait_for_blocked_statements
from devkit.testing.traefik import start_traefik
from e2e.support.certificates import create_certificate
from e2e.support.contract import assert_problem
from e2e.support.entrypoint import TRAEFIK
from e2e.support.import_export import EXPORT_HEADER, export_records, import_stream
from e2e.support.scrapes import Scrape, Target, alert_rules, firing_alerts, repeat, scrape
from e2e.support.user_client import UserClient

from .conftest import KEYS_MAX_AGE_SECONDS, MonitoredPlatform

REQUESTS = 12
"""How many requests fail in each fault: more than a hundred in ten minutes, if they go on."""

SLOW_SECONDS = 0.6

ATTEMPTS = 3
"""On a test machine that is busy with other things, requests can really be slow."""

POOL_MAX = 10
WRITES_AT_ONCE = 2

CERTIFICATE_METRIC = "traefik_tls_certs_not_after"


async def use_everything(user: UserClient) -> None:
    """Send requests of every kind, among them some that are refused with good reason."""
    task = await user.create_task()
    path = f"/tasks/{task['id']}"
    responses = [
        await user.get("/users/me"),
        await user.get("/tasks"),
        await user.get(path),
        await user.patch(path, json={"title": "Water the garden"}),
        await user.delete(path),
        await import_stream(user, EXPORT_HEADER),
    ]
    assert all(response.is_success for response in responses)
    await export_records(user)
    assert_problem(await user.get(path), 404)
    assert_problem(await user.post("/tasks", json={}), 422)
    assert_problem(await user.post("/tasks", content=bytes(1_000_000)), 413)
    assert_problem(await user.get("/nothing"), 404)
    async with httpx.AsyncClient(base_url=user.base_url) as anonymous:
        assert_problem(await anonymous.get("/tasks"), 401)


async def send(user: UserClient, *statuses: int) -> None:
    """Read tasks and the profile again and again, and check that only these statuses occur."""
    requests = [user.get(path) for path in ("/tasks", "/users/me") * (REQUESTS // 2)]
    responses = await asyncio.gather(*requests)
    assert {response.status_code for response in responses} <= set(statuses)


async def alerts_while(
    monitored: MonitoredPlatform, folder: Path, traffic: Awaitable[object]
) -> set[str]:
    """Return the alerts that fire if what happens now goes on."""
    before = await monitored.scrape()
    await traffic
    return set(firing_alerts(repeat(before, await monitored.scrape()), folder))


@asynccontextmanager
async def restarted(
    monitored: MonitoredPlatform, name: str, **changes: str
) -> AsyncGenerator[None]:
    """Run a service with other settings while the block runs."""
    try:
        monitored.platform.kill(name)
        await monitored.platform.start(name, **changes)
        yield
    finally:
        monitored.platform.kill(name)
        await monitored.platform.start(name)


@asynccontextmanager
async def locked_tasks(monitored: MonitoredPlatform) -> AsyncGenerator[None]:
    """Let statements on tasks wait while the block runs."""
    url = monitored.platform.urls["tasks"]
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("LOCK TABLE tasks")
        yield


async def test_no_alert_fires_while_all_is_well(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    async def use_the_platform() -> None:
        await monitored.use_keys()
        for name in ("ann", "ben", "cleo"):
            await use_everything(monitored.platform.client_for(name))

    await use_the_platform()
    alerts: set[str] = set()
    for _ in range(ATTEMPTS):
        alerts = await alerts_while(monitored, tmp_path, use_the_platform())
        if alerts != {"TaskPlatformRequestsSlow"}:
            break
    assert alerts == set()


async def test_requests_that_fail_because_the_database_is_stopped(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    user = monitored.platform.client_for("ann-without-database")
    await user.create_task()
    await monitored.server.server.process.stop()

    alerts = await alerts_while(monitored, tmp_path, send(user, 500, 503))

    await monitored.server.start()
    await monitored.platform.wait_until_ready()
    assert alerts == {"TaskPlatformRequestsFail"}


async def test_requests_are_slow_because_the_database_is(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    user_names = [f"slow-{number}" for number in range(REQUESTS)]
    users = [monitored.platform.client_for(name) for name in user_names]

    async def list_tasks_slowly() -> None:
        async with locked_tasks(monitored):
            responses = [asyncio.create_task(user.list_tasks()) for user in users]
            await wait_for_blocked_statements(monitored.platform.urls["tasks"], POOL_MAX)
            await asyncio.sleep(SLOW_SECONDS)
        await asyncio.gather(*responses)

    alerts = await alerts_while(monitored, tmp_path, list_tasks_slowly())

    assert alerts == {"TaskPlatformRequestsSlow"}


@pytest.mark.parametrize(
    ("busy", "expected"),
    [(POOL_MAX, {"TaskPlatformDatabaseConnectionsBusy"}), (POOL_MAX - 2, set[str]())],
)
async def test_all_database_connections_wait_for_a_lock(
    monitored: MonitoredPlatform, tmp_path: Path, busy: int, expected: set[str]
) -> None:
    users = [
        monitored.platform.client_for(f"busy-{busy}-{number}")
        for number in range(busy // WRITES_AT_ONCE)
    ]
    for user in users:
        await user.create_task()
    before = await monitored.scrape()

    async with locked_tasks(monitored):
        writes = [
            asyncio.create_task(user.create_task()) for user in users for _ in range(WRITES_AT_ONCE)
        ]
        await wait_for_blocked_statements(monitored.platform.urls["tasks"], busy)
        after = await monitored.scrape()
    await asyncio.gather(*writes)

    assert set(firing_alerts(repeat(before, after), tmp_path)) == expected


async def test_a_service_is_down(monitored: MonitoredPlatform, tmp_path: Path) -> None:
    user = monitored.platform.client_for("ann-without-tasks")
    await user.create_task()
    before = await monitored.scrape()
    monitored.platform.kill("tasks")

    await send(user, 200, 502, 503, 504)
    after = await monitored.scrape()

    await monitored.platform.start("tasks")
    await monitored.platform.wait_until_ready()
    series = repeat(before, after)
    alerts = firing_alerts(series, tmp_path)
    assert set(alerts) == {"TaskPlatformDown", "TaskPlatformRequestsFail"}
    assert 'job="task-platform/tasks"' in alerts["TaskPlatformDown"]

    # In a cluster, what is gone is no longer asked.
    [up] = [name for name in series if name.startswith("up{") and "/tasks" in name]
    series[up] = "1 stale"
    assert "TaskPlatformDown" in firing_alerts(series, tmp_path)


async def test_one_of_two_replicas_is_down(monitored: MonitoredPlatform, tmp_path: Path) -> None:
    before = await monitored.scrape()
    replica = next(name for name in before.values if name.startswith("up{") and "gateway" in name)
    after = Scrape(before.values | {replica: 0}, before.cumulative)

    assert firing_alerts(repeat(before, after), tmp_path) == {}


async def test_the_gateway_rejects_tokens_of_another_secret(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    user = monitored.platform.client_for("ann-signed-out")
    async with restarted(monitored, "gateway", BETTER_AUTH_SECRET=token_urlsafe()):
        alerts = await alerts_while(monitored, tmp_path, send(user, 401))

    assert alerts == {"TaskPlatformTokensRejected"}


async def test_tokens_that_have_expired_are_everyday_life(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    platform = monitored.platform
    user = platform.client_for("ann-expired")
    token = mint_token(platform.secret, user.subject, seconds=-60)
    user.headers["Authorization"] = f"Bearer {token}"

    assert await alerts_while(monitored, tmp_path, send(user, 401)) == set()


async def test_a_service_does_not_know_the_key_of_passports(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    user = monitored.platform.client_for("ann-with-strange-passport")
    keys = derive_passport_keys(generate_private_key())
    async with restarted(monitored, "tasks", PASSPORT_PUBLIC_KEYS=keys.public):
        alerts = await alerts_while(monitored, tmp_path, send(user, 200, 401))

    await monitored.platform.wait_until_ready()
    assert alerts == {"TaskPlatformPassportsRejected"}


async def test_the_keys_of_better_auth_cannot_be_fetched(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    gateway = monitored.gateway_with_keys
    target = Target("task-platform/auth-gateway", gateway.metrics_url)

    async def has_old_keys() -> bool:
        ages = await scrape([target])
        return max(ages.of("key_set_age_seconds")) > 2 * KEYS_MAX_AGE_SECONDS

    async def has_new_keys() -> bool:
        return not await has_old_keys()

    await monitored.use_keys()
    await monitored.key_server.stop()
    before = await monitored.scrape()
    # The next fetch is ten seconds after one that a request has caused.
    await gateway.process.wait_until(has_old_keys)
    after = await monitored.scrape()

    await monitored.key_server.start()
    await gateway.process.wait_until(has_new_keys)
    assert set(firing_alerts(repeat(before, after), tmp_path)) == {"TaskPlatformKeysOutdated"}


def start_edge(monitored: MonitoredPlatform, **settings: str) -> Service:
    """Start one more edge of the platform."""
    assert TRAEFIK
    platform = monitored.platform
    environment = {
        "AUTH_GATEWAY_URLS": platform.services["gateway"].url,
        "TASKS_URLS": platform.services["tasks"].url,
        "USERS_URLS": platform.services["users"].url,
        "LIMIT_PER_ADDRESS": "0",
    }
    return start_traefik(platform.group, TRAEFIK, environment | settings)


async def test_the_edge_refuses_requests_of_an_address(
    monitored: MonitoredPlatform, tmp_path: Path
) -> None:
    edge = start_edge(monitored, LIMIT_PER_ADDRESS="1")
    await edge.wait_until_ready()
    target = Target("task-platform/edge", edge.metrics_url)
    before = await scrape([target])
    async with httpx.AsyncClient(base_url=edge.url) as client:
        responses = [await client.get("/healthz") for _ in range(REQUESTS)]
    after = await scrape([target])

    assert {response.status_code for response in responses} == {200, 429}
    assert set(firing_alerts(repeat(before, after), tmp_path)) == {"TaskPlatformClientsLimited"}


@pytest.mark.parametrize(
    ("days", "expected"), [(6, {"TaskPlatformCertificateExpires"}), (8, set[str]())]
)
async def test_the_certificate_of_the_edge_expires(
    monitored: MonitoredPlatform, tmp_path: Path, days: int, expected: set[str]
) -> None:
    certificate = create_certificate(tmp_path, days=days)
    edge = start_edge(
        monitored,
        TLS_CERTIFICATE_FILE=str(certificate.certificate_file),
        TLS_KEY_FILE=str(certificate.key_file),
    )
    target = Target("task-platform/edge", edge.metrics_url)

    async def shows_certificate() -> bool:
        return bool((await scrape([target])).of(CERTIFICATE_METRIC))

    await edge.process.wait_until(shows_certificate)
    scraped = await scrape([target])
    assert set(firing_alerts(repeat(scraped, scraped), tmp_path)) == expected


def test_every_alert_says_what_it_means_and_what_to_do_first() -> None:
    for rule in alert_rules().values():
        assert set(rule["annotations"]) == {"summary", "description", "action"}
