"""An import that is being sent holds nothing that other requests wait for."""

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from common.uploads import IMPORT_LIMITS
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from tasks.transfer import upload
from tasks.transfer.concurrency import ImportPriority, PriorityLimiter

from ..support.import_export import (
    Record,
    Report,
    count_staged,
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
from ..support.owner_lock import create_task_url

COUNT_BUSY_CONNECTIONS: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_type = 'client backend' AND (state = 'active' OR state LIKE 'idle in %%')
"""
"""Counts no autovacuum, which is active after many changes."""


def limit_uploads(
    monkeypatch: pytest.MonkeyPatch, pause_seconds: float, seconds_max: float = 50.0
) -> None:
    limits = replace(IMPORT_LIMITS, pause_seconds=pause_seconds, seconds_max=seconds_max)
    monkeypatch.setattr(upload, "IMPORT_LIMITS", limits)


async def paused_upload(resume: asyncio.Event, records: list[Record]) -> AsyncIterator[bytes]:
    """Send records, and end only when `resume` is set."""
    yield to_ndjson(records)
    await resume.wait()


async def endless_upload(seconds: float, chunk: bytes = b" ") -> AsyncIterator[bytes]:
    """Send a record, and then the same chunk again and again, after this pause."""
    yield to_ndjson(new_tasks(1))
    while True:
        await asyncio.sleep(seconds)
        yield chunk


def start_import(owner: AsyncClient, content: AsyncIterator[bytes]) -> asyncio.Task[Response]:
    return asyncio.create_task(post_import(owner, content))


async def disconnect(imports: list[asyncio.Task[Response]]) -> None:
    """Cancel requests, as clients do that disconnect."""
    for pending in imports:
        pending.cancel()
    await asyncio.gather(*imports, return_exceptions=True)


def assert_timed_out(response: Response) -> None:
    assert response.status_code == 408
    assert response.json()["code"] == "request-timeout"


async def test_many_slow_imports_keep_nobody_waiting(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    slow_imports: list[asyncio.Task[Response]] = []
    for number in range(12):
        slow_user = as_isolated_user(f"slow user {number}")
        slow_imports.append(start_import(slow_user, endless_upload(0.3)))
        slow_imports.append(start_import(slow_user, endless_upload(0.3)))
    await wait_until_staged(proxy, 24, 0)

    async with asyncio.timeout(4):
        assert await import_records(owner, new_tasks(3)) == Report(created=3)

    assert await run_sql(proxy, COUNT_BUSY_CONNECTIONS) == [(0,)]
    await disconnect(slow_imports)
    await wait_until_staged(proxy, 0, 0)


async def test_a_user_can_write_while_an_import_is_being_sent(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    resume = asyncio.Event()
    url = await create_task_url(owner)

    pending = start_import(owner, paused_upload(resume, [task_record(uuid4(), "New")]))
    await wait_until_staged(proxy, 1, 0)
    for number in range(3):
        response = await owner.patch(url, json={"title": str(number)})
        assert response.status_code == 200
    await create_task_url(neighbour)
    resume.set()

    assert (await pending).json()["created"] == 1
    assert set(field_values(await export(owner), "title")) == {"2", "New"}


async def test_two_imports_of_one_user_run_at_the_same_time(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    resume = asyncio.Event()
    records = new_tasks(1)

    first = start_import(owner, paused_upload(resume, records))
    await wait_until_staged(proxy, 1, 0)
    assert await import_records(owner, records) == Report(created=1)
    resume.set()

    report = (await first).json()
    assert report == {"created": 0, "updated": 0, "unchanged": 1, "renumbered": 0}


async def test_a_third_import_of_one_user_waits_for_another_one_until_its_deadline(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    resume = asyncio.Event()
    first = start_import(owner, paused_upload(resume, []))
    second = start_import(owner, endless_upload(1.0))
    await wait_until_staged(proxy, 2, 0)

    response = await post_import(owner, to_ndjson(new_tasks(1)))
    assert response.status_code == 503
    assert response.json()["code"] == "deadline-passed"
    assert response.headers["retry-after"] == "1"

    third = start_import(owner, paused_upload(resume, new_tasks(1)))
    await asyncio.sleep(0.1)
    import_count, _ = await count_staged(proxy)
    assert import_count == 2
    resume.set()

    assert (await first).status_code == 200
    assert (await third).status_code == 200
    await disconnect([second])


@pytest.mark.parametrize("chunk", [b"", b" ", b"\n"])
async def test_an_import_without_enough_bytes_times_out(
    as_isolated_user: ClientFactory,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    chunk: bytes,
) -> None:
    owner = as_isolated_user("owner")
    limit_uploads(monkeypatch, pause_seconds=1.0)

    async with asyncio.timeout(8):
        response = await post_import(owner, endless_upload(0.3, chunk))

    assert_timed_out(response)
    assert await export(owner) == []
    assert await count_staged(proxy) == (0, 0)
    assert await import_records(owner, new_tasks(1)) == Report(created=1)


async def test_an_import_without_an_end_times_out(
    as_isolated_user: ClientFactory, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = as_isolated_user("owner")
    limit_uploads(monkeypatch, pause_seconds=1.0, seconds_max=3.0)

    async with asyncio.timeout(6):
        response = await post_import(owner, endless_upload(0.3, b"\n" * 1_000))

    assert_timed_out(response)
    assert await count_staged(proxy) == (0, 0)


async def test_a_long_import_does_not_time_out_while_it_makes_progress(
    as_isolated_user: ClientFactory,
) -> None:
    records = new_tasks(3)

    async def slow_upload() -> AsyncIterator[bytes]:
        for record in records:
            yield to_ndjson([record])
            await asyncio.sleep(2.0)

    response = await post_import(as_isolated_user("owner"), slow_upload())

    assert response.json()["created"] == 3


async def test_slots_go_to_the_highest_priority_that_was_not_cancelled() -> None:
    limiter = PriorityLimiter(1)
    finished_numbers: list[int] = []

    async def run(number: int) -> None:
        async with limiter.slot(ImportPriority(is_large=number > 5, number=number)):
            finished_numbers.append(number)
            await asyncio.sleep(0)

    async with limiter.slot(ImportPriority(is_large=False, number=0)):
        waiting = [asyncio.create_task(run(number)) for number in (9, 3, 7, 1)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting, return_exceptions=True)

    assert finished_numbers == [1, 7, 9]


async def test_a_slot_that_is_assigned_to_a_task_cancelled_at_that_moment_is_passed_on() -> None:
    limiter = PriorityLimiter(1)

    async def run() -> bool:
        async with limiter.slot(ImportPriority(is_large=False, number=1)):
            return True

    async with limiter.slot(ImportPriority(is_large=False, number=0)):
        cancelled = asyncio.create_task(run())
        next_in_line = asyncio.create_task(run())
        await asyncio.sleep(0)
    cancelled.cancel()

    async with asyncio.timeout(1):
        assert await next_in_line
    async with asyncio.timeout(1), limiter.slot(ImportPriority(is_large=False, number=2)):
        pass


async def test_the_rest_of_a_rejected_import_is_not_read(as_isolated_user: ClientFactory) -> None:
    async def invalid_upload() -> AsyncIterator[bytes]:
        yield to_ndjson([task_record(uuid4(), "")])
        while True:
            await asyncio.sleep(1.5)
            yield b" "

    gc.disable()  # the garbage collector would end a reader that was left behind
    try:
        response = await post_import(as_isolated_user("owner"), invalid_upload())
        await asyncio.sleep(0.1)
        readers = [task for task in asyncio.all_tasks() if "anext" in repr(task)]
    finally:
        gc.enable()

    assert response.status_code == 422
    assert readers == []
