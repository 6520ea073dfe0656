"""Selects the headers that the proxy forwards, in both directions."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.types import Scope

from auth_gateway.authentication.parser import RawHeaders
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
"""Headers for one connection only. Source: RFC 9110, 7.6.1."""

IDENTITY_HEADERS: Final = frozenset(
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
"""Headers that a service could mistake for the gateway's statement of who sends a request, and
from where."""

CREDENTIALS: Final = frozenset({b"authorization", b"cookie"})
"""Headers with which a client shows who it is."""

GATEWAY_SET: Final = frozenset({b"content-length", b"expect", b"host", b"x-request-id"})
"""Headers that the gateway sets itself on requests to a service."""

SERVER_SET: Final = frozenset({b"date", b"server"})
"""Headers that the gateway's own server sets on responses."""

CLOSE_CONNECTION: Final = {"Connection": "close"}
"""For problems after which it is unclear where the next request of the connection begins."""

_UNUSUAL: Final = re.compile(rb"[^a-z0-9-]+")
_FORWARDED_PREFIX: Final = b"x-forwarded-"
_NOT_FOR_SERVICES: Final = HOP_BY_HOP | IDENTITY_HEADERS | GATEWAY_SET
_NOT_FOR_CLIENTS: Final = HOP_BY_HOP | SERVER_SET


def drop_ambiguous_names(headers: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """Drop headers whose names, such as `device_id`, have other characters than a-z, 0-9 and `-`.

    The edge does the same. Names are in lower case.

    Raises:
        BadRequest: Some programs would read the name as one that the gateway controls, such as
            `X_User_Id` or `X.Forwarded.For`.
    """
    names = b"".join(name for name, _ in headers)
    if not _UNUSUAL.search(names):
        return headers
    usual_headers: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if not _UNUSUAL.search(name):
            usual_headers.append((name, value))
        elif _is_controlled(_UNUSUAL.sub(b"-", name).strip(b"-")):
            raise BadRequest(
                detail="A header's name imitates one that means something here.",
                headers=CLOSE_CONNECTION,
            )
    return usual_headers


def _is_controlled(name: bytes) -> bool:
    return name in _NOT_FOR_SERVICES or name.startswith(_FORWARDED_PREFIX)


def request_headers(
    headers: RawHeaders, *, keep_credentials: bool = False
) -> list[tuple[str, str]]:
    """Return the client's headers that a service may see.

    Args:
        headers: The headers as they were received.
        keep_credentials: Whether the client's own token and cookies are among them.
    """
    dropped = _NOT_FOR_SERVICES | _names_in_connection(headers)
    if keep_credentials:
        dropped = dropped - CREDENTIALS
    forwarded: list[tuple[str, str]] = []
    for name, value in headers:
        if name not in dropped and not name.startswith(_FORWARDED_PREFIX):
            forwarded.append((name.decode(), value.decode(errors="replace")))
    return forwarded


def forwarding_headers(scope: Scope) -> list[tuple[str, str]]:
    """Return where a request comes from and what it was sent to, whatever its client says.

    The host is forwarded as well: Better Auth makes the request's URL of it, as behind the edge.
    """
    headers = [("X-Forwarded-Proto", scope["scheme"])]
    if scope["client"] is not None:
        headers.append(("X-Forwarded-For", scope["client"][0]))
    for name, value in scope["headers"]:
        if name == b"host" and value:
            headers.append(("Host", value.decode()))
            headers.append(("X-Forwarded-Host", value.decode()))
    return headers


def response_headers(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return the service's headers that a client may see."""
    dropped = _NOT_FOR_CLIENTS | _names_in_connection(headers)
    return [(name, value) for name, value in headers if name not in dropped]


def _names_in_connection(headers: RawHeaders) -> set[bytes]:
    """Return the header names that `Connection` lists: they are hop-by-hop as well."""
    names: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            names.update(option.strip().lower() for option in value.split(b","))
    return names
