"""Lines of an export and an import, as the users service hands them on."""

import asyncio
import json
from collections.abc import AsyncIterable
from typing import LiteralString, cast
from uuid import UUID, uuid5

import psycopg
from httpx import AsyncClient, Response

from devkit.testing.fault_proxy import FaultProxy

ADDRESS = "/internal/owner"

OLD = "2020-01-01T00:00:00.000000Z"

Line = dict[str, object]


def a_line(task_id: object, title: str = "Water the plants", **fields: object) -> Line:
    """Describe a task from elsewhere."""
    return {
        "kind": "task",
        "id": str(task_id),
        "title": title,
        "created_at": OLD,
        "updated_at": OLD,
        **fields,
    }


def written(*lines: Line) -> bytes:
    """Write lines as a stream."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def renumbered(owner: AsyncClient, task_id: object) -> str:
    """Return the id that a task gets when somebody else has its own."""
    return str(uuid5(UUID(owner.headers["x-user-id"]), str(task_id)))


async def export(owner: AsyncClient) -> list[Line]:
    """Return all that an owner has."""
    answer = await owner.get(f"{ADDRESS}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.content.splitlines()]


async def send(owner: AsyncClient, content: bytes | AsyncIterable[bytes]) -> Response:
    """Import a stream."""
    return await owner.post(f"{ADDRESS}/import", content=content)


async def bring(owner: AsyncClient, *lines: Line) -> tuple[int, ...]:
    """Import lines that are good, and return how many were created, updated, unchanged and renumbered."""
    answer = await send(owner, written(*lines))
    assert answer.status_code == 200, answer.text
    report = cast("dict[str, int]", answer.json())
    return tuple(report[name] for name in ("created", "updated", "unchanged", "renumbered"))


async def erase(owner: AsyncClient) -> None:
    """Forget an owner."""
    assert (await owner.delete(ADDRESS)).status_code == 204


def but_versions(lines: list[Line]) -> list[Line]:
    """Leave out what an import makes anew."""
    return [{name: value for name, value in line.items() if name != "version"} for line in lines]


async def ask(
    proxy: FaultProxy, statement: LiteralString, *values: object
) -> list[tuple[object, ...]]:
    """Run a statement on the database itself, and return its rows, if it has any."""
    async with await psycopg.AsyncConnection.connect(
        proxy.server_url, autocommit=True
    ) as connection:
        done = await connection.execute(statement, values)
        return await done.fetchall() if done.description else []


async def staged(proxy: FaultProxy) -> tuple[object, ...]:
    """Count the imports that have begun, and the tasks that wait for their end."""
    [counts] = await ask(
        proxy, "SELECT (SELECT count(*) FROM imports), (SELECT count(*) FROM staged_tasks)"
    )
    return counts


async def until_staged(proxy: FaultProxy, imports: int, tasks: int) -> None:
    """Wait until so many imports have begun, and so many tasks are staged."""
    for _ in range(100):
        if await staged(proxy) == (imports, tasks):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError
