"""Exports and imports as the users service sends them, and what they leave in the database."""

import asyncio
import json
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID, uuid4, uuid5

import psycopg
from httpx import AsyncClient, Response

from devkit.testing.fault_proxy import FaultProxy

OWNER_PATH = "/internal/owner"

OLD_TIMESTAMP = "2020-01-01T00:00:00.000000Z"

Record = dict[str, object]
"""One line of an export or an import."""


def task_record(task_id: object, title: str = "Water the plants", **fields: object) -> Record:
    """Return the record of a task from another system."""
    record: Record = {
        "kind": "task",
        "id": str(task_id),
        "title": title,
        "created_at": OLD_TIMESTAMP,
        "updated_at": OLD_TIMESTAMP,
    }
    return record | fields


def new_tasks(count: int) -> list[Record]:
    """Return records of tasks with new ids, titled "0", "1" and so on."""
    return [task_record(uuid4(), str(number)) for number in range(count)]


def list_record(name: str = "Garden", **fields: object) -> Record:
    """Return the record of a list from another system."""
    record: Record = {
        "kind": "list",
        "id": str(uuid4()),
        "name": name,
        "created_at": OLD_TIMESTAMP,
        "updated_at": OLD_TIMESTAMP,
    }
    return record | fields


def label_record(name: str = "Home", **fields: object) -> Record:
    """Return the record of a label from another system."""
    return list_record(name, kind="label") | fields


def to_ndjson(records: Iterable[Record]) -> bytes:
    """Serialize records, one a line."""
    content = bytearray()
    for record in records:
        content += json.dumps(record).encode() + b"\n"
    return bytes(content)


def field_values(records: list[Record], name: str) -> list[object]:
    """Return the values of one field."""
    return [record[name] for record in records]


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


@dataclass(frozen=True)
class Report:
    """The response to an import: how many records were created, updated and so on."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    renumbered: int = 0


async def import_records(owner: AsyncClient, records: Iterable[Record]) -> Report:
    """Import valid records."""
    response = await post_import(owner, to_ndjson(records))
    assert response.status_code == 200, response.text
    report = response.json()
    return Report(
        created=report["created"],
        updated=report["updated"],
        unchanged=report["unchanged"],
        renumbered=report["renumbered"],
    )


async def erase_owner(owner: AsyncClient) -> None:
    """Delete an owner with all their data."""
    response = await owner.delete(OWNER_PATH)
    assert response.status_code == 204


def without_versions(records: list[Record]) -> list[Record]:
    """Return the records without what an import assigns anew."""
    return [record | {"version": None} for record in records]


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


def new_ids(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


async def tasks_by_id(owner: AsyncClient) -> dict[object, Record]:
    return {task["id"]: task for task in (await owner.get("/tasks")).json()}
