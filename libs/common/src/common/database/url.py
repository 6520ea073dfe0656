"""Validation of database URLs: messages say what is wrong, and never contain the password."""

import re
from typing import Annotated, Final
from urllib.parse import parse_qsl

from psycopg import OperationalError, ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Secret

KNOWN: Final = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
"""Parameters of a URL that libpq supports."""

CHOICES: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": (
        "any",
        "read-write",
        "read-only",
        "primary",
        "standby",
        "prefer-standby",
    ),
    "load_balance_hosts": ("disable", "random"),
}
"""Values of parameters that libpq checks only when it connects.

Source: PostgreSQL 18, 32.1.2.
"""

NUMBERS: Final = frozenset(
    {
        "connect_timeout",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "tcp_user_timeout",
    }
)

PORTS: Final = 2**16
"""Number of TCP ports."""

POOLED_HOST: Final = "-pooler"
"""Part of the host name of Neon's connection pooler."""

_PERCENT: Final = re.compile("%(?![0-9a-fA-F]{2})")


def check_url(url: str) -> str:
    """Return the URL unchanged.

    Raises:
        ValueError: The driver cannot use it; the message contains no value of the URL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres"}:
        raise ValueError(
            "must begin with postgresql://, and name no driver and no other kind of database"
        )
    _check_password(rest)
    authority, slash, rest = rest.partition("/")
    name, _, query = rest.partition("?")
    if not slash or not name:
        raise ValueError(
            "names no database: it ends with /name, as in postgresql://user:password@host/name"
        )
    _check_parameters(query, is_pooled=POOLED_HOST in authority)
    _check_as_libpq(url)
    return url


def _check_password(rest: str) -> None:
    """Reject characters that end a password early.

    With a second `@`, libpq would take the rest of the password for a part of the host name.

    Raises:
        ValueError: A character must be percent-encoded.
    """
    before_query = rest.split("?", 1)[0]
    authority, _, path = before_query.partition("/")
    if authority.count("@") > 1:
        raise ValueError("holds an @ in the user's name or password: write it as %40")
    if "@" in path:
        raise ValueError("holds a / in the user's name or password: write it as %2F")
    if "@" not in before_query and ":" in authority and "@" in rest.split("&", 1)[0]:
        raise ValueError("holds a ? in the user's name or password: write it as %3F")
    if _PERCENT.search(rest):
        raise ValueError("holds a % that begins no code of two hexadecimal digits: write it as %25")
    if any(letter.isspace() for letter in rest):
        raise ValueError("holds a blank: write it as %20")


def _check_parameters(query: str, *, is_pooled: bool) -> None:
    parameters = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in parameters]
    for name, value in parameters:
        if name not in KNOWN:
            raise ValueError(
                f"has the parameter {name}, which PostgreSQL does not know: leave it out"
            )
        if names.count(name) > 1:
            raise ValueError(f"has the parameter {name} twice")
        if name == "options" and is_pooled:
            raise ValueError(
                "has the parameter options, which a pooler refuses: set it by ALTER ROLE instead"
            )
        choices = CHOICES.get(name)
        if choices and value not in choices:
            raise ValueError(f"has the parameter {name}, which must be one of {', '.join(choices)}")
        if name in NUMBERS and not value.lstrip("-").isdecimal():
            raise ValueError(f"has the parameter {name}, which must be a number")


def _check_as_libpq(url: str) -> None:
    """Parse the URL as the driver does, without its message, which may contain the password."""
    try:
        port = conninfo_to_dict(url).get("port")
    except (ProgrammingError, OperationalError):
        raise ValueError(
            "cannot be read as postgresql://user:password@host:port/name?parameter=value"
        ) from None
    if port and not (str(port).isdecimal() and 0 < int(port) < PORTS):
        raise ValueError(f"must have a number from 1 to {PORTS - 1} as its port")


DatabaseUrl = Secret[Annotated[str, AfterValidator(check_url)]]
"""The database of a service: `postgresql://user:password@host/name`."""
