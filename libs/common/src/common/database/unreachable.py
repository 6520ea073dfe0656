"""Why a connection to the database cannot be opened, in words that contain no value of the URL."""

from typing import Final

_CAUSES: Final = (
    (
        "unsupported startup parameter",  # Source: PgBouncer, src/client.c
        "A pooler refuses the parameter options of the URL: use ALTER ROLE … SET instead",
    ),
    ("certificate verify failed", "Its certificate is signed by none that sslrootcert names"),
    ("does not match host name", "Its certificate is for another host than that of the URL"),
    ("root certificate file", "sslrootcert is missing, or names no file that can be read"),
    ("does not support SSL", "It offers no TLS, which sslmode asks for"),
    ("no encryption", "It admits nobody without TLS: set sslmode=verify-full"),
    ("channel binding", "It offers no channel binding, which channel_binding asks for"),
    ("password authentication failed", "It does not accept the role or the password of the URL"),
    ("no password supplied", "It asks for a password, and the URL has none"),
    ("could not translate host name", "The host of the URL has no address"),
    ("failed to resolve host", "The host of the URL has no address"),
    ("Connection refused", "Nothing listens at the host and port of the URL"),
    ("does not exist", "The database or the role of the URL does not exist"),
    ("too many clients", "It has no connection left"),
    ("remaining connection slots", "It has no connection left"),
)
"""Parts of libpq's and the server's messages, which have no codes, and what they mean.

The first one that occurs counts: a message may repeat an earlier attempt without TLS.
"""

NO_ANSWER: Final = "It does not answer"


def one_line(error: BaseException) -> str:
    """Return libpq's message about a failed connection in one line; it contains no password."""
    return " ".join(str(error).split())


def find_cause(error: BaseException) -> str:
    """Return what a failed connection means, without a full stop."""
    message = str(error)
    for part, cause in _CAUSES:
        if part in message:
            return cause
    return NO_ANSWER


def explain_failure(error: BaseException) -> str:
    """Return one sentence for the log: what a failed connection means, and libpq's message."""
    return f"{find_cause(error)}: {one_line(error)}"
