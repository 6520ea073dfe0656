"""What answers have in common: their tag, and how the OpenAPI document tells of it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from common.reading import JSON_TYPE
from tasks.conditions import Tags, is_among
from tasks.service.creation import Answered

Answers = dict[int | str, dict[str, Any]]
"""What the OpenAPI document says of each status."""

_QUOTED = {"type": "string", "pattern": '^"[0-9]+"$'}

TAG: Final = {"ETag": {"description": "The version, in quotes.", "required": True, "schema": _QUOTED}}
MAYBE: Final = {
    **TAG["ETag"],
    "description": "The owner's counter, in quotes, unless the clock decides.",
    "required": False,
}
"""The header of every answer that shows something with a version, and of one that may."""

_LOCATION = {"description": "Its address.", "required": True, "schema": {"type": "string"}}
_REPLAYED = {"description": "An earlier request with the key did it.", "schema": {"type": "string", "enum": ["true"]}}

MADE: Final = {**TAG, "Location": _LOCATION}
"""The headers of an answer that shows something new."""

REPLAYABLE: Final = {"Idempotency-Replayed": _REPLAYED}
"""The header of an answer that is given once more."""

READ: Final[Answers] = {200: {"headers": TAG}, 304: {"headers": TAG}}
CHANGED: Final[Answers] = {200: {"headers": TAG}, 412: {}}
MOVED: Final[Answers] = {200: {"headers": {**TAG, **REPLAYABLE}}, 409: {}, 412: {}}
DELETED: Final[Answers] = {412: {}}
"""What reading, changing, moving and deleting can be answered with."""


def tag_headers(version: int) -> dict[str, str]:
    """Return what an answer says that shows what has this version."""
    return {"ETag": f'"{version}"', "Vary": "Authorization", "Cache-Control": "private, no-cache"}


def tagged(
    body: bytes, version: int, headers: Mapping[str, str] | None = None, status: int = 200, seen: Tags | None = None
) -> Response:
    """Show what has this version, unless the caller has seen it."""
    said = tag_headers(version)
    if is_among(version, seen or []):
        return Response(status_code=304, headers=said)
    return Response(body, status, {**said, **(headers or {})}, JSON_TYPE)


def untagged(body: bytes, headers: Mapping[str, str]) -> Response:
    """Show what will be another thing in a moment."""
    return Response(body, headers=dict(headers), media_type=JSON_TYPE)


def made(created: Answered, collection: str) -> Response:
    """Show what was made in a collection, now or for an earlier request."""
    return tagged(
        created.answer, created.version, {"Location": f"{collection}/{created.id}", **_replayed(created)}, 201
    )


def done(answered: Answered) -> Response:
    """Show what was done, now or for an earlier request."""
    return tagged(answered.answer, answered.version, _replayed(answered))


def _replayed(answered: Answered) -> Mapping[str, str]:
    return {"Idempotency-Replayed": "true"} if answered.replayed else {}
