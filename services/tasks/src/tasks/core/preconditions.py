"""The conditional request headers `If-Match` and `If-None-Match`, and `Idempotency-Key`.

An ETag is a version in quotes. It is compared by its version alone, because a proxy that compresses
a response weakens its ETag, or appends the name of the coding. Source: RFC 9110, 8.8.3 and 13.1.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

from fastapi import Depends, Request
from pydantic.config import JsonDict

from common.authentication import authenticate
from common.problems import BadRequest

ANY: Final = "*"
"""Matches every version."""

ETags: TypeAlias = list[str]
"""Versions as texts, and perhaps `ANY`."""

_ETAG = r'(?:W/)?"([!#-~\x80-\xff]*)"'
_ETAG_LIST = rf"[ \t,]*{_ETAG}(?:[ \t]*,[ \t,]*{_ETAG})*[ \t,]*"
_ETAG_WITH_CODING = re.compile(
    r"([0-9]+)(?:--?|;)(?:x-)?(?:gzip|deflate|br|zstd|compress|dcb|dcz)", re.IGNORECASE
)
"""A version with the name of a coding.

Apache (`42-gzip`), Jetty (`42--gzip`) and others (`42;br`) append it when they compress a response.

Source: the HTTP Content Coding Registry of the IANA.
"""

_KEY = re.compile("[!-~]{1,255}")

_ETAGS_SCHEMA: Final[JsonDict] = {
    "type": "string",
    "description": "ETags of earlier responses, separated by commas, or `*` for every version.",
    "examples": ['"1795249800000000"'],
}
_IF_NONE_MATCH_ANY_SCHEMA: Final[JsonDict] = {
    "type": "string",
    "description": "Creates under the id in the path, and undoes its deletion; never replaces.",
    "enum": [ANY],
    "examples": [ANY],
}
_KEY_SCHEMA: Final[JsonDict] = {
    "type": "string",
    "description": "A random text. A request that is sent again with the same key runs only once.",
    "pattern": "^[!-~]{1,255}$",
    "examples": ["8c1f7e1c-6f0e-4a55-9d0c-3a6d5f5ae1b2"],
}

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class HeaderDependency(Generic[Value]):
    """A FastAPI dependency that reads request headers.

    Attributes:
        read: Returns the value, or raises `BadRequest`.
        headers: The schemas of the headers, for the OpenAPI document.
    """

    read: Callable[[Request], Value]
    headers: Mapping[str, JsonDict]

    async def __call__(self, request: Request) -> Value:
        """Return the value. 401 comes before 400."""
        await authenticate(request)
        return self.read(request)


@dataclass(frozen=True, slots=True)
class PutTarget:
    """What a PUT writes.

    Attributes:
        is_new: Create it; it must not exist.
        if_match: Versions that may be replaced; None for any.
    """

    is_new: bool
    if_match: ETags | None


def matches_any(version: int, etags: ETags) -> bool:
    """Return whether one of the ETags matches a version."""
    return ANY in etags or str(version) in etags


def _parse_if_none_match(request: Request) -> ETags:
    return _parse_etags(request, "If-None-Match") or []


def _parse_if_match(request: Request) -> ETags | None:
    etags = _parse_etags(request, "If-Match")
    if etags == [ANY]:
        return None
    return etags


def _parse_if_match_of_write(request: Request) -> ETags | None:
    _reject_if_none_match(request)
    return _parse_if_match(request)


def _parse_put_target(request: Request) -> PutTarget:
    if_none_match = request.headers.getlist("If-None-Match")
    if not if_none_match:
        return PutTarget(is_new=False, if_match=_parse_if_match(request))
    if if_none_match != [ANY] or "If-Match" in request.headers:
        raise BadRequest(detail="If-None-Match must be * here, and the only condition.")
    return PutTarget(is_new=True, if_match=None)


def _parse_key(request: Request) -> str | None:
    _reject_if_none_match(request)
    values = request.headers.getlist("Idempotency-Key")
    if not values:
        return None
    if len(values) > 1 or not _KEY.fullmatch(values[0]):
        raise BadRequest(detail="Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return values[0]


def _reject_if_none_match(request: Request) -> None:
    """Reject a condition that only a GET or a PUT can have."""
    if "If-None-Match" in request.headers:
        raise BadRequest(detail="If-None-Match cannot be used here.")


def _parse_etags(request: Request, header: str) -> ETags | None:
    """Parse a header that may be repeated. ETags of other forms than ours match no version.

    Returns:
        None if the header is missing.
    """
    values = request.headers.getlist(header)
    if not values:
        return None
    text = ",".join(values).strip(" \t")
    if text == ANY:
        return [ANY]
    if not re.fullmatch(_ETAG_LIST, text):
        raise BadRequest(detail=f"{header} must be * or a list of tags in quotes.")
    return [_without_coding(etag) for etag in re.findall(_ETAG, text) if etag != ANY]


def _without_coding(etag: str) -> str:
    match = _ETAG_WITH_CODING.fullmatch(etag)
    if match is None:
        return etag
    return match[1]


IfMatch = Annotated[
    ETags | None,
    Depends(HeaderDependency(_parse_if_match_of_write, {"If-Match": _ETAGS_SCHEMA})),
]
"""The versions that may be written; None for any, because a missing one is 404 in any case."""

IfNoneMatch = Annotated[
    ETags, Depends(HeaderDependency(_parse_if_none_match, {"If-None-Match": _ETAGS_SCHEMA}))
]
"""The versions that the client has."""

PutCondition = Annotated[
    PutTarget,
    Depends(
        HeaderDependency(
            _parse_put_target,
            {"If-Match": _ETAGS_SCHEMA, "If-None-Match": _IF_NONE_MATCH_ANY_SCHEMA},
        )
    ),
]
"""Whether a PUT creates or replaces."""

IdempotencyKey = Annotated[
    str | None, Depends(HeaderDependency(_parse_key, {"Idempotency-Key": _KEY_SCHEMA}))
]
"""Identifies a request that may be sent several times."""
