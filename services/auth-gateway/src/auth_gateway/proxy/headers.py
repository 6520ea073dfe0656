"""Which headers pass the gateway, in both directions."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from common.problems import BadRequest

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""What two neighbours say to each other only. Source: RFC 9110, 7.6.1."""

CLAIMS_OF_IDENTITY: Final = frozenset(
    {
        b"authorization",
        b"cookie",
        b"forwarded",
        b"remote-user",
        b"x-original-url",
        b"x-real-ip",
        b"x-rewrite-url",
        b"x-user-id",
    }
)
"""What somebody could mistake for our own word about who calls, and from where."""

SET_HERE: Final = frozenset({b"content-length", b"expect", b"host", b"x-request-id"})
"""What the gateway says itself on its way to a service."""

SET_THERE: Final = frozenset({b"date", b"server"})
"""What the gateway's own server says to a client."""

CLOSE: Final = {"Connection": "close"}
"""Said with a refusal after which it is in doubt where the next request begins."""

_ODD: Final = re.compile(rb"[^a-z0-9-]+")
_FORWARDED_PREFIX: Final = b"x-forwarded-"
_NOT_FOR_SERVICES: Final = HOP_BY_HOP | CLAIMS_OF_IDENTITY | SET_HERE
_NOT_FOR_CLIENTS: Final = HOP_BY_HOP | SET_THERE

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Names, in lower case, and values."""


def with_plain_names(headers: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """Drop names with other characters than letters, digits and hyphens, as the edge does: `device_id`.

    Raises:
        BadRequest: Some programs would take such a name for one that says who calls, from where, or how long the body
            is: `X_User_Id`, `X.Forwarded.For`.
    """
    if not _ODD.search(b"".join(name for name, _ in headers)):
        return headers
    plain = [(name, value) for name, value in headers if not _ODD.search(name)]
    for name, _ in headers:
        if _ODD.search(name) and _is_ours(_ODD.sub(b"-", name).strip(b"-")):
            raise BadRequest(
                detail="A header's name imitates one that means something here.", headers=CLOSE
            )
    return plain


def _is_ours(name: bytes) -> bool:
    return name in _NOT_FOR_SERVICES or name.startswith(_FORWARDED_PREFIX)


def for_service(headers: RawHeaders) -> list[tuple[str, str]]:
    """Return what a service may see of a client's headers."""
    dropped = _NOT_FOR_SERVICES | _listed_in_connection(headers)
    return [
        (name.decode(), value.decode(errors="replace"))
        for name, value in headers
        if name not in dropped and not name.startswith(_FORWARDED_PREFIX)
    ]


def for_client(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return what a client may see of a service's headers."""
    dropped = _NOT_FOR_CLIENTS | _listed_in_connection(headers)
    return [(name, value) for name, value in headers if name not in dropped]


def _listed_in_connection(headers: RawHeaders) -> frozenset[bytes]:
    return frozenset(
        option.strip().lower()
        for name, value in headers
        if name == b"connection"
        for option in value.split(b",")
    )
