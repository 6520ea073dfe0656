"""A reader of the file `.env` that accepts only what has the same meaning everywhere.

Docker Compose replaces `$NAME`, knows escapes and takes several lines in quotes; other readers do
not, or do it differently. A line that could be read in two ways is an error that names the line and
never the value, so that `make run` and Compose cannot disagree.

`deploy/compose.py` uses this module as well: only the standard library, and Python 3.9 or newer.
"""

import re
from pathlib import Path
from typing import Dict, Tuple  # noqa: UP035 - for Python 3.9

ASSIGNMENT = re.compile(r"(?:export )?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
"""`NAME=value`; spaces around `=` are an error because readers disagree about them."""

QUOTES = ("'", '"')

COMMENT = re.compile(r"(?: +#.*)? *")
"""What may follow a quoted value."""

_ADVICE = (
    "put a value with $ into single quotes, "
    "and write no \\ or quotes in it (in a URL: %5C, %27, %22)"
)


class EnvFileError(Exception):
    """The file cannot be read, or a line has two meanings. The message is one sentence."""


def read_env_file(file: Path) -> Dict[str, str]:  # noqa: UP006 - for Python 3.9
    """Return the settings in the file; the last value of a name counts.

    Raises:
        EnvFileError: The file is not readable UTF-8, or a line has two meanings.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EnvFileError(f"{file} is not UTF-8 text.") from None
    except OSError as error:
        raise EnvFileError(f"{file} cannot be read: {error.strerror}.") from None
    settings: Dict[str, str] = {}  # noqa: UP006 - for Python 3.9
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip(" \t\r")
        if stripped and not stripped.startswith("#"):
            name, value = _parse_line(stripped, f"{file}, line {number}")
            settings[name] = value
    return settings


def _parse_line(line: str, location: str) -> Tuple[str, str]:  # noqa: UP006 - for Python 3.9
    assignment = ASSIGNMENT.fullmatch(line)
    if not assignment:
        raise EnvFileError(
            f"{location}: write NAME=value, without spaces around the = and on one line."
        )
    name = assignment["name"]
    text = assignment["value"]
    if text.startswith(QUOTES):
        return name, _parse_quoted(text, f"{location}: {name}")
    return name, _parse_unquoted(text, f"{location}: {name}")


def _parse_quoted(text: str, location: str) -> str:
    quote = text[0]
    end = text.find(quote, 1)
    if end < 0 or not COMMENT.fullmatch(text, end + 1):
        raise EnvFileError(
            f"{location} must end with the {quote} that it begins with, on the same line."
        )
    value = text[1:end]
    if "\\" in value or (quote == '"' and "$" in value):
        raise EnvFileError(
            f"{location} has a $ or \\ in quotes, which has two meanings: {_ADVICE}."
        )
    return _require_printable(value, location)


def _parse_unquoted(text: str, location: str) -> str:
    value = text.split(" #", 1)[0].rstrip(" \t")
    if value.startswith((" ", "\t", "#")):
        raise EnvFileError(
            f"{location} begins with a space or #: "
            "put the value directly behind the =, or into quotes."
        )
    if set(value) & {"$", "\\", "'", '"', "`"}:
        raise EnvFileError(
            f"{location} has a $, \\ or quote in it, which has two meanings: {_ADVICE}."
        )
    if "\t#" in value:
        raise EnvFileError(f"{location} has a tab before #: write a space there.")
    return _require_printable(value, location)


def _require_printable(value: str, location: str) -> str:
    if not value.replace("\t", " ").isprintable():
        raise EnvFileError(
            f"{location} has a character in it that nobody sees: type the value anew."
        )
    return value
