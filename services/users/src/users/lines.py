"""The first line of an export and of an import, about the profile; those behind it are the tasks service's."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic_core import to_json

from common.ndjson import BYTE_ORDER_MARK, WHITE_SPACE, end_line
from common.problems import BadRequest, FieldError, ProblemError
from common.strict_json import parse_json
from common.validation import BODY_MAX_BYTES, raise_if_invalid, validate_json
from users.schemas import FORMAT, ImportStart, UserRead


class Import(NamedTuple):
    """What an import begins with, and all that follows."""

    start: ImportStart
    rest: AsyncIterator[bytes]


def write_start(profile: UserRead) -> bytes:
    """Write the first line of an export, which is made at this moment."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return end_line(
        to_json({"kind": "export", "format": FORMAT, "exported_at": now, "user": profile})
    )


async def read_start(pieces: AsyncIterator[bytes]) -> Import:
    """Read the first line of what comes in pieces of any size, be there a byte order mark or blank lines before it.

    Raises:
        BadRequest: It cannot be read, or is longer than a body may be.
        Unprocessable: It breaks a rule.
    """
    text = b""
    while (
        not _has_line(text) and len(text) <= BODY_MAX_BYTES and (piece := await anext(pieces, b""))
    ):
        text += piece
    text = text.removeprefix(BYTE_ORDER_MARK)
    white_space = text[: len(text) - len(text.lstrip(WHITE_SPACE))]
    *blank_lines, indent = white_space.split(b"\n")
    first, _, rest = text[len(white_space) - len(indent) :].partition(b"\n")
    # Handed on, blank lines keep the numbers of those behind them right.
    others = b"\n" * len(blank_lines) + rest
    return Import(_read_first(len(blank_lines) + 1, first), joined(others, pieces))


def _has_line(text: bytes) -> bool:
    return b"\n" in text.removeprefix(BYTE_ORDER_MARK).lstrip(WHITE_SPACE)


async def joined(first: bytes, others: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Put a piece before others."""
    yield first
    async for piece in others:
        yield piece


def _read_first(number: int, text: bytes) -> ImportStart:
    try:
        if len(text) > BODY_MAX_BYTES:
            raise BadRequest(
                errors=[
                    FieldError(location=["body"], code="too-long", message="Longer than 64 KiB")
                ]
            )
        start = raise_if_invalid(validate_json(text, parse_json(text), ImportStart))
    except ProblemError as error:
        broken = "cannot be read" if isinstance(error, BadRequest) else "breaks a rule"
        faults = [_in_line(number, fault) for fault in error.errors]
        raise type(error)(
            error.code,
            f"Line {number} {broken}.",
            errors=faults,
            errors_omitted=error.errors_omitted,
        ) from None
    return start


def _in_line(number: int, fault: FieldError) -> FieldError:
    body, *place = fault["location"]
    return FieldError(location=[body, number, *place], code=fault["code"], message=fault["message"])
