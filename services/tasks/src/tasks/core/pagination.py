"""Cursors of task lists and tokens of the changes feed: opaque texts for the next page."""

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from tasks.core.types import EXAMPLE_TASK, ORDER_KEY_PATTERN

VERSION_MAX: Final = 2**63 - 1
"""The largest `bigint`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP_BYTES = 8
_ORDER_KEY = re.compile(ORDER_KEY_PATTERN)
_SYNC_TOKEN = re.compile("(0|[1-9][0-9]{0,18})(?:-([1-9][0-9]{0,18}))?")


@dataclass(frozen=True, slots=True)
class CreatedAtCursor:
    """The last task of a page in the default order, oldest first."""

    created_at: datetime
    id: UUID

    def encode(self) -> str:
        """Encode the microseconds since 1970 in 8 bytes, and the id in 16."""
        microseconds = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(
            microseconds.to_bytes(_TIMESTAMP_BYTES) + self.id.bytes
        ).decode()


@dataclass(frozen=True, slots=True)
class SortCursor:
    """The last task of a page in another order.

    Attributes:
        sort: What the list is sorted by, as in the query string.
        id: The id of the task.
        value: The value that the task is sorted by, as text.
    """

    sort: str
    id: UUID
    value: str

    def encode(self) -> str:
        """Encode it as lines of text, in base64url without padding."""
        return _encode_lines([self.sort, str(self.id), self.value])


@dataclass(frozen=True, slots=True)
class NullSortCursor:
    """The last task of a page in another order if it has no value.

    Tasks without a value come last, ordered by id.
    """

    sort: str
    id: UUID

    def encode(self) -> str:
        """Encode it as `SortCursor` does, without the line of the value."""
        return _encode_lines([self.sort, str(self.id)])


TaskCursor: TypeAlias = CreatedAtCursor | SortCursor | NullSortCursor


def _encode_lines(lines: list[str]) -> str:
    return base64.urlsafe_b64encode("\n".join(lines).encode()).decode().rstrip("=")


def _decode_base64url(text: str) -> bytes:
    return base64.b64decode(text, altchars=b"-_", validate=True)


def _decode_created_at_cursor(text: str) -> CreatedAtCursor:
    content = _decode_base64url(text)
    microseconds = int.from_bytes(content[:_TIMESTAMP_BYTES])
    created_at = _EPOCH + timedelta(microseconds=microseconds)
    return CreatedAtCursor(created_at, UUID(bytes=content[_TIMESTAMP_BYTES:]))


def _decode_sort_cursor(text: str) -> SortCursor | NullSortCursor:
    padding = "=" * (-len(text) % 4)
    content = _decode_base64url(text + padding).decode()
    if "\0" in content:
        raise ValueError
    sort, id_text, *values = content.split("\n", 2)
    task_id = UUID(id_text)
    value = values[0] if values else None
    if sort == "position" and not _ORDER_KEY.fullmatch(value or ""):
        # The statement casts it to a number.
        raise ValueError
    if value is None:
        return NullSortCursor(sort, task_id)
    return SortCursor(sort, task_id, value)


_DECODERS: Final[tuple[Callable[[str], TaskCursor], ...]] = (
    _decode_created_at_cursor,
    _decode_sort_cursor,
)


def _read_cursor(text: object) -> object:
    """Decode a cursor. Only the exact text that `encode` returns is accepted."""
    if not isinstance(text, str):
        return text
    for decode in _DECODERS:
        with suppress(ValueError, OverflowError):
            cursor = decode(text)
            if cursor.encode() == text:
                return cursor
    raise PydanticCustomError("cursor_parsing", "This is no cursor of this list.")


_EXAMPLE_CURSOR = CreatedAtCursor(_EPOCH + timedelta(days=20_778), UUID(EXAMPLE_TASK))

Cursor = Annotated[
    TaskCursor,
    BeforeValidator(_read_cursor),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Start of the page, from the `Link` of the previous page.",
            "pattern": "^[A-Za-z0-9_-]+$",
            "minLength": 32,
            "maxLength": 3000,
            "examples": [_EXAMPLE_CURSOR.encode()],
        }
    ),
]
"""The query parameter `cursor`."""


@dataclass(frozen=True, slots=True)
class SyncToken:
    """A position in the changes feed.

    Attributes:
        version: The changes after this version come next.
        snapshot_version: The owner's counter when a client began to read from the start, until it
            has read up to that version: it need not learn of deletions before that.
    """

    version: int
    snapshot_version: int | None = None

    def encode(self) -> str:
        """Encode it as the text of `next`."""
        if self.snapshot_version is None:
            return f"{self.version}"
        return f"{self.version}-{self.snapshot_version}"


def _decode_sync_token(text: str) -> SyncToken | None:
    match = _SYNC_TOKEN.fullmatch(text)
    if match is None:
        return None
    version = int(match[1])
    snapshot_version = int(match[2]) if match[2] else None
    if not version < (snapshot_version or VERSION_MAX) <= VERSION_MAX:
        return None
    return SyncToken(version, snapshot_version)


def _read_sync_token(text: object) -> object:
    """Decode the text that `SyncToken.encode` returns."""
    if not isinstance(text, str):
        return text
    token = _decode_sync_token(text)
    if token is None:
        raise PydanticCustomError("since_parsing", "This is no `next` of this feed.")
    return token


SyncTokenText = Annotated[
    SyncToken,
    BeforeValidator(_read_sync_token),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The `next` of the previous response; absent or 0: from the start.",
            "pattern": "^(0|[1-9][0-9]{0,17})(-[1-9][0-9]{0,17})?$",
            "examples": ["0"],
        }
    ),
]
"""The query parameter `since`."""
