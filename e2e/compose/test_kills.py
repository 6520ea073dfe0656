"""Each container is killed while requests run, and comes back by itself."""

import asyncio
from typing import Final

import pytest

from e2e.support.compose_project import RECOVERY_SECONDS, Composition
from e2e.support.load_generator import load
from e2e.support.user_client import AsUser

BROKEN: Final = {
    "auth-gateway": {"502", "503"},
    "better-auth": set[str](),
    "postgres": {"500", "503"},
    "tasks": {"502", "504"},
    "traefik": {"404", "ConnectError", "ReadError", "RemoteProtocolError", "WriteError"},
    "users": set[str](),
}
"""What clients may see while it is away. Nobody misses users: tasks knows everybody after their first request.

Traefik listens a moment before it has read where everything is: hence 404."""

BEFORE_SECONDS, AFTER_SECONDS = 1.5, 1.5

DEADLINE_SECONDS: Final = 6
"""How long a request may wait for an answer of what was killed: a container's network is gone without a word."""


@pytest.mark.parametrize("service", BROKEN)
async def test_a_container_that_is_killed_comes_back_and_nothing_is_lost(
    composed_platform: Composition, as_user: AsUser, service: str
) -> None:
    async with load(as_user) as seen:
        await asyncio.sleep(BEFORE_SECONDS)
        assert seen.refused == {}
        await kill(composed_platform, service)
        await composed_platform.until_ready()
        await asyncio.sleep(DEADLINE_SECONDS)
        before = dict(seen.refused)
        await asyncio.sleep(AFTER_SECONDS)

    assert seen.refused == before
    assert set(seen.refused) <= BROKEN[service]
    await seen.require_kept()


async def kill(composed_platform: Composition, service: str) -> None:
    """Kill a container's first process from outside, as a kernel that is short of memory does.

    What `docker kill` ends stays away: Docker takes it for somebody's wish.
    """
    pid = await composed_platform.inspect(service, "{{.State.Pid}}")
    user = await composed_platform.compose("exec", "-T", service, "id", "-u")
    as_they = (
        "--rm",
        "--pid=host",
        "--network=none",
        f"--user={user.strip()}",
        "task-platform/tasks",
    )
    await composed_platform.run(
        "docker", "run", *as_they, "python", "-c", f"import os; os.kill({pid}, 9)"
    )
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            if await composed_platform.inspect(service, "{{.State.Pid}}") not in {pid, "0"}:
                return
