"""What a request asks for before anything is done: the tags in If-Match and If-None-Match, and its Idempotency-Key.

A tag is a version in quotes. It counts by its value, because a proxy that compresses an answer weakens its tag, or
marks it with the name of the coding. Source: RFC 9110, 8.8.3 and 13.1.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Generic, NamedTuple, TypeVar

from fastapi import Depends, Request
from pydantic.config import JsonDict

from common.authentication import authenticate
from common.problems import BadRequest

ANY: Final = "*"
"""Stands for every version that there can be."""

ETags = list[str]
"""Versions as texts, and perhaps `ANY`."""

_TAG = r'(?:W/)?"([!#-~\x80-\xff]*)"'
_TAGS = rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*"
_MARKED = re.compile(
    r"([0-9]+)(?:--?|;)(?:x-)?(?:gzip|deflate|br|zstd|compress|dcb|dcz)", re.IGNORECASE
)
"""A version as Apache (`42-gzip`), Jetty (`42--gzip`) and others (`42;br`) mark it when they compress the answer.

Source: the HTTP Content Coding Registry of the IANA.
"""

_KEY = re.compile("[!-~]{1,255}")

_SENT_TAGS: Final[JsonDict] = {
    "type": "string",
    "description": "Tags of the `ETag` header, separated by commas, or `*` for every version.",
    "examples": ['"1795249800000000"'],
}
_SENT_STAR: Final[JsonDict] = {
    "type": "string",
    "description": "Makes it under the id in the address, and undoes its deletion; never replaces one.",
    "enum": [ANY],
    "examples": [ANY],
}
_SENT_KEY: Final[JsonDict] = {
    "type": "string",
    "description": "A random text of your own. Send the request again with it, and it is done only once.",
    "pattern": "^[!-~]{1,255}$",
    "examples": ["8c1f7e1c-6f0e-4a55-9d0c-3a6d5f5ae1b2"],
}

Read = TypeVar("Read")


@dataclass(frozen=True, eq=False)
class HeaderDependency(Generic[Read]):
    """A dependency that reads headers; the OpenAPI document shows what those may hold."""

    read: Callable[[Request], Read]
    headers: Mapping[str, JsonDict]

    async def __call__(self, request: Request) -> Read:
        """Return what they ask for."""
        await authenticate(request)  # 401 comes before 400
        return self.read(request)


class PutTarget(NamedTuple):
    """What a PUT is about: what is not there yet, or what has an expected version."""

    is_new: bool
    if_match: ETags | None


def matches_any(version: int, tags: ETags) -> bool:
    """Tell whether the tags name this version."""
    return ANY in tags or str(version) in tags


def _seen(request: Request) -> ETags:
    return _read_tags(request, "If-None-Match") or []


def _expected(request: Request) -> ETags | None:
    _refuse_if_none_match(request)
    return _read_if_match(request)


def _target(request: Request) -> PutTarget:
    star = request.headers.getlist("If-None-Match")
    if star and (star != [ANY] or "If-Match" in request.headers):
        raise BadRequest(detail="If-None-Match must be * here, and the only condition.")
    return PutTarget(bool(star), _read_if_match(request))


def _key(request: Request) -> str | None:
    _refuse_if_none_match(request)
    sent = request.headers.getlist("Idempotency-Key")
    if len(sent) > 1 or not all(map(_KEY.fullmatch, sent)):
        raise BadRequest(detail="Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return sent[0] if sent else None


def _refuse_if_none_match(request: Request) -> None:
    """Refuse a write to depend on what the caller has; only a PUT can."""
    if "If-None-Match" in request.headers:
        raise BadRequest(detail="If-None-Match cannot be used here.")


def _read_if_match(request: Request) -> ETags | None:
    tags = _read_tags(request, "If-Match")
    return None if tags == [ANY] else tags


def _read_tags(request: Request, name: str) -> ETags | None:
    """Read a header that may be sent in several lines; tags that are none of ours name no version."""
    sent = request.headers.getlist(name)
    text = ",".join(sent).strip(" \t")
    if not sent:
        return None
    if text == ANY:
        return [ANY]
    if not re.fullmatch(_TAGS, text):
        raise BadRequest(detail=f"{name} must be * or a list of tags in quotes.")
    return [_version_of(tag) for tag in re.findall(_TAG, text) if tag != ANY]


def _version_of(tag: str) -> str:
    """Take off a tag what a proxy has put on it."""
    marked = _MARKED.fullmatch(tag)
    return marked[1] if marked else tag


IfMatch = Annotated[ETags | None, Depends(HeaderDependency(_expected, {"If-Match": _SENT_TAGS}))]
"""The versions that a write may meet; None for all, as what is missing is 404 in any case."""

IfNoneMatch = Annotated[ETags, Depends(HeaderDependency(_seen, {"If-None-Match": _SENT_TAGS}))]
"""The versions that the caller has already."""

PutCondition = Annotated[
    PutTarget,
    Depends(HeaderDependency(_target, {"If-Match": _SENT_TAGS, "If-None-Match": _SENT_STAR})),
]
"""Whether a PUT makes something or replaces it."""

IdempotencyKey = Annotated[
    str | None, Depends(HeaderDependency(_key, {"Idempotency-Key": _SENT_KEY}))
]
"""What tells a request that is sent again from another one."""
