"""Exports, imports and erasures that are large, stall, or run while a service is away."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx import Timeout

from e2e.support.contract import assert_problem
from e2e.support.import_export import (
    EXPORT_HEADER,
    NDJSON_TYPE,
    erase_user,
    export_records,
    import_stream,
    task_record,
    to_ndjson,
)
from e2e.support.isolated_platform import IsolatedPlatform, Row
from e2e.support.user_client import UserClient

TASK_COUNT: Final = 100_000

DESCRIPTION: Final = "A" * 300
"""Makes the tasks together far larger than `GROWTH_MAX_BYTES`."""

GROWTH_MAX_BYTES: Final = 16_000_000
"""How much memory a service may need; the stream is more than three times as long."""

TIMEOUT: Final = Timeout(60)

POLLS_MAX: Final = 100
POLL_SECONDS: Final = 0.1

BUSY_CONNECTIONS: Final = """
SELECT count(*) AS busy FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend' AND (state = 'active' OR state LIKE 'idle in %%')
"""
"""Counts no autovacuum, which is active after many changes."""

STAGED_COUNTS: Final = """
SELECT (SELECT count(*) FROM imports) AS imports, (SELECT count(*) FROM staged_tasks) AS tasks
"""


@asynccontextmanager
async def raised_task_limit(isolated_platform: IsolatedPlatform) -> AsyncGenerator[None]:
    """Restart the tasks service with a quota for all tasks until the block ends."""
    original = isolated_platform.environment
    raised = {**original, "TASKS_PER_USER_MAX": str(2 * TASK_COUNT)}
    await restart_tasks(isolated_platform, raised)
    yield
    await restart_tasks(isolated_platform, original)


async def restart_tasks(
    isolated_platform: IsolatedPlatform, environment: Mapping[str, str]
) -> None:
    await isolated_platform.services["tasks"].process.stop()
    isolated_platform.environment = environment
    await isolated_platform.start("tasks")
    # The other services may still hold connections to a server that was killed.
    await isolated_platform.wait_until_ready()


class MemoryMeter:
    """Measures how much the memory of each service grows."""

    def __init__(self, isolated_platform: IsolatedPlatform) -> None:
        self._folders = [
            Path(f"/proc/{service.process.popen.pid}")
            for service in isolated_platform.services.values()
        ]
        self._start_bytes: dict[Path, int] = {}

    def reset(self) -> None:
        """Start a new measurement."""
        for folder in self._folders:
            (folder / "clear_refs").write_text("5")
            self._start_bytes[folder] = _peak_memory_bytes(folder)

    def growth_bytes(self) -> int:
        """Return the growth of the service that grew most."""
        return max(
            _peak_memory_bytes(folder) - start_bytes
            for folder, start_bytes in self._start_bytes.items()
        )


def _peak_memory_bytes(process_folder: Path) -> int:
    for line in (process_folder / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            kilobytes = int(value.split()[0])
            return kilobytes * 1024
    raise LookupError


async def stream_tasks() -> AsyncIterator[bytes]:
    """Yield an import of all tasks in chunks of 1,000 records."""
    yield EXPORT_HEADER.encode()
    first_id = 0x01900000_0000_7000_8000_000000000000
    for start in range(0, TASK_COUNT, 1_000):
        records = [
            task_record("Water plant 012345", id=str(UUID(int=number)), description=DESCRIPTION)
            for number in range(first_id + start, first_id + start + 1_000)
        ]
        yield to_ndjson(records).encode()


def small_import(count: int = 1) -> str:
    """Return an import of a few tasks with new ids."""
    records = [task_record(str(number)) for number in range(count)]
    return EXPORT_HEADER + to_ndjson(records)


async def import_one_task(user: UserClient) -> None:
    """Check that an import works."""
    response = await import_stream(user, small_import())
    assert response.json()["created"] == 1


class StalledImport:
    """An import that sends 1,000 records, and then nothing for longer than the deadline."""

    def __init__(self, user: UserClient) -> None:
        self.is_halfway = asyncio.Event()
        self.request = asyncio.ensure_future(
            user.post(
                "/users/me/import",
                content=self._stream(),
                headers={"Content-Type": NDJSON_TYPE},
                timeout=TIMEOUT,
            )
        )

    async def _stream(self) -> AsyncIterator[bytes]:
        yield small_import(1_000).encode()
        self.is_halfway.set()
        await asyncio.sleep(20)


async def wait_until_idle(isolated_platform: IsolatedPlatform) -> None:
    """Wait until no request uses a connection to the tasks database."""
    for _ in range(POLLS_MAX):
        if await count_busy_connections(isolated_platform) == 0:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError


async def count_busy_connections(isolated_platform: IsolatedPlatform) -> object:
    [row] = await isolated_platform.fetch_rows("tasks", BUSY_CONNECTIONS)
    return row["busy"]


async def wait_for_imports(isolated_platform: IsolatedPlatform, count: int) -> None:
    """Wait until this number of imports has begun; without any, no task may be staged."""
    for _ in range(POLLS_MAX):
        [row] = await isolated_platform.fetch_rows("tasks", STAGED_COUNTS)
        if row["imports"] == count:
            assert count > 0 or row["tasks"] == 0
            return
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError


async def test_import_and_export_of_100000_tasks_need_constant_memory(
    isolated_platform: IsolatedPlatform,
) -> None:
    async with raised_task_limit(isolated_platform):
        ann = isolated_platform.client_for("ann")
        ann.timeout = TIMEOUT
        await import_one_task(ann)
        memory = MemoryMeter(isolated_platform)

        memory.reset()
        report = await import_stream(ann, stream_tasks())
        import_growth_bytes = memory.growth_bytes()

        memory.reset()
        line_count = 0
        byte_count = 0
        async with ann.stream("GET", "/users/me/export") as response:
            async for chunk in response.aiter_bytes():
                line_count += chunk.count(b"\n")
                byte_count += len(chunk)
        export_growth_bytes = memory.growth_bytes()

        assert report.json() == {
            "created": TASK_COUNT,
            "updated": 0,
            "unchanged": 0,
            "renumbered": 0,
        }
        assert line_count == 1 + 1 + TASK_COUNT
        assert byte_count > 3 * GROWTH_MAX_BYTES
        assert import_growth_bytes < GROWTH_MAX_BYTES
        assert export_growth_bytes < GROWTH_MAX_BYTES
        # Deleting so many may take longer than the deadline between services: a retry completes it.
        statuses = [(await ann.delete("/users/me")).status_code for _ in range(3)]
        assert 204 in statuses
        assert len(await export_records(ann)) == 1


async def test_an_erasure_while_the_tasks_service_is_away_loses_nothing(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("erased")
    await ann.create_task()
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    before = await export_records(ann)

    isolated_platform.kill("tasks")
    assert_problem(await ann.delete("/users/me"), 503, "tasks-unavailable")
    assert_problem(await ann.get("/users/me/export"), 503, "tasks-unavailable")
    assert_problem(await import_stream(ann, to_ndjson(before)), 503, "tasks-unavailable")
    await isolated_platform.start("tasks")
    await isolated_platform.wait_until_ready()

    after = await export_records(ann)
    assert after[1:] == before[1:]
    await erase_user(ann)
    assert await fetch_profile(isolated_platform, ann) == []
    owners = await isolated_platform.fetch_rows(
        "tasks", "SELECT 1 FROM owners WHERE id = %s", ann.id
    )
    assert owners == []
    remaining = await export_records(ann)
    assert [record["kind"] for record in remaining] == ["export"]


async def test_a_retry_completes_an_erasure_that_ended_after_the_tasks_service(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("half-erased")
    await ann.create_task()
    await ann.get("/users/me")

    await isolated_platform.fetch_rows(
        "tasks", "DELETE FROM owners WHERE id = %s RETURNING id", ann.id
    )

    await erase_user(ann)
    assert await fetch_profile(isolated_platform, ann) == []


async def fetch_profile(isolated_platform: IsolatedPlatform, user: UserClient) -> list[Row]:
    return await isolated_platform.fetch_rows("users", "SELECT 1 FROM users WHERE id = %s", user.id)


async def test_a_client_that_stops_reading_an_export_uses_no_connection(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("reader")
    ann.timeout = TIMEOUT
    records = [task_record(str(number), description="B" * 9_000) for number in range(3_000)]
    response = await import_stream(ann, EXPORT_HEADER + to_ndjson(records))
    assert response.is_success

    async with ann.stream("GET", "/users/me/export") as response:
        await anext(response.aiter_raw(1_000))
        await asyncio.sleep(0.5)
        await wait_until_idle(isolated_platform)
        assert len(await ann.list_tasks()) == 3_000
    await wait_until_idle(isolated_platform)


@pytest.mark.parametrize("disconnects", [True, False], ids=["disconnects", "stalls"])
async def test_a_client_that_stops_sending_an_import_has_written_nothing(
    isolated_platform: IsolatedPlatform, *, disconnects: bool
) -> None:
    ann = isolated_platform.client_for(f"sender-{disconnects}")
    stalled_import = StalledImport(ann)
    await stalled_import.is_halfway.wait()
    if disconnects:
        stalled_import.request.cancel()
        await asyncio.gather(stalled_import.request, return_exceptions=True)
    else:
        assert_problem(await stalled_import.request, 408, "request-timeout")
    await wait_until_idle(isolated_platform)

    assert await ann.list_tasks() == []
    await import_one_task(ann)
    await wait_for_imports(isolated_platform, 0)


async def test_a_kill_during_an_import_writes_nothing_and_staged_tasks_are_deleted_later(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("killed")
    stalled_import = StalledImport(ann)
    await stalled_import.is_halfway.wait()
    await wait_for_imports(isolated_platform, 1)
    isolated_platform.kill("tasks")
    assert_problem(await stalled_import.request, 503, "tasks-unavailable")
    await isolated_platform.start("tasks")
    await isolated_platform.wait_until_ready()

    assert await ann.list_tasks() == []
    await import_one_task(ann)
    await isolated_platform.fetch_rows(
        "tasks", "UPDATE imports SET begun_at = begun_at - interval '1 hour' RETURNING id"
    )
    await import_one_task(ann)
    await wait_for_imports(isolated_platform, 0)
    assert len(await ann.list_tasks()) == 2


async def stream_slowly() -> AsyncIterator[bytes]:
    """Yield an import that never ends, as slowly as the platform permits.

    Slower still, and a busy machine would end the first import before the last one has begun.
    """
    yield small_import().encode()
    while True:
        await asyncio.sleep(1)
        yield b" " * 2_048


async def test_slow_imports_do_not_delay_other_users(isolated_platform: IsolatedPlatform) -> None:
    users = [isolated_platform.client_for(f"slow-{number}") for number in range(5)]
    slow_imports = [
        asyncio.create_task(import_stream(user, stream_slowly())) for user in users + users
    ]
    await wait_for_imports(isolated_platform, len(slow_imports))

    async with asyncio.timeout(5):
        await import_one_task(isolated_platform.client_for("prompt"))
    for slow_import in slow_imports:
        slow_import.cancel()
    await asyncio.gather(*slow_imports, return_exceptions=True)
    await wait_for_imports(isolated_platform, 0)


async def test_statistics_of_small_users_do_not_slow_a_long_import(
    isolated_platform: IsolatedPlatform,
) -> None:
    for _ in range(100):
        small_user = isolated_platform.client_for(str(uuid4()))
        records = [task_record(labels=[f"label {number}"]) for number in range(3)]
        await import_stream(small_user, EXPORT_HEADER + to_ndjson(records))
    async with await psycopg.AsyncConnection.connect(
        isolated_platform.urls["tasks"], autocommit=True
    ) as connection:
        await connection.execute("VACUUM ANALYZE")
    user = isolated_platform.client_for(str(uuid4()))

    for _ in range(2):
        records = [task_record(labels=["one", "two", "three"]) for _ in range(5_000)]
        response = await user.post(
            "/users/me/import",
            content=EXPORT_HEADER + to_ndjson(records),
            headers={"Content-Type": NDJSON_TYPE},
            timeout=TIMEOUT,
        )
        assert response.status_code == 200, response.text
