"""What answers have in common: their tag, and how the OpenAPI document tells of it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from common.media_types import JSON_TYPE
from tasks.core.creation import StoredResponse
from tasks.core.preconditions import ETags, matches_any

Responses = dict[int | str, dict[str, Any]]
"""What the OpenAPI document says of each status."""

_QUOTED = {"type": "string", "pattern": '^"[0-9]+"$'}

ETAG: Final = {
    "ETag": {"description": "The version, in quotes.", "required": True, "schema": _QUOTED}
}
OPTIONAL_ETAG: Final = {
    **ETAG["ETag"],
    "description": "The owner's counter, in quotes, unless the clock decides.",
    "required": False,
}
"""The header of every answer that shows something with a version, and of one that may."""

_LOCATION = {"description": "Its address.", "required": True, "schema": {"type": "string"}}
_REPLAYED = {
    "description": "An earlier request with the key did it.",
    "schema": {"type": "string", "enum": ["true"]},
}

CREATED_HEADERS: Final = {**ETAG, "Location": _LOCATION}
"""The headers of an answer that shows something new."""

REPLAYABLE: Final = {"Idempotency-Replayed": _REPLAYED}
"""The header of an answer that is given once more."""

READ: Final[Responses] = {200: {"headers": ETAG}, 304: {"headers": ETAG}}
CHANGED: Final[Responses] = {200: {"headers": ETAG}, 412: {}}
MOVED: Final[Responses] = {200: {"headers": {**ETAG, **REPLAYABLE}}, 409: {}, 412: {}}
DELETED: Final[Responses] = {412: {}}
"""What reading, changing, moving and deleting can be answered with."""


def etag_headers(version: int) -> dict[str, str]:
    """Return what an answer says that shows what has this version."""
    return {"ETag": f'"{version}"', "Vary": "Authorization", "Cache-Control": "private, no-cache"}


def with_etag(
    body: bytes,
    version: int,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
    if_none_match: ETags | None = None,
) -> Response:
    """Show what has this version, unless the caller has seen it."""
    said = etag_headers(version)
    if matches_any(version, if_none_match or []):
        return Response(status_code=304, headers=said)
    return Response(body, status, {**said, **(headers or {})}, JSON_TYPE)


def without_etag(body: bytes, headers: Mapping[str, str]) -> Response:
    """Show what will be another thing in a moment."""
    return Response(body, headers=dict(headers), media_type=JSON_TYPE)


def created(created: StoredResponse, collection: str) -> Response:
    """Show what was made in a collection, now or for an earlier request."""
    return with_etag(
        created.body,
        created.version,
        {"Location": f"{collection}/{created.id}", **_replayed(created)},
        201,
    )


def ok(answered: StoredResponse) -> Response:
    """Show what was done, now or for an earlier request."""
    return with_etag(answered.body, answered.version, _replayed(answered))


def _replayed(answered: StoredResponse) -> Mapping[str, str]:
    return {"Idempotency-Replayed": "true"} if answered.replayed else {}
