"""Records are staged until the end of their import, and deleted if that end never comes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID, uuid4

import pytest
from httpx import Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements
from tasks.transfer import batching, staging

from ..support.import_export import (
    Report,
    count_staged,
    erase_owner,
    export,
    field_values,
    import_records,
    new_tasks,
    post_import,
    run_sql,
    task_record,
    to_ndjson,
    wait_until_staged,
)
from ..support.owner_lock import DELETE_ALL_OWNERS, lock_owners
from ..support.service import TASKS_MAX

INSERT_IMPORT_OF_EACH_OWNER: Final = """
WITH import AS (
    INSERT INTO imports (id, user_id, begun_at)
    SELECT gen_random_uuid(), id, now() - %s * interval '1 minute' FROM owners RETURNING id, user_id
)
INSERT INTO staged_tasks (
    user_id, import_id, old_id, line, own_id, title, is_completed, created_at, updated_at,
    is_planned, priority, labels
)
SELECT user_id, id, gen_random_uuid(), n, gen_random_uuid(), 'x', false, now(), now(),
       false, 0, '{}'
FROM import, generate_series(1, %s) AS n
"""
"""Parameters: the age in minutes, and the number of staged tasks."""


@pytest.fixture(autouse=True)
def single_line_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage each line as it arrives, and clean up three tasks at a time."""
    monkeypatch.setattr(batching, "BATCH_LINES_MAX", 1)
    monkeypatch.setattr(staging, "CLEANUP_ROWS_MAX", 3)


async def paused_upload(task_count: int, resume: asyncio.Event) -> AsyncIterator[bytes]:
    """Send tasks, and end only when `resume` is set."""
    yield to_ndjson(new_tasks(task_count))
    await resume.wait()


def assert_interrupted(response: Response) -> None:
    assert response.status_code == 409
    assert response.json()["code"] == "import-interrupted"
    assert response.headers["retry-after"] == "1"


async def test_staged_tasks_are_invisible_until_the_import_ends(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    resume = asyncio.Event()
    pending = asyncio.create_task(post_import(owner, paused_upload(3, resume)))
    await wait_until_staged(proxy, 1, 3)

    assert (await owner.get("/tasks")).json() == []
    assert await export(owner) == []
    assert (await owner.get("/tasks/changes")).json()["tasks"] == []
    resume.set()

    assert (await pending).json()["created"] == 3
    assert await count_staged(proxy) == (0, 0)


async def test_a_client_that_disconnects_leaves_nothing_staged(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    pending = asyncio.create_task(post_import(owner, paused_upload(3, asyncio.Event())))
    await wait_until_staged(proxy, 1, 3)

    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)

    await wait_until_staged(proxy, 0, 0)
    assert await export(owner) == []


async def test_a_merge_is_cancelled_in_the_database_when_its_client_disconnects(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await import_records(owner, [])

    async with lock_owners(proxy):
        pending = asyncio.create_task(post_import(owner, to_ndjson(new_tasks(1))))
        await wait_for_blocked_statements(proxy.server_url, 1)
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        async with asyncio.timeout(2):
            await wait_for_blocked_statements(proxy.server_url, 0)

    await wait_until_staged(proxy, 0, 0)
    assert await export(owner) == []


async def test_an_invalid_line_leaves_nothing_staged(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    records = [task_record(uuid4()), task_record(uuid4(), " ")]

    response = await post_import(as_isolated_user("owner"), to_ndjson(records))

    assert response.status_code == 422
    assert await count_staged(proxy) == (0, 0)


async def test_an_invalid_line_is_reported_while_the_client_pauses(
    as_isolated_user: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "BATCH_LINES_MAX", 200)

    async def upload() -> AsyncIterator[bytes]:
        yield to_ndjson([task_record(uuid4()), task_record(uuid4(), " ")])
        await asyncio.Event().wait()

    response = await asyncio.wait_for(post_import(as_isolated_user("owner"), upload()), 5)

    assert response.status_code == 422
    assert "Line 3" in response.json()["detail"]


async def test_an_erasure_deletes_what_is_staged_and_interrupts_the_import(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    resume = asyncio.Event()
    pending = asyncio.create_task(post_import(owner, paused_upload(3, resume)))
    await wait_until_staged(proxy, 1, 3)

    await erase_owner(owner)
    assert await count_staged(proxy) == (0, 0)
    resume.set()

    assert_interrupted(await pending)
    assert await export(owner) == []


async def test_an_erasure_that_a_merge_waited_for_interrupts_the_import(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    resume = asyncio.Event()
    pending = asyncio.create_task(post_import(owner, paused_upload(3, resume)))
    await wait_until_staged(proxy, 1, 3)

    async with lock_owners(proxy) as other:
        resume.set()
        await wait_for_blocked_statements(proxy.server_url, 1)
        await other.execute(DELETE_ALL_OWNERS)
        await other.commit()
        response = await pending

    assert_interrupted(response)
    assert await export(owner) == []


async def test_an_import_whose_first_lines_a_crash_removed_is_interrupted(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")

    async def upload_with_crash() -> AsyncIterator[bytes]:
        yield to_ndjson(new_tasks(2))
        await wait_until_staged(proxy, 1, 2)
        # PostgreSQL empties unlogged tables after a crash.
        await run_sql(proxy, "TRUNCATE imports, staged_tasks")
        yield to_ndjson(new_tasks(1))

    response = await post_import(owner, upload_with_crash())

    assert_interrupted(response)
    assert await export(owner) == []


async def test_a_crash_empties_both_tables_because_they_are_unlogged(proxy: FaultProxy) -> None:
    rows = await run_sql(
        proxy, "SELECT relpersistence FROM pg_class WHERE relname IN ('imports', 'staged_tasks')"
    )

    assert rows == [("u",), ("u",)]


async def test_later_imports_clean_up_abandoned_ones_in_parts(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    await import_records(owner, [])
    await run_sql(proxy, INSERT_IMPORT_OF_EACH_OWNER, 6, 20)
    await run_sql(proxy, INSERT_IMPORT_OF_EACH_OWNER, 4, 1)  # not abandoned yet

    await import_records(neighbour, [task_record(uuid4())])
    assert await count_staged(proxy) == (2, 20 - 3 * staging.CLEANUPS_MAX + 1)
    await import_records(neighbour, [])

    assert await count_staged(proxy) == (1, 1)


async def test_an_import_far_beyond_the_quota_is_rejected_before_its_end(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    sent_count = 0

    async def endless_upload() -> AsyncIterator[bytes]:
        nonlocal sent_count
        while True:
            sent_count += 1
            yield to_ndjson(new_tasks(1))

    async with asyncio.timeout(5):
        response = await post_import(owner, endless_upload())

    assert response.status_code == 422
    assert response.json()["code"] == "quota-exceeded"
    assert sent_count <= 2 * TASKS_MAX + 2
    assert await count_staged(proxy) == (0, 0)


async def test_a_task_may_be_repeated_beyond_the_quota(as_isolated_user: ClientFactory) -> None:
    owner = as_isolated_user("owner")
    repeat_count = 5 * TASKS_MAX
    records = [task_record(UUID(int=1), str(number)) for number in range(repeat_count)]

    assert await import_records(owner, records) == Report(created=1)

    assert field_values(await export(owner), "title") == [str(repeat_count - 1)]
