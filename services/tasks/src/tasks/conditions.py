"""What a request asks for before anything is done: the tags in If-Match and If-None-Match, and its Idempotency-Key.

Each asks first who is calling, because 401 comes before 400. A tag is a version in quotes. Weak tags count by their
value, because a proxy that compresses an answer weakens its tag.
Source: RFC 9110, 8.8.3 and 13.1.
"""

import re
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Header, Request
from pydantic import WithJsonSchema

from common.errors import BadRequest
from common.identity import identify

ANY: Final = "*"
"""Stands for every version that there can be."""

Tags = list[str]
"""Versions as texts, and perhaps `ANY`."""

_TAG = r'(?:W/)?"([!#-~\x80-\xff]*)"'
_TAGS = rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*"
_KEY = re.compile("[!-~]{1,255}")

# Not a factory of defaults: FastAPI would inspect its signature with every request.
_UNSENT: Final[list[str]] = []

_SentTags = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "Tags of the `ETag` header, separated by commas, or `*` for every version.",
            "examples": ['"1795249800000000"'],
        }
    ),
]

_SentStar = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "Makes it under the id in the address, and undoes its deletion; never replaces one.",
            "enum": [ANY],
            "examples": [ANY],
        }
    ),
]


_SentKey = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "A random text of your own. Send the request again with it, and it is done only once.",
            "pattern": "^[!-~]{1,255}$",
            "examples": ["8c1f7e1c-6f0e-4a55-9d0c-3a6d5f5ae1b2"],
        }
    ),
]


def is_among(version: int, tags: Tags) -> bool:
    """Tell whether the tags name this version."""
    return ANY in tags or str(version) in tags


async def _refuse_if_none_match(request: Request) -> None:
    await identify(request)
    if "if-none-match" in request.headers:
        raise BadRequest(detail="If-None-Match cannot be used here.")


Unconditional = Depends(_refuse_if_none_match)
"""A write that cannot depend on what the caller has."""


_IfMatch = Annotated[list[_SentTags], Header(alias="If-Match")]
_IfNoneMatch = Annotated[list[_SentTags], Header(alias="If-None-Match")]
_IdempotencyKey = Annotated[list[_SentKey], Header(alias="Idempotency-Key")]
_IfNone = Annotated[list[_SentStar], Header(alias="If-None-Match")]


class Target(NamedTuple):
    """What a PUT is about: what is not there yet, or what has an expected version."""

    is_new: bool
    expected: Tags | None


async def _expected(request: Request, sent: _IfMatch = _UNSENT) -> Tags | None:
    await identify(request)
    tags = _read_tags("If-Match", sent)
    return tags if sent and ANY not in tags else None


async def _seen(request: Request, sent: _IfNoneMatch = _UNSENT) -> Tags:
    await identify(request)
    return _read_tags("If-None-Match", sent)


async def _target(request: Request, if_match: _IfMatch = _UNSENT, if_none: _IfNone = _UNSENT) -> Target:
    await identify(request)
    if if_none and (if_match or if_none != [ANY]):
        raise BadRequest(detail="If-None-Match must be * here, and the only condition.")
    return Target(bool(if_none), await _expected(request, if_match))


async def _key(request: Request, sent: _IdempotencyKey = _UNSENT) -> str | None:
    await identify(request)
    if not sent:
        return None
    if len(sent) > 1 or not _KEY.fullmatch(sent[0]):
        raise BadRequest(detail="Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return sent[0]


def _read_tags(name: str, sent: list[str]) -> Tags:
    """Read a header that may be sent in several lines; tags that are none of ours name no version."""
    text = ",".join(sent).strip(" \t")
    if not sent or text == ANY:
        return sent and [ANY]
    if not re.fullmatch(_TAGS, text):
        raise BadRequest(detail=f"{name} must be * or a list of tags in quotes.")
    return [tag for tag in re.findall(_TAG, text) if tag != ANY]


Expected = Annotated[Tags | None, Depends(_expected)]
"""The versions that a write may meet; None for all, as a missing task is 404 in any case."""

Seen = Annotated[Tags, Depends(_seen)]
"""The versions that the caller has already."""

Placed = Annotated[Target, Depends(_target)]
"""Whether a PUT makes something or replaces it."""

Key = Annotated[str | None, Depends(_key)]
"""What tells a request that is sent again from another one."""
