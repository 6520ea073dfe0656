"""Where a client goes on reading: places in a list and in the feed of changes, as texts that say nothing to it."""

import base64
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from tasks.core.types import EXAMPLE_TASK, ORDER_KEY_PATTERN

VERSION_MAX: Final = 2**63 - 1
"""The largest `bigint`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER_KEY = re.compile(ORDER_KEY_PATTERN)
_SINCE = re.compile("(0|[1-9][0-9]{0,18})(?:-([1-9][0-9]{0,18}))?")


class CreatedAtCursor(NamedTuple):
    """A place in the plain list: behind the task with this time and id."""

    created_at: datetime
    id: UUID

    def cursor(self) -> str:
        """Write it as the opaque text of a cursor."""
        microseconds = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(microseconds.to_bytes(8) + self.id.bytes).decode()


class SortCursor(NamedTuple):
    """A place in a list that is sorted by something: behind the task with this value, if it has one, and this id."""

    sort: str
    id: UUID
    value: str | None

    def cursor(self) -> str:
        """Write it as the opaque text of a cursor."""
        parts = (self.sort, str(self.id), *([] if self.value is None else [self.value]))
        return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def _read_position(text: str) -> CreatedAtCursor:
    place = base64.b64decode(text, altchars=b"-_", validate=True)
    return CreatedAtCursor(
        _EPOCH + timedelta(microseconds=int.from_bytes(place[:8])), UUID(bytes=place[8:])
    )


def _read_sorted_position(text: str) -> SortCursor:
    padded = text + "=" * (-len(text) % 4)
    sort, task_id, *value = (
        base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\n", 2)
    )
    found = SortCursor(sort, UUID(task_id), value[0] if value else None)
    if "\0" in sort + "".join(value) or (
        sort == "position" and not _ORDER_KEY.fullmatch(found.value or "")
    ):
        raise ValueError
    return found


def _read_cursor(text: object) -> object:
    """Read the text that a place wrote, and no other spelling of it."""
    if not isinstance(text, str):
        return text
    for read in (_read_position, _read_sorted_position):
        with suppress(ValueError, OverflowError):
            place = read(text)
            if place.cursor() == text:
                return place
    raise PydanticCustomError("cursor_parsing", "This is no cursor of this list.")


Cursor = Annotated[
    CreatedAtCursor | SortCursor,
    BeforeValidator(_read_cursor),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Where the page begins: take it from the `Link` of the page before.",
            "pattern": "^[A-Za-z0-9_-]+$",
            "minLength": 32,
            "maxLength": 3000,
            "examples": [
                CreatedAtCursor(_EPOCH + timedelta(days=20_778), UUID(EXAMPLE_TASK)).cursor()
            ],
        }
    ),
]
"""A place in a list, as a client sends it back."""


class SyncToken(NamedTuple):
    """A place in the feed: behind this version.

    Whoever reads from the beginning also carries the version at which they began: of what was deleted before that,
    they need not learn.
    """

    version: int
    begun_at: int | None = None

    def text(self) -> str:
        """Write it as the opaque text of `next`."""
        return f"{self.version}" if self.begun_at is None else f"{self.version}-{self.begun_at}"


def _read_since(text: object) -> object:
    """Read the text that `Since.text` wrote."""
    if not isinstance(text, str):
        return text
    found = _SINCE.fullmatch(text)
    since = found and SyncToken(int(found[1]), int(found[2]) if found[2] else None)
    if not since or not since.version < (since.begun_at or VERSION_MAX) <= VERSION_MAX:
        raise PydanticCustomError("since_parsing", "This is no `next` of this feed.")
    return since


SyncTokenText = Annotated[
    SyncToken,
    BeforeValidator(_read_since),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The `next` of the answer before; without it, or with 0, from the beginning.",
            "pattern": "^(0|[1-9][0-9]{0,17})(-[1-9][0-9]{0,17})?$",
            "examples": ["0"],
        }
    ),
]
"""A place in the feed, as a client sends it back."""
