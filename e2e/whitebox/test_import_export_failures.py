"""Exports, imports and erasures that are large, that stand still, or that meet a service which is away."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from httpx import Timeout

from e2e.support.contract import problem_of
from e2e.support.import_export import LINES_TYPE, START, a_line, bring, erase, export, written
from e2e.support.isolated_platform import OwnPlatform
from e2e.support.user_client import Person

MANY: Final = 100_000

DESCRIPTION: Final = "A" * 300
"""Makes a hundred thousand tasks far larger than the memory that they may take."""

GROWTH_MAX_BYTES: Final = 16_000_000
"""What the memory of a service may grow by; the stream is more than three times as long."""

PATIENCE: Final = Timeout(5, read=60)

HELD: Final = """
SELECT count(*) AS held FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state = 'active' OR state LIKE 'idle in %%')
"""


STAGED: Final = (
    "SELECT (SELECT count(*) FROM imports) AS begun, (SELECT count(*) FROM staged_tasks) AS staged"
)


@asynccontextmanager
async def room_for_many(own: OwnPlatform) -> AsyncGenerator[None]:
    """Let one user have that many tasks."""
    usual = own.environment
    own.environment = {**usual, "TASKS_PER_USER_MAX": str(2 * MANY)}
    for environment in (own.environment, usual):
        await own.services["tasks"].process.stop()
        own.environment = environment
        await own.start("tasks")
        await own.until_ready()  # the others may still hold connections to a server that was killed
        if environment is not usual:
            yield


class Memory:
    """Watches how far the memory of services grows."""

    def __init__(self, own: OwnPlatform) -> None:
        self._folders = [
            Path(f"/proc/{service.process.popen.pid}") for service in own.services.values()
        ]

    def begin(self) -> None:
        """Forget what was."""
        for folder in self._folders:
            (folder / "clear_refs").write_text("5")
        self._before = self._peaks()

    def growth(self) -> int:
        """Return how many bytes the service that grew most has grown by."""
        return max(now - before for now, before in zip(self._peaks(), self._before, strict=True))

    def _peaks(self) -> list[int]:
        lines = [
            line
            for folder in self._folders
            for line in (folder / "status").read_text().splitlines()
        ]
        return [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]


async def many_lines() -> AsyncIterator[bytes]:
    """Write a stream that nobody holds as a whole."""
    yield START.encode()
    line = a_line("Water plant 012345", description=DESCRIPTION)
    for thousand in range(MANY // 1_000):
        ids = (
            str(UUID(int=0x01900000_0000_7000_8000_000000000000 + thousand * 1_000 + at))
            for at in range(1_000)
        )
        yield "".join(written({**line, "id": task_id}) for task_id in ids).encode()


async def until_nothing_is_held(own: OwnPlatform) -> None:
    """Wait until no request has a connection to the tasks database."""
    for _ in range(100):
        if not (await own.stored("tasks", HELD))[0]["held"]:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


async def until_begun(own: OwnPlatform, imports: int) -> None:
    """Wait until so many imports have begun; when there are none, nothing may be staged either."""
    for _ in range(100):
        counts = (await own.stored("tasks", STAGED))[0]
        if counts["begun"] == imports:
            assert imports or not counts["staged"]
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


async def test_a_hundred_thousand_tasks_come_in_and_go_out_in_constant_memory(
    own: OwnPlatform,
) -> None:
    async with room_for_many(own):
        ann = own.speak_as("ann")
        ann.timeout = PATIENCE
        assert (
            await bring(ann, written({"kind": "export", "format": 1, "user": {}}, a_line()))
        ).is_success
        memory, lines, size = Memory(own), 0, 0
        memory.begin()

        report = await bring(ann, many_lines())
        taken_in = memory.growth()
        memory.begin()
        async with ann.stream("GET", "/users/me/export") as answer:
            async for piece in answer.aiter_bytes():
                lines, size = lines + piece.count(b"\n"), size + len(piece)

        assert report.json() == {"created": MANY, "updated": 0, "unchanged": 0, "renumbered": 0}
        assert lines == 1 + 1 + MANY
        assert size > 3 * GROWTH_MAX_BYTES
        assert max(taken_in, memory.growth()) < GROWTH_MAX_BYTES
        # So many may take longer than the services give each other; the same call completes it.
        assert 204 in [(await ann.delete("/users/me")).status_code for _ in range(3)]
        assert len(await export(ann)) == 1


async def test_an_erasure_while_tasks_are_away_loses_nothing_and_is_completed_later(
    own: OwnPlatform,
) -> None:
    ann = own.speak_as("erased")
    await ann.add()
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    before = await export(ann)

    own.kill("tasks")
    problem_of(await ann.delete("/users/me"), 503, "tasks-unavailable")
    problem_of(await ann.get("/users/me/export"), 503, "tasks-unavailable")
    problem_of(await bring(ann, written(*before)), 503, "tasks-unavailable")
    await own.start("tasks")
    await own.until_ready()

    assert (await export(ann))[1:] == before[1:]
    await erase(ann)
    assert await own.stored("users", "SELECT 1 FROM users WHERE id = %s", ann.id) == []
    assert await own.stored("tasks", "SELECT 1 FROM owners WHERE id = %s", ann.id) == []
    assert [line["kind"] for line in await export(ann)] == ["export"]


async def test_an_erasure_that_the_users_service_could_not_finish_is_finished_later(
    own: OwnPlatform,
) -> None:
    ann = own.speak_as("half-erased")
    await ann.add()
    await ann.get("/users/me")

    await own.stored("tasks", "DELETE FROM owners WHERE id = %s RETURNING id", ann.id)

    await erase(ann)
    assert await own.stored("users", "SELECT 1 FROM users WHERE id = %s", ann.id) == []


async def _much(own: OwnPlatform, name: str) -> Person:
    person = own.speak_as(name)
    lines = [a_line(str(number), description="B" * 9_000) for number in range(3_000)]
    assert (await bring(person, START + written(*lines))).is_success
    return person


async def test_whoever_stops_reading_holds_no_connection(own: OwnPlatform) -> None:
    ann = await _much(own, "reader")

    async with ann.stream("GET", "/users/me/export") as answer:
        await anext(answer.aiter_raw(1_000))
        await asyncio.sleep(0.5)
        assert (await own.stored("tasks", HELD))[0]["held"] == 0
        assert len(await ann.tasks()) == 3_000
    await until_nothing_is_held(own)


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "stands still"])
async def test_whoever_stops_sending_has_written_nothing(own: OwnPlatform, *, leaves: bool) -> None:
    ann = own.speak_as(f"sender-{leaves}")
    halfway = asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        yield (START + written(*(a_line(str(number)) for number in range(1_000)))).encode()
        halfway.set()
        await asyncio.sleep(20)

    sending = asyncio.ensure_future(
        ann.post(
            "/users/me/import",
            content=halves(),
            headers={"Content-Type": LINES_TYPE},
            timeout=PATIENCE,
        )
    )
    await halfway.wait()
    if leaves:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    else:
        problem_of(await sending, 408, "request-timeout")
    await until_nothing_is_held(own)

    assert await ann.tasks() == []
    assert (await bring(ann, START + written(a_line()))).json()["created"] == 1
    await until_begun(own, 0)


async def test_a_kill_in_the_middle_leaves_nothing_half_done_and_what_is_staged_is_swept(
    own: OwnPlatform,
) -> None:
    ann, halfway = own.speak_as("killed"), asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        yield (START + written(*(a_line(str(number)) for number in range(1_000)))).encode()
        halfway.set()
        await asyncio.sleep(20)

    sending = asyncio.ensure_future(
        ann.post(
            "/users/me/import",
            content=halves(),
            headers={"Content-Type": LINES_TYPE},
            timeout=PATIENCE,
        )
    )
    await halfway.wait()
    await until_begun(own, 1)
    own.kill("tasks")
    problem_of(await sending, 503, "tasks-unavailable")
    await own.start("tasks")
    await own.until_ready()

    assert await ann.tasks() == []
    assert (await bring(ann, START + written(a_line()))).json()["created"] == 1
    await own.stored(
        "tasks", "UPDATE imports SET begun_at = begun_at - interval '1 hour' RETURNING id"
    )
    assert (await bring(ann, START + written(a_line()))).json()["created"] == 1
    await until_begun(own, 0)
    assert len(await ann.tasks()) == 2


async def test_those_who_dawdle_keep_nobody_waiting(own: OwnPlatform) -> None:
    async def dawdle() -> AsyncIterator[bytes]:
        yield (START + written(a_line())).encode()
        while True:
            await asyncio.sleep(1)
            yield (
                b" " * 2_048
            )  # as slow as one may be, or a busy machine loses the first before the last has begun

    people = [own.speak_as(f"dawdler-{number}") for number in range(5)]
    dawdling = [
        asyncio.ensure_future(bring(person, dawdle())) for person in people for _ in range(2)
    ]
    await until_begun(own, len(dawdling))

    async with asyncio.timeout(5):
        assert (await bring(own.speak_as("prompt"), START + written(a_line()))).json()[
            "created"
        ] == 1
    for sending in dawdling:
        sending.cancel()
    await asyncio.gather(*dawdling, return_exceptions=True)
    await until_begun(own, 0)
