"""The other users: a process of its own in which a dozen of them work at a moderate rate, and note what they see.

It reads what it shall do from its standard input, says `ready` when everybody has had a first response, and writes
what they saw as JSON when the time is over.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from random import choice, uniform
from typing import Final

import httpx

PATIENCE_SECONDS: Final = 10.0
"""After this an honest user gives a request up: it has failed."""

SESSION_SECONDS: Final = 1.25
"""How often each user begins a session of five requests."""

PAUSE_SECONDS: Final = 0.2
"""Between two requests of a session."""

TRANSFER_SECONDS: Final = 2.0
"""How often one of them exports and imports."""

READY: Final = "ready"
"""What is said when the load has begun."""

_NDJSON: Final = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True)
class Honest:
    """One of them: who they are, and some of their tasks."""

    authorization: str
    task_ids: list[str]


@dataclass(frozen=True)
class Load:
    """What the process is told."""

    url: str
    seconds: float
    users: list[Honest]


@dataclass(frozen=True)
class Sight:
    """What one of them saw of one request."""

    operation: str
    seconds: float
    outcome: str
    """`ok`, or the status, or the name of the error."""


class _User:
    def __init__(self, client: httpx.AsyncClient, honest: Honest, sights: list[Sight]) -> None:
        self.is_done = False
        self._client = client
        self._headers = {"Authorization": honest.authorization}
        self._task_ids = honest.task_ids
        self._sights = sights
        self._numbers = count()

    async def session(self) -> None:
        """Create a task, look at the list, at one task, change it, and delete what was created."""
        created = await self._request(
            "create", "POST", "/tasks", {"title": f"Buy soil {next(self._numbers)}"}
        )
        await asyncio.sleep(PAUSE_SECONDS)
        await self._request("list", "GET", "/tasks?limit=20")
        await asyncio.sleep(PAUSE_SECONDS)
        path = f"/tasks/{choice(self._task_ids)}"
        await self._request("get", "GET", path)
        await asyncio.sleep(PAUSE_SECONDS)
        await self._request(
            "change", "PATCH", path, {"title": f"Water the cactus {next(self._numbers)}"}
        )
        await asyncio.sleep(PAUSE_SECONDS)
        if created is not None:
            await self._request("delete", "DELETE", created.headers["location"])

    async def transfer(self) -> None:
        """Export everything, and import it again."""
        exported = await self._request("export", "GET", "/users/me/export")
        if exported is not None:
            await self._send(
                "import", "POST", "/users/me/import", content=exported.content, headers=_NDJSON
            )

    async def first_look(self) -> None:
        """Open the connection; nobody notes how long it takes."""
        await self._client.get("/tasks?limit=1", headers=self._headers)

    async def _request(
        self, operation: str, method: str, path: str, body: object = None
    ) -> httpx.Response | None:
        content = b"" if body is None else json.dumps(body).encode()
        return await self._send(operation, method, path, content=content, headers={})

    async def _send(
        self, operation: str, method: str, path: str, *, content: bytes, headers: dict[str, str]
    ) -> httpx.Response | None:
        if self.is_done:
            return None
        began = time.perf_counter()
        response = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                response = await self._client.request(
                    method, path, content=content, headers=self._headers | headers
                )
            outcome = "ok" if response.is_success else str(response.status_code)
        except (httpx.HTTPError, TimeoutError) as error:
            outcome = type(error).__name__
        self._sights.append(Sight(operation, time.perf_counter() - began, outcome))
        return response if outcome == "ok" else None


async def work(load: Load) -> list[Sight]:
    """Let all of them work for the time, and return what they saw."""
    sights: list[Sight] = []
    limits = httpx.Limits(max_connections=None, keepalive_expiry=60)
    async with httpx.AsyncClient(
        base_url=load.url, timeout=PATIENCE_SECONDS, limits=limits, trust_env=False
    ) as client:
        users = [_User(client, honest, sights) for honest in load.users]
        await asyncio.gather(*(user.first_look() for user in users))
        print(READY, flush=True)
        ends_at = time.monotonic() + load.seconds
        async with asyncio.TaskGroup() as group:
            for user in users:
                group.create_task(_start_sessions(group, user, ends_at))
            group.create_task(_start_transfers(group, users[0], ends_at))
    return sights


async def _start_sessions(group: asyncio.TaskGroup, user: _User, ends_at: float) -> None:
    """Begin one after the other in time, whether or not those before have ended."""
    await asyncio.sleep(uniform(0, SESSION_SECONDS))
    while time.monotonic() < ends_at:
        group.create_task(user.session())
        await asyncio.sleep(SESSION_SECONDS)
    user.is_done = True


async def _start_transfers(group: asyncio.TaskGroup, user: _User, ends_at: float) -> None:
    while time.monotonic() < ends_at:
        group.create_task(user.transfer())
        await asyncio.sleep(TRANSFER_SECONDS)


def main() -> None:
    """Do what standard input says."""
    told = json.load(sys.stdin)
    users = [Honest(user["authorization"], user["task_ids"]) for user in told["users"]]
    sights = asyncio.run(work(Load(told["url"], told["seconds"], users)))
    print(json.dumps([asdict(sight) for sight in sights]), flush=True)


async def start(load: Load) -> asyncio.subprocess.Process:
    """Start the process, and return when the load has begun."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.fairness.honest",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        limit=2**26,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError
    process.stdin.write(json.dumps(asdict(load)).encode())
    process.stdin.close()
    await process.stdout.readline()
    return process


async def finish(process: asyncio.subprocess.Process) -> list[Sight]:
    """Wait for its end, and return what they saw."""
    output, _ = await process.communicate()
    return [Sight(**sight) for sight in json.loads(output)]


if __name__ == "__main__":
    main()
