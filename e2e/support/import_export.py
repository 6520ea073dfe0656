"""Requests and records for the export, import and deletion of a user's data."""

import json
from collections.abc import AsyncIterable
from typing import Final, TypeAlias, cast
from uuid import uuid4

from httpx import Response

from e2e.support.user_client import UserClient

NDJSON_TYPE: Final = "application/x-ndjson"

EXPORT_HEADER: Final = '{"kind": "export", "format": 1, "user": {}}\n'
"""The shortest valid first line of an import."""

OLD_TIMESTAMP: Final = "2020-01-01T00:00:00.000000Z"

Record: TypeAlias = dict[str, object]
"""One line of an export or import."""


async def export_records(user: UserClient) -> list[Record]:
    """Export the user's data and return every record."""
    response = await user.get("/users/me/export")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == NDJSON_TYPE
    return [json.loads(line) for line in response.content.splitlines()]


async def import_stream(
    user: UserClient, content: str | bytes | AsyncIterable[bytes], path: str = "/users/me/import"
) -> Response:
    """Import NDJSON lines and return the response."""
    return await user.post(path, content=content, headers={"Content-Type": NDJSON_TYPE})


async def erase_user(user: UserClient) -> None:
    """Delete the user with all data."""
    response = await user.delete("/users/me")
    assert response.status_code == 204, response.text
    assert response.content == b""


def to_ndjson(records: list[Record]) -> str:
    """Serialize records, one per line."""
    return "".join(json.dumps(record) + "\n" for record in records)


def task_record(title: str = "Water the plants", **fields: object) -> Record:
    """Return a record of a task that another platform has exported."""
    record: Record = {
        "kind": "task",
        "id": str(uuid4()),
        "title": title,
        "created_at": OLD_TIMESTAMP,
        "updated_at": OLD_TIMESTAMP,
    }
    record.update(fields)
    return record


def without_volatile_fields(records: list[Record]) -> list[Record]:
    """Remove what an import assigns anew: times of the profile, and versions."""
    header = dict(records[0])
    header["exported_at"] = None
    profile = cast("Record", header["user"])
    header["user"] = {name: value for name, value in profile.items() if not name.endswith("_at")}
    remaining = [header]
    for record in records[1:]:
        copy = dict(record)
        copy.pop("version", None)
        remaining.append(copy)
    return remaining
