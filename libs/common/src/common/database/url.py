"""The URL of a database, as an operator writes it: what is wrong with one is named, and never its password."""

import re
from typing import Annotated, Final
from urllib.parse import parse_qsl

from psycopg import OperationalError, ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Secret

KNOWN: Final = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
"""What libpq lets a URL say behind its `?`."""

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
"""Parameters that libpq would refuse only when it connects. Source: PostgreSQL 18, 32.1.2."""

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
"""How many TCP ports there are."""

POOLED_HOST: Final = "-pooler"
"""What Neon puts into the host's name of the way through its pooler."""

_PERCENT: Final = re.compile("%(?![0-9a-fA-F]{2})")


def check_url(url: str) -> str:
    """Return a URL that the driver can use as it is.

    Raises:
        ValueError: It cannot; the message names the word that is wrong, and no value.
    """
    scheme, colon, rest = url.partition("://")
    if not colon or scheme not in {"postgresql", "postgres"}:
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
    """Find the letters that end a password early; all but the first `@` would become a part of the host's name."""
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
    given = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in given]
    for name, value in given:
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
    """Read it as the driver will; its own message may quote the password."""
    try:
        port = conninfo_to_dict(url).get("port")
    except (ProgrammingError, OperationalError):
        raise ValueError(
            "cannot be read as postgresql://user:password@host:port/name?parameter=value"
        ) from None
    if port and not (str(port).isdecimal() and 0 < int(port) < PORTS):
        raise ValueError(f"must have a number from 1 to {PORTS - 1} as its port")


DatabaseUrl = Secret[Annotated[str, AfterValidator(check_url)]]
"""Where a service keeps what it owns: `postgresql://user:password@host/name`."""
