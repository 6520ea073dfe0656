"""Exports and imports, as a client meets them."""

import json
from collections.abc import AsyncIterable
from typing import Final, TypeAlias, cast
from uuid import uuid4

from httpx import Response

from e2e.support.user_client import Person

LINES_TYPE: Final = "application/x-ndjson"

START: Final = '{"kind": "export", "format": 1, "user": {}}\n'
"""The least that a first line may say."""

OLD: Final = "2020-01-01T00:00:00.000000Z"

Line: TypeAlias = dict[str, object]


async def export(person: Person) -> list[Line]:
    """Return all lines of an export."""
    answer = await person.get("/users/me/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, LINES_TYPE), answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


async def bring(
    person: Person, content: str | bytes | AsyncIterable[bytes], path: str = "/users/me/import"
) -> Response:
    """Import a stream."""
    return await person.post(path, content=content, headers={"Content-Type": LINES_TYPE})


async def erase(person: Person) -> None:
    """Forget the user."""
    answer = await person.delete("/users/me")
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def written(*lines: Line) -> str:
    """Write lines as a stream."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def a_line(title: str = "Water the plants", **fields: object) -> Line:
    """Describe a task from elsewhere."""
    return {
        "kind": "task",
        "id": str(uuid4()),
        "title": title,
        "created_at": OLD,
        "updated_at": OLD,
        **fields,
    }


def lasting(lines: list[Line]) -> list[Line]:
    """Leave out what an import makes anew."""
    start, *tasks = lines
    user = {
        name: value
        for name, value in cast("Line", start["user"]).items()
        if not name.endswith("_at")
    }
    kept = [{name: value for name, value in task.items() if name != "version"} for task in tasks]
    return [{**start, "exported_at": None, "user": user}, *kept]
