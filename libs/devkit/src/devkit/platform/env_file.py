"""The file `.env`, read so that `make run` and Docker Compose cannot mean different things by it.

Compose replaces `$NAME`, knows escapes, and takes several lines in quotes; other readers do not, or otherwise. So what
has one meaning everywhere is read, and the rest is refused with a sentence that names the line and never a value.
`deploy/compose.py` reads with it, too: nothing but the standard library, for Python 3.9.
"""

import re
from pathlib import Path
from typing import Dict, Tuple  # noqa: UP035 - for Python 3.9

ASSIGNMENT = re.compile(r"(?:export )?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
"""A line that sets something; spaces around `=` are for others to guess at."""

QUOTES = ("'", '"')

COMMENT = re.compile(r"(?: +#.*)? *")
"""What may stand behind a value."""


class EnvFileError(Exception):
    """The file cannot be read, or could be read in two ways; the message is one sentence for whoever wrote it."""


def read_env_file(file: Path) -> Dict[str, str]:  # noqa: UP006 - for Python 3.9
    """Return what the file sets; a name that is set twice has its last value, as everywhere.

    Raises:
        EnvFileError: See the module.
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
            name, value = _read_line(stripped, f"{file}, line {number}")
            settings[name] = value
    return settings


def _read_line(line: str, place: str) -> Tuple[str, str]:  # noqa: UP006 - for Python 3.9
    found = ASSIGNMENT.fullmatch(line)
    if not found:
        raise EnvFileError(
            f"{place}: write NAME=value, without spaces around the = and on one line."
        )
    name, value = found["name"], found["value"]
    if value.startswith(QUOTES):
        return name, _quoted(value, f"{place}: {name}")
    return name, _unquoted(value, f"{place}: {name}")


def _quoted(text: str, place: str) -> str:
    quote = text[0]
    end = text.find(quote, 1)
    if end < 0 or not COMMENT.fullmatch(text, end + 1):
        raise EnvFileError(
            f"{place} must end with the {quote} that it begins with, on the same line."
        )
    value = text[1:end]
    if "\\" in value or (quote == '"' and "$" in value):
        raise EnvFileError(f"{place} has a $ or \\ in quotes, which has two meanings: {_ADVICE}.")
    return _plain(value, place)


def _unquoted(text: str, place: str) -> str:
    value = text.split(" #", 1)[0].rstrip(" \t")
    if value.startswith((" ", "\t", "#")):
        raise EnvFileError(
            f"{place} begins with a space or #: put the value directly behind the =, or into quotes."
        )
    if set(value) & {"$", "\\", "'", '"', "`"}:
        raise EnvFileError(
            f"{place} has a $, \\ or quote in it, which has two meanings: {_ADVICE}."
        )
    if "\t#" in value:
        raise EnvFileError(f"{place} has a tab before #: write a space there.")
    return _plain(value, place)


def _plain(value: str, place: str) -> str:
    if not value.isprintable() and not value.replace("\t", " ").isprintable():
        raise EnvFileError(f"{place} has a character in it that nobody sees: type the value anew.")
    return value


_ADVICE = "put a value with $ into single quotes, and write no \\ or quotes in it (in a URL: %5C, %27, %22)"
