"""What answers have in common: their tag, and how the OpenAPI document tells of it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from common.reading import JSON_TYPE
from tasks.conditions import Tags, is_among

Answers = dict[int | str, dict[str, Any]]
"""What the OpenAPI document says of each status."""

_QUOTED = {"type": "string", "pattern": '^"[0-9]+"$'}

TAG: Final = {"ETag": {"description": "The version, in quotes.", "required": True, "schema": _QUOTED}}
"""The header of every answer that shows something with a version."""


def tagged(
    body: bytes, version: int, headers: Mapping[str, str] | None = None, status: int = 200, seen: Tags | None = None
) -> Response:
    """Show what has this version, unless the caller has seen it."""
    said = {"ETag": f'"{version}"', "Vary": "Authorization", "Cache-Control": "private, no-cache"}
    if is_among(version, seen or []):
        return Response(status_code=304, headers=said)
    return Response(body, status, {**said, **(headers or {})}, JSON_TYPE)
