"""The first line of an export and of an import: the profile. The tasks service has the others."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic_core import to_json

from common.ndjson import BYTE_ORDER_MARK, WHITE_SPACE, end_line
from common.problems import BadRequest, FieldError, ProblemError
from common.streaming import prepend
from common.strict_json import parse_json
from common.validation import BODY_MAX_BYTES, raise_if_invalid, validate_json
from users.schemas import FORMAT, ImportHeader, UserRead


@dataclass(frozen=True, slots=True)
class ImportBody:
    """The body of an import, after its first line has been read."""

    header: ImportHeader

    rest: AsyncIterator[bytes]
    """All that follows, in chunks of any size."""


def write_header(profile: UserRead) -> bytes:
    """Write the first line of an export, with the current time."""
    now = datetime.now(UTC)
    header = {
        "kind": "export",
        "format": FORMAT,
        "exported_at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",
        "user": profile,
    }
    return end_line(to_json(header))


async def read_header(chunks: AsyncIterator[bytes]) -> ImportBody:
    """Read the first line that is not blank. A byte order mark before it is skipped.

    Args:
        chunks: The body, in chunks of any size.

    Raises:
        BadRequest: The line cannot be read, or is longer than `BODY_MAX_BYTES`.
        Unprocessable: It breaks a rule.
    """
    text = await _read_until_line(chunks)
    text = text.removeprefix(BYTE_ORDER_MARK)
    content = text.lstrip(WHITE_SPACE)
    white_space = text[: len(text) - len(content)]
    blank_lines = white_space.count(b"\n")
    indent = white_space.rpartition(b"\n")[2]
    line, _, rest = (indent + content).partition(b"\n")
    header = _parse_header(blank_lines + 1, line)
    # Blank lines are passed on, so that the tasks service counts the lines after them correctly.
    return ImportBody(header, prepend(b"\n" * blank_lines + rest, chunks))


async def _read_until_line(chunks: AsyncIterator[bytes]) -> bytes:
    """Read until a line that is not blank has ended, the body has, or the limit is exceeded."""
    text = b""
    while len(text) <= BODY_MAX_BYTES:
        if b"\n" in text.removeprefix(BYTE_ORDER_MARK).lstrip(WHITE_SPACE):
            break
        chunk = await anext(chunks, b"")
        if not chunk:
            break
        text += chunk
    return text


def _parse_header(line_number: int, line: bytes) -> ImportHeader:
    try:
        if len(line) > BODY_MAX_BYTES:
            error = FieldError(location=["body"], code="too-long", message="Longer than 64 KiB")
            raise BadRequest(errors=[error])
        return raise_if_invalid(validate_json(line, parse_json(line), ImportHeader))
    except ProblemError as problem:
        flaw = "breaks a rule"
        if isinstance(problem, BadRequest):
            flaw = "cannot be read"
        raise type(problem)(
            problem.code,
            f"Line {line_number} {flaw}.",
            errors=[_with_line_number(line_number, error) for error in problem.errors],
            errors_omitted=problem.errors_omitted,
        ) from None


def _with_line_number(line_number: int, error: FieldError) -> FieldError:
    body, *path = error["location"]
    return FieldError(
        location=[body, line_number, *path], code=error["code"], message=error["message"]
    )
