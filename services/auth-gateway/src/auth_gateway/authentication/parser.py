"""Parses the header and the token, whose parts are not verified yet (rules 1, 2, 3 and 13)."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from auth_gateway.authentication.errors import InvalidToken
from auth_gateway.authentication.keys import PUBLISHED_ALGORITHMS
from auth_gateway.authentication.reasons import Reason
from common.problems import BadRequest
from common.strict_json import parse_json

TOKEN_MAX_BYTES: Final = 8_192
"""A longer token is rejected before it is parsed."""

HMAC_ALGORITHM: Final = "HS256"
"""The only algorithm of the secret profile."""

ACCEPTED_ALGORITHMS: Final = PUBLISHED_ALGORITHMS | {HMAC_ALGORITHM}

FORBIDDEN_PARAMETERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty"})
"""Header parameters that bring a key, or change what is signed or how it is read.

Source: RFC 7515, 4.1; RFC 7797, 3; RFC 7516, 4.1.3; RFC 8725, 3.10.
"""

_SEGMENTS = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Names and values of headers, as in an ASGI scope."""

Claims = dict[str, object]


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """The parts of a well-formed token whose signature is not checked yet."""

    text: str
    algorithm: str
    key_id: str | None
    claims: Claims


def get_bearer_token(headers: RawHeaders) -> bytes:
    """Return the token of the only `Authorization` header (rule 13).

    Raises:
        InvalidToken: There is no such header, there are several, or it carries no single token.

    Source: RFC 6750, 2.1; RFC 9110, 11.4.
    """
    values = [value.strip(b" \t") for name, value in headers if name.lower() == b"authorization"]
    if len(values) > 1:
        raise InvalidToken(Reason.SEVERAL_HEADERS)
    scheme, _, token = b"".join(values).partition(b" ")
    if scheme.lower() not in (b"", b"bearer"):
        raise InvalidToken(Reason.NOT_BEARER)
    if not token:
        raise InvalidToken(Reason.MISSING)
    if b" " in token or b"\t" in token or b"," in token:
        raise InvalidToken(Reason.MALFORMED_HEADER)
    return token


def parse_token(text: bytes) -> UnverifiedToken:
    """Split a token into its parts, and read its profile from the header alone (rules 1 to 3).

    Raises:
        InvalidToken: It is no JWT, or its header is not allowed.
    """
    if len(text) > TOKEN_MAX_BYTES:
        raise InvalidToken(Reason.TOO_LONG)
    segments = _SEGMENTS.fullmatch(text)
    if segments is None:
        raise InvalidToken(Reason.NOT_A_JWT)
    header = decode_segment(segments[1])
    payload = decode_segment(segments[2])
    decode_segment(segments[3])
    algorithm, key_id = _parse_header(parse_json_object(header))
    return UnverifiedToken(text.decode(), algorithm, key_id, parse_json_object(payload))


def decode_segment(segment: bytes) -> bytes:
    """Decode canonical base64url: no padding, unused last bits zero (rule 2).

    Raises:
        InvalidToken: It is not base64url, or another spelling of the same bytes.

    Source: RFC 7515, 2; RFC 4648, 3.5.
    """
    padding = b"=" * (-len(segment) % 4)
    try:
        decoded = base64.urlsafe_b64decode(segment + padding)
    except binascii.Error:
        raise InvalidToken(Reason.NOT_A_JWT) from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != segment:
        raise InvalidToken(Reason.NOT_A_JWT)
    return decoded


def parse_json_object(text: bytes) -> Claims:
    """Parse a strict JSON object: UTF-8, no BOM, no repeated name, no NaN, not too deep (rule 3).

    Raises:
        InvalidToken: It is anything else.
    """
    try:
        document = parse_json(text)
    except BadRequest:
        document = None
    if not isinstance(document, dict):
        raise InvalidToken(Reason.NOT_JSON)
    return cast("Claims", document)


def _parse_header(header: Claims) -> tuple[str, str | None]:
    """Return algorithm and key id (rules 3 and 1)."""
    key_id = header.get("kid")
    has_valid_key_id = isinstance(key_id, str) or "kid" not in header
    if FORBIDDEN_PARAMETERS & header.keys() or not has_valid_key_id:
        raise InvalidToken(Reason.HEADER_NOT_ALLOWED)
    token_type = header.get("typ", "JWT")
    if not isinstance(token_type, str) or token_type.upper() != "JWT":
        raise InvalidToken(Reason.WRONG_TYPE)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ACCEPTED_ALGORITHMS:
        raise InvalidToken(Reason.WRONG_ALGORITHM)
    return algorithm, cast("str | None", key_id)
