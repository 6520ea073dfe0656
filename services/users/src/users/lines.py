"""The first line of an export and of an import, about the profile; those behind it are the tasks service's."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from pydantic_core import to_json

from common.errors import BadRequest, Fault, Refusal
from common.reading import BODY_MAX_BYTES, attempt, faultless, parse
from users.schemas import FORMAT, ImportStart, UserRead

MEDIA_TYPE: Final = "application/x-ndjson"
"""JSON objects, each with a line feed behind it."""


class Import(NamedTuple):
    """What an import begins with, and all that follows."""

    start: ImportStart
    rest: AsyncIterator[bytes]


def write_start(profile: UserRead) -> bytes:
    """Write the first line of an export, which is made at this moment."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return to_json({"kind": "export", "format": FORMAT, "exported_at": now, "user": profile}) + b"\n"


async def read_start(pieces: AsyncIterator[bytes]) -> Import:
    """Read the first line of what comes in pieces of any size.

    Raises:
        BadRequest: It cannot be read, or is longer than a body may be.
        Unprocessable: It breaks a rule.
    """
    text = b""
    while b"\n" not in text and len(text) <= BODY_MAX_BYTES and (piece := await anext(pieces, b"")):
        text += piece
    first, _, rest = text.partition(b"\n")
    return Import(_read_first(first), joined(rest, pieces))


async def joined(first: bytes, others: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Put a piece before others."""
    yield first
    async for piece in others:
        yield piece


def _read_first(text: bytes) -> ImportStart:
    try:
        if len(text) > BODY_MAX_BYTES:
            raise BadRequest(errors=[Fault(location=["body"], code="too-long", message="Longer than 64 KiB")])
        parse(text)
        start = faultless(*attempt("body", lambda: ImportStart.model_validate_json(text)))
    except Refusal as error:
        broken = "cannot be read" if isinstance(error, BadRequest) else "breaks a rule"
        faults = [_in_first_line(fault) for fault in error.errors]
        raise type(error)(error.code, f"Line 1 {broken}.", errors=faults) from None
    return start


def _in_first_line(fault: Fault) -> Fault:
    body, *place = fault["location"]
    return Fault(location=[body, 1, *place], code=fault["code"], message=fault["message"])
