"""Exports and imports as the users service sends them, and what they leave in the database."""

import asyncio
import json
from collections.abc import AsyncIterable
from typing import LiteralString, cast
from uuid import UUID, uuid5

import psycopg
from httpx import AsyncClient, Response

from devkit.testing.fault_proxy import FaultProxy

OWNER_PATH = "/internal/owner"

OLD_TIMESTAMP = "2020-01-01T00:00:00.000000Z"

Record = dict[str, object]
"""One line of an export or an import."""


def task_record(task_id: object, title: str = "Water the plants", **fields: object) -> Record:
    """Return the record of a task from another system."""
    return {
        "kind": "task",
        "id": str(task_id),
        "title": title,
        "created_at": OLD_TIMESTAMP,
        "updated_at": OLD_TIMESTAMP,
        **fields,
    }


def to_ndjson(*records: Record) -> bytes:
    """Serialize records, one a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def replacement_id(owner: AsyncClient, task_id: object) -> str:
    """Return the id that an import gives to a task whose own id another user has."""
    return str(uuid5(UUID(owner.headers["x-user-id"]), str(task_id)))


async def export(owner: AsyncClient) -> list[Record]:
    """Return all records of an owner."""
    response = await owner.get(f"{OWNER_PATH}/export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.content.splitlines()]


async def post_import(owner: AsyncClient, content: bytes | AsyncIterable[bytes]) -> Response:
    """Send an import and return its response."""
    return await owner.post(f"{OWNER_PATH}/import", content=content)


async def import_records(owner: AsyncClient, *records: Record) -> tuple[int, ...]:
    """Import valid records; return the numbers created, updated, unchanged and renumbered."""
    response = await post_import(owner, to_ndjson(*records))
    assert response.status_code == 200, response.text
    report = cast("dict[str, int]", response.json())
    return tuple(report[name] for name in ("created", "updated", "unchanged", "renumbered"))


async def erase_owner(owner: AsyncClient) -> None:
    """Delete an owner with all their data."""
    response = await owner.delete(OWNER_PATH)
    assert response.status_code == 204


def _without_version(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "version"}


def without_versions(records: list[Record]) -> list[Record]:
    """Return the records without what an import assigns anew."""
    return [_without_version(record) for record in records]


async def run_sql(
    proxy: FaultProxy, statement: LiteralString, *values: object
) -> list[tuple[object, ...]]:
    """Run a statement on the database, past the proxy; return its rows if it has any."""
    async with await psycopg.AsyncConnection.connect(
        proxy.server_url, autocommit=True
    ) as connection:
        cursor = await connection.execute(statement, values)
        if cursor.description is None:
            return []
        return await cursor.fetchall()


async def count_staged(proxy: FaultProxy) -> tuple[object, ...]:
    """Return the numbers of unfinished imports and of staged tasks."""
    [counts] = await run_sql(
        proxy, "SELECT (SELECT count(*) FROM imports), (SELECT count(*) FROM staged_tasks)"
    )
    return counts


async def wait_until_staged(proxy: FaultProxy, imports: int, tasks: int) -> None:
    """Wait up to five seconds for these numbers of unfinished imports and staged tasks.

    Raises:
        TimeoutError: The numbers did not appear.
    """
    for _ in range(100):
        if await count_staged(proxy) == (imports, tasks):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError
