"""The honest users: a process in which a dozen users work at a moderate rate.

It reads a `Load` from standard input, prints `ready` when every user has had a first response, and
prints what they observed as JSON when the time is over.
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

TIMEOUT_SECONDS: Final = 10.0
"""After this a request has failed."""

SESSION_SECONDS: Final = 1.25
"""How often each user begins a session of five requests."""

PAUSE_SECONDS: Final = 0.2
"""Pause between two requests of a session."""

TRANSFER_SECONDS: Final = 2.0
"""How often one of the users exports and imports."""

READY: Final = "ready"
"""The line that is printed when the load has begun."""

OK: Final = "ok"
"""The outcome of a successful request."""

_NDJSON_HEADERS: Final = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True)
class HonestUser:
    """A user, and some of their tasks."""

    authorization: str
    """Value of the `Authorization` header."""

    task_ids: list[str]


@dataclass(frozen=True)
class Load:
    """What the process does."""

    url: str
    seconds: float
    users: list[HonestUser]


@dataclass(frozen=True)
class Observation:
    """One request of a user."""

    operation: str
    seconds: float
    outcome: str
    """`ok`, or the status, or the name of the exception."""


class _Worker:
    """Sends the requests of a user."""

    def __init__(
        self, client: httpx.AsyncClient, user: HonestUser, observations: list[Observation]
    ) -> None:
        self.is_stopped = False
        self._client = client
        self._headers = {"Authorization": user.authorization}
        self._task_ids = user.task_ids
        self._observations = observations
        self._numbers = count()

    async def run_session(self) -> None:
        """Create a task, list, get and change tasks, and delete the created one."""
        title = f"Buy soil {next(self._numbers)}"
        created = await self._send_json("create", "POST", "/tasks", {"title": title})
        await asyncio.sleep(PAUSE_SECONDS)
        await self._send("list", "GET", "/tasks?limit=20")
        await asyncio.sleep(PAUSE_SECONDS)
        path = f"/tasks/{choice(self._task_ids)}"
        await self._send("get", "GET", path)
        await asyncio.sleep(PAUSE_SECONDS)
        title = f"Water the cactus {next(self._numbers)}"
        await self._send_json("change", "PATCH", path, {"title": title})
        await asyncio.sleep(PAUSE_SECONDS)
        if created is not None:
            await self._send("delete", "DELETE", created.headers["location"])

    async def transfer(self) -> None:
        """Export everything, and import it again."""
        exported = await self._send("export", "GET", "/users/me/export")
        if exported is not None:
            await self._send(
                "import", "POST", "/users/me/import", exported.content, _NDJSON_HEADERS
            )

    async def open_connection(self) -> None:
        """Send a first request, which is not recorded."""
        await self._client.get("/tasks?limit=1", headers=self._headers)

    async def _send_json(
        self, operation: str, method: str, path: str, body: dict[str, str]
    ) -> httpx.Response | None:
        return await self._send(operation, method, path, json.dumps(body).encode())

    async def _send(
        self,
        operation: str,
        method: str,
        path: str,
        content: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """Send a request and record it; return the response if it succeeded."""
        if self.is_stopped:
            return None
        request_headers = self._headers | (headers or {})
        started_at = time.perf_counter()
        response = None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._client.request(
                    method, path, content=content, headers=request_headers
                )
            outcome = OK
            if not response.is_success:
                outcome = str(response.status_code)
        except (httpx.HTTPError, TimeoutError) as error:
            outcome = type(error).__name__
        seconds = time.perf_counter() - started_at
        self._observations.append(Observation(operation, seconds, outcome))
        if outcome != OK:
            return None
        return response


async def work(load: Load) -> list[Observation]:
    """Let all users work, and return what they observed."""
    observations: list[Observation] = []
    limits = httpx.Limits(max_connections=None, keepalive_expiry=60)
    async with httpx.AsyncClient(
        base_url=load.url, timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False
    ) as client:
        workers = [_Worker(client, user, observations) for user in load.users]
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.open_connection())
        print(READY, flush=True)
        ends_at = time.monotonic() + load.seconds
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(_start_sessions(group, worker, ends_at))
            group.create_task(_start_transfers(group, workers[0], ends_at))
    return observations


async def _start_sessions(group: asyncio.TaskGroup, worker: _Worker, ends_at: float) -> None:
    """Begin a session at fixed intervals, whether or not earlier ones have ended."""
    await asyncio.sleep(uniform(0, SESSION_SECONDS))
    while time.monotonic() < ends_at:
        group.create_task(worker.run_session())
        await asyncio.sleep(SESSION_SECONDS)
    worker.is_stopped = True


async def _start_transfers(group: asyncio.TaskGroup, worker: _Worker, ends_at: float) -> None:
    while time.monotonic() < ends_at:
        group.create_task(worker.transfer())
        await asyncio.sleep(TRANSFER_SECONDS)


def main() -> None:
    """Read the load, work, and print the observations."""
    document = json.load(sys.stdin)
    users = [HonestUser(user["authorization"], user["task_ids"]) for user in document["users"]]
    load = Load(document["url"], document["seconds"], users)
    observations = asyncio.run(work(load))
    print(json.dumps([asdict(observation) for observation in observations]), flush=True)


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


async def finish(process: asyncio.subprocess.Process) -> list[Observation]:
    """Wait for the end of the process, and return what the users observed."""
    output, _ = await process.communicate()
    observations: list[Observation] = []
    for item in json.loads(output):
        observations.append(Observation(item["operation"], item["seconds"], item["outcome"]))
    return observations


if __name__ == "__main__":
    main()
