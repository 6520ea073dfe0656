"""What is kept of an import until its end, and how it goes when that never comes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID, uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements
from tasks.transfer import batching, staging

from ..support.import_export import (
    count_staged,
    erase_owner,
    export,
    import_records,
    post_import,
    run_sql,
    task_record,
    to_ndjson,
    wait_until_staged,
)
from ..support.owner_lock import lock_owners
from ..support.service import TASKS_MAX

BROKEN_OFF: Final = """
WITH begun AS (
    INSERT INTO imports (id, user_id, begun_at)
    SELECT gen_random_uuid(), id, now() - %s * interval '1 minute' FROM owners RETURNING id, user_id
)
INSERT INTO staged_tasks (
    user_id, import_id, old_id, line, own_id, title, is_completed, created_at, updated_at, is_planned, priority, labels
)
SELECT user_id, id, gen_random_uuid(), n, gen_random_uuid(), 'x', false, now(), now(), false, 0, '{}'
FROM begun, generate_series(1, %s) AS n
"""


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each line be staged as it comes, and a handful of lines take several sweeps."""
    monkeypatch.setattr(batching, "BATCH_LINES_MAX", 1)
    monkeypatch.setattr(staging, "CLEANUP_ROWS_MAX", 3)


async def paused_upload(lines: int, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """Send lines, and then nothing until told to."""
    yield to_ndjson(*(task_record(uuid4()) for _ in range(lines)))
    await go_on.wait()


async def test_what_is_staged_is_nobodys_task_until_the_end(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, go_on = as_isolated_user("owner"), asyncio.Event()
    sending = asyncio.create_task(post_import(owner, paused_upload(3, go_on)))
    await wait_until_staged(proxy, 1, 3)

    assert (await owner.get("/tasks")).json() == []
    assert await export(owner) == []
    assert (await owner.get("/tasks/changes")).json()["tasks"] == []
    go_on.set()

    assert (await sending).json()["created"] == 3
    assert await count_staged(proxy) == (0, 0)


async def test_who_leaves_leaves_nothing_behind(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    sending = asyncio.create_task(post_import(owner, paused_upload(3, asyncio.Event())))
    await wait_until_staged(proxy, 1, 3)

    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    await wait_until_staged(proxy, 0, 0)
    assert await export(owner) == []


async def test_a_merge_ends_in_the_database_too_when_its_client_leaves(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await import_records(owner)

    async with lock_owners(proxy):
        sending = asyncio.create_task(post_import(owner, to_ndjson(task_record(uuid4()))))
        await wait_for_blocked_statements(proxy.server_url, 1)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        async with asyncio.timeout(2):
            await wait_for_blocked_statements(proxy.server_url, 0)

    await wait_until_staged(proxy, 0, 0)
    assert await export(owner) == []


async def test_a_bad_line_leaves_nothing_behind(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    refused = await post_import(
        as_isolated_user("owner"), to_ndjson(task_record(uuid4()), task_record(uuid4(), " "))
    )

    assert refused.status_code == 422
    assert await count_staged(proxy) == (0, 0)


async def test_a_bad_line_is_told_while_its_client_pauses(
    as_isolated_user: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "BATCH_LINES_MAX", 200)

    async def sending() -> AsyncIterator[bytes]:
        yield to_ndjson(task_record(uuid4()), task_record(uuid4(), " "))
        await asyncio.Event().wait()

    refused = await asyncio.wait_for(post_import(as_isolated_user("owner"), sending()), 5)

    assert refused.status_code == 422
    assert "Line 3" in refused.json()["detail"]


async def test_an_erasure_takes_what_is_staged_and_ends_the_import(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, go_on = as_isolated_user("owner"), asyncio.Event()
    sending = asyncio.create_task(post_import(owner, paused_upload(3, go_on)))
    await wait_until_staged(proxy, 1, 3)

    await erase_owner(owner)
    assert await count_staged(proxy) == (0, 0)
    go_on.set()
    refused = await sending

    assert (refused.status_code, refused.json()["code"]) == (409, "import-interrupted")
    assert refused.headers["retry-after"] == "1"
    assert await export(owner) == []


async def test_an_erasure_that_a_merge_waited_for_ends_the_import(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, go_on = as_isolated_user("owner"), asyncio.Event()
    sending = asyncio.create_task(post_import(owner, paused_upload(3, go_on)))
    await wait_until_staged(proxy, 1, 3)

    async with lock_owners(proxy) as other:
        go_on.set()
        await wait_for_blocked_statements(proxy.server_url, 1)
        await other.execute("DELETE FROM owners")
        await other.commit()
        refused = await sending

    assert (refused.status_code, refused.json()["code"]) == (409, "import-interrupted")
    assert await export(owner) == []


async def test_an_import_whose_first_lines_a_crash_has_taken_is_not_merged_in_part(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")

    async def crashing() -> AsyncIterator[bytes]:
        yield to_ndjson(task_record(uuid4()), task_record(uuid4()))
        await wait_until_staged(proxy, 1, 2)
        await run_sql(
            proxy, "TRUNCATE imports, staged_tasks"
        )  # as PostgreSQL does with tables that are not logged
        yield to_ndjson(task_record(uuid4()))

    refused = await post_import(owner, crashing())

    assert (refused.status_code, refused.json()["code"]) == (409, "import-interrupted")
    assert await export(owner) == []


async def test_both_tables_are_emptied_by_a_crash(proxy: FaultProxy) -> None:
    found = await run_sql(
        proxy, "SELECT relpersistence FROM pg_class WHERE relname IN ('imports', 'staged_tasks')"
    )

    assert found == [("u",), ("u",)]


async def test_later_imports_sweep_what_broke_off_a_part_at_a_time(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await import_records(owner)
    await run_sql(proxy, BROKEN_OFF, 6, 20)
    await run_sql(proxy, BROKEN_OFF, 4, 1)  # may still be sent

    await import_records(as_isolated_user("neighbour"), task_record(uuid4()))
    assert await count_staged(proxy) == (2, 20 - 3 * staging.CLEANUPS_MAX + 1)
    await import_records(as_isolated_user("neighbour"))

    assert await count_staged(proxy) == (1, 1)


async def test_far_more_tasks_than_one_may_have_are_refused_before_their_end(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield to_ndjson(task_record(uuid4()))

    async with asyncio.timeout(5):
        refused = await post_import(owner, endless())

    assert (refused.status_code, refused.json()["code"]) == (422, "quota-exceeded")
    assert sent <= 2 * TASKS_MAX + 2
    assert await count_staged(proxy) == (0, 0)


async def test_one_task_may_come_as_often_as_one_likes(as_isolated_user: ClientFactory) -> None:
    owner, lines = (
        as_isolated_user("owner"),
        [task_record(UUID(int=1), str(number)) for number in range(5 * TASKS_MAX)],
    )

    assert await import_records(owner, *lines) == (1, 0, 0, 0)

    assert [line["title"] for line in await export(owner)] == [str(5 * TASKS_MAX - 1)]
