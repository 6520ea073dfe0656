"""`make bench pooler=PROGRAM`: PostgreSQL's CPU for a request, directly and through PgBouncer."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from bench.databases import Databases, start_databases
from bench.dataset import User
from bench.load import CLIENTS, Script, send_requests
from bench.markdown import render_table
from bench.meter import Meter
from bench.operations import OPERATIONS, Client, Operation
from bench.testbed import NO_LIMITS
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.services import Service, free_ports, start_service
from devkit.testing.auth_headers import passport_headers
from devkit.testing.pgbouncer import can_follow, run_pgbouncer

MEASURED: Final = ("get", "change with tag")
WARM_UP: Final = 320
REQUESTS: Final = 800
ROUNDS: Final = 3
KEYS: Final = derive_passport_keys(generate_private_key())


async def main() -> None:
    """Measure each operation in rounds over all ways, and print the table."""
    async with start_databases() as databases, AsyncExitStack() as stack:
        url = databases.urls["tasks"]
        ways = {"direct": url}
        if can_follow():
            follower = run_pgbouncer(databases.group, url, prepared_max=100)
            ways["pooler that follows"] = (await stack.enter_async_context(follower)).url(url)
        pooler = await stack.enter_async_context(run_pgbouncer(databases.group, url))
        ways["pooler that does not"] = pooler.url(url)
        services = {way: await start(databases, way_url) for way, way_url in ways.items()}
        rows: list[list[str]] = []
        for operation in OPERATIONS:
            if operation.name in MEASURED:
                rows += await compare(databases, services, operation)
        print(render_table(("operation", "way", "PostgreSQL µs", "multiple"), rows))


async def start(databases: Databases, database_url: str) -> Service:
    """Start a tasks service on this URL."""
    environment = minimal_environment()
    environment.update(NO_LIMITS)
    environment["PASSPORT_PUBLIC_KEYS"] = KEYS.public
    environment["USERS_URL"] = "http://127.0.0.1:1"
    environment["TASKS_DATABASE_URL"] = database_url
    [port] = free_ports(1)
    service = start_service(databases.group, "tasks", environment, port)
    await service.wait_until_ready()
    return service


async def compare(
    databases: Databases, services: dict[str, Service], operation: Operation
) -> list[list[str]]:
    """Return a row for each way."""
    for service in services.values():
        await measure(databases, service, operation, WARM_UP)
    seconds = dict.fromkeys(services, 0.0)
    for _ in range(ROUNDS):
        for way, service in services.items():
            seconds[way] += await measure(databases, service, operation, REQUESTS)
    rows: list[list[str]] = []
    for way, used in seconds.items():
        microseconds = used * 1e6 / (ROUNDS * REQUESTS)
        multiple = used / seconds["direct"]
        rows.append([operation.name, way, f"{microseconds:.0f}", f"{multiple:.2f}"])
    return rows


async def measure(
    databases: Databases, service: Service, operation: Operation, requests: int
) -> float:
    """Return the CPU seconds of PostgreSQL for so many requests of new users."""
    scripts: list[Script] = []
    for _ in range(CLIENTS):
        user = User()
        user.create(databases.urls["tasks"])
        client = Client(user, passport_headers(KEYS, str(user.id)))
        scripts.append(operation.create_script(client))
    meter = Meter({"postgres": databases.postgres.process})
    await send_requests(service.url, scripts, requests)
    return meter.read()["postgres"]


if __name__ == "__main__":
    asyncio.run(main())
