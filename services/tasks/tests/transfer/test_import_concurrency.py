"""What imports that are being sent leave to others: everything."""

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
from tasks.transfer import streams
from tasks.transfer.concurrency import Priority, PriorityLimiter

from ..support.import_export import (
    Record,
    count_staged,
    export,
    import_records,
    post_import,
    run_sql,
    task_record,
    to_ndjson,
    wait_until_staged,
)
from ..support.owner_lock import create_task_url

HELD: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state = 'active' OR state LIKE 'idle in %%')
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give clients a second to send something, and three for all."""
    monkeypatch.setattr(
        streams, "IMPORT_LIMITS", replace(IMPORT_LIMITS, pause_seconds=1.0, seconds_max=3.0)
    )


async def slowly(go_on: asyncio.Event, *lines: Record) -> AsyncIterator[bytes]:
    """Send lines, and then nothing until told to."""
    yield to_ndjson(*lines)
    await go_on.wait()


async def dripping(seconds: float, piece: bytes = b" ") -> AsyncIterator[bytes]:
    """Send a line, and then the same few bytes again and again."""
    yield to_ndjson(task_record(uuid4()))
    while True:
        await asyncio.sleep(seconds)
        yield piece


def begin(owner: AsyncClient, content: AsyncIterator[bytes]) -> asyncio.Task[Response]:
    return asyncio.create_task(post_import(owner, content))


async def end(*sending: asyncio.Task[Response]) -> None:
    """Leave, as clients do that go away."""
    for each in sending:
        each.cancel()
    await asyncio.gather(*sending, return_exceptions=True)


async def test_many_that_send_a_space_now_and_then_keep_nobody_waiting(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    dawdlers = [
        begin(as_isolated_user(f"dawdler {number // 2}"), dripping(0.3)) for number in range(24)
    ]
    await wait_until_staged(proxy, 24, 0)

    async with asyncio.timeout(4):
        assert await import_records(owner, *(task_record(uuid4()) for _ in range(3))) == (
            3,
            0,
            0,
            0,
        )

    assert await run_sql(proxy, HELD) == [(0,)]
    await end(*dawdlers)
    await wait_until_staged(proxy, 0, 0)


async def test_writes_go_on_while_a_client_sends_an_import(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour, go_on = (
        as_isolated_user("owner"),
        as_isolated_user("neighbour"),
        asyncio.Event(),
    )
    address = await create_task_url(owner)

    sending = begin(owner, slowly(go_on, task_record(uuid4(), "New")))
    await wait_until_staged(proxy, 1, 0)
    for number in range(3):
        assert (await owner.patch(address, json={"title": str(number)})).status_code == 200
    await create_task_url(neighbour)
    go_on.set()

    assert (await sending).json()["created"] == 1
    assert {line["title"] for line in await export(owner)} == {"2", "New"}


async def test_two_imports_of_one_user_come_in_beside_each_other(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, go_on, line = as_isolated_user("owner"), asyncio.Event(), task_record(uuid4())

    first = begin(owner, slowly(go_on, line))
    await wait_until_staged(proxy, 1, 0)
    assert await import_records(owner, line) == (1, 0, 0, 0)
    go_on.set()

    assert (await first).json() == {"created": 0, "updated": 0, "unchanged": 1, "renumbered": 0}


async def test_a_third_import_of_one_user_waits_for_one_of_the_first_and_not_for_ever(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, go_on = as_isolated_user("owner"), asyncio.Event()
    first, second = begin(owner, slowly(go_on)), begin(owner, dripping(1.0))
    await wait_until_staged(proxy, 2, 0)

    refused = await post_import(owner, to_ndjson(task_record(uuid4())))
    assert (refused.status_code, refused.json()["code"]) == (503, "deadline-passed")
    assert refused.headers["retry-after"] == "1"
    third = begin(owner, slowly(go_on, task_record(uuid4())))
    await asyncio.sleep(0.1)
    imports, _ = await count_staged(proxy)
    assert imports == 2
    go_on.set()

    assert [(await each).status_code for each in (first, third)] == [200, 200]
    await end(second)


@pytest.mark.parametrize("content", [b"", b" ", b"\n"])
async def test_who_sends_nothing_of_use_for_too_long_is_refused(
    as_isolated_user: ClientFactory,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
) -> None:
    owner = as_isolated_user("owner")
    monkeypatch.setattr(streams, "IMPORT_LIMITS", replace(IMPORT_LIMITS, pause_seconds=1.0))

    async with asyncio.timeout(8):
        refused = await post_import(owner, dripping(0.3, content))

    assert (refused.status_code, refused.json()["code"]) == (408, "request-timeout")
    assert await export(owner) == []
    assert await count_staged(proxy) == (0, 0)
    assert (await import_records(owner, task_record(uuid4())))[0] == 1


@pytest.mark.usefixtures("impatient")
async def test_who_never_comes_to_an_end_is_refused(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")

    async with asyncio.timeout(6):
        refused = await post_import(owner, dripping(0.3, b"\n" * 1_000))

    assert (refused.status_code, refused.json()["code"]) == (408, "request-timeout")
    assert await count_staged(proxy) == (0, 0)


async def test_an_import_that_lasts_is_not_given_up_as_long_as_it_gets_on(
    as_isolated_user: ClientFactory,
) -> None:
    lines = [task_record(uuid4()) for _ in range(3)]

    async def drip() -> AsyncIterator[bytes]:
        for line in lines:
            yield to_ndjson(line)
            await asyncio.sleep(2.0)

    assert (await post_import(as_isolated_user("owner"), drip())).json()["created"] == 3


async def test_turns_go_to_the_lowest_rank_and_pass_over_who_has_left() -> None:
    turns, went = PriorityLimiter(1), list[int]()

    async def go(number: int) -> None:
        async with turns.slot(Priority(is_large=number > 5, number=number)):
            went.append(number)
            await asyncio.sleep(0)

    async with turns.slot(Priority(is_large=False, number=0)):
        going = [asyncio.create_task(go(number)) for number in (9, 3, 7, 1)]
        await asyncio.sleep(0)
        going[1].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*going, return_exceptions=True)

    assert went == [1, 7, 9]


async def test_a_turn_that_is_given_to_who_leaves_at_that_moment_is_passed_on() -> None:
    turns = PriorityLimiter(1)

    async def go() -> bool:
        async with turns.slot(Priority(is_large=False, number=1)):
            return True

    async with turns.slot(Priority(is_large=False, number=0)):
        leaving, staying = asyncio.create_task(go()), asyncio.create_task(go())
        await asyncio.sleep(0)
    leaving.cancel()

    async with asyncio.timeout(1):
        assert await staying
    async with asyncio.timeout(1), turns.slot(Priority(is_large=False, number=2)):
        pass


async def test_nothing_of_a_refused_import_is_read_on(as_isolated_user: ClientFactory) -> None:
    gc.disable()  # what only the garbage collector ends has not been ended
    try:
        refused = await post_import(as_isolated_user("owner"), _broken_then(1.5))
        await asyncio.sleep(0.1)
        reading = [task for task in asyncio.all_tasks() if "anext" in repr(task)]
    finally:
        gc.enable()

    assert refused.status_code == 422
    assert reading == []


async def _broken_then(seconds: float) -> AsyncIterator[bytes]:
    """Send a line that breaks a rule, and then spaces, as long as they are read."""
    yield to_ndjson(task_record(uuid4()) | {"title": ""})
    while True:
        await asyncio.sleep(seconds)
        yield b" "
