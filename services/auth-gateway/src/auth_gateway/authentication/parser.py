"""Rules 13, 2, 3 and 1: from the header to a token that may be believed later, if at all."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from auth_gateway.authentication.errors import Reason, TokenRefused
from auth_gateway.authentication.keys import PUBLISHED_ALGORITHMS
from common.problems import BadRequest
from common.validation import parse

TOKEN_MAX_BYTES: Final = 8_192
"""A longer token is refused unread."""

HMAC_ALGORITHM: Final = "HS256"
"""The one algorithm of the secret profile."""

FORBIDDEN_PARAMETERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty"})
"""Header parameters that bring a key along, or change what is signed or how it is read.

Source: RFC 7515, 4.1; RFC 7797, 3; RFC 7516, 4.1.3; RFC 8725, 3.10.
"""

_SEGMENTS = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")

Claims = dict[str, object]


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """The parts of a well-formed token, none of which is believed yet."""

    text: str
    algorithm: str
    key_id: str | None
    claims: Claims


def bearer_token(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return what the one `Authorization` header carries (rule 13).

    Source: RFC 6750, 2.1; RFC 9110, 11.4.
    """
    values = [value.strip(b" \t") for name, value in headers if name.lower() == b"authorization"]
    if len(values) > 1:
        raise TokenRefused(Reason.SEVERAL_HEADERS)
    scheme, _, token = b"".join(values).partition(b" ")
    if scheme.lower() not in (b"", b"bearer"):
        raise TokenRefused(Reason.NOT_BEARER)
    if not token:
        raise TokenRefused(Reason.MISSING)
    if any(separator in token for separator in (b" ", b"\t", b",")):
        raise TokenRefused(Reason.MALFORMED_HEADER)
    return token


def read_token(text: bytes) -> UnverifiedToken:
    """Take a token apart (rules 2 and 3), and decide its profile by its form alone (rule 1)."""
    if len(text) > TOKEN_MAX_BYTES:
        raise TokenRefused(Reason.TOO_LONG)
    segments = _SEGMENTS.fullmatch(text)
    if segments is None:
        raise TokenRefused(Reason.NOT_A_JWT)
    header, payload, _ = (decode_segment(segment) for segment in segments.groups())
    algorithm, key_id = _read_header(read_object(header))
    return UnverifiedToken(text.decode(), algorithm, key_id, read_object(payload))


def decode_segment(segment: bytes) -> bytes:
    """Decode base64url that is spelled in the only right way: no padding, unused last bits zero (rule 2).

    Source: RFC 7515, 2; RFC 4648, 3.5.
    """
    try:
        decoded = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except binascii.Error:
        raise TokenRefused(Reason.NOT_A_JWT) from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != segment:
        raise TokenRefused(Reason.NOT_A_JWT)
    return decoded


def read_object(text: bytes) -> Claims:
    """Read a JSON object: UTF-8, no BOM, no name twice, no NaN, not too deep (rule 3)."""
    try:
        document = parse(text)
    except BadRequest:
        document = None
    if not isinstance(document, dict):
        raise TokenRefused(Reason.NOT_JSON)
    return cast("Claims", document)


def _read_header(header: Claims) -> tuple[str, str | None]:
    """Return algorithm and key id (rules 3 and 1)."""
    typ, algorithm, key_id = header.get("typ", "JWT"), header.get("alg"), header.get("kid", "")
    if FORBIDDEN_PARAMETERS & header.keys() or not isinstance(key_id, str):
        raise TokenRefused(Reason.HEADER_NOT_ALLOWED)
    if not isinstance(typ, str) or typ.upper() != "JWT":
        raise TokenRefused(Reason.WRONG_TYPE)
    if not isinstance(algorithm, str) or algorithm not in {*PUBLISHED_ALGORITHMS, HMAC_ALGORITHM}:
        raise TokenRefused(Reason.WRONG_ALGORITHM)
    return algorithm, key_id if "kid" in header else None
