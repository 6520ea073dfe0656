"""Reading requests strictly: the one way in for bodies and query strings.

In this order, and nothing is looked at before what stands above it: who asks (401), the body's length (413) and
type (415), everything that cannot be read (400), whom it names (403), and the rules (422).
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar, get_args
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core.core_schema import ErrorType

from common.errors import BadRequest, BodyTooLarge, Fault, Forbidden, Unprocessable, UnsupportedMediaType
from common.identity import User, identify

BODY_MAX_BYTES: Final = 65_536
"""A longer body is refused with 413, announced or not."""

DEPTH_MAX: Final = 32
"""Objects and arrays inside each other."""

NUMBER_MAX_CHARACTERS: Final = 1_000
"""A longer number is refused before anything computes with it."""

JSON_TYPE: Final = "application/json"
"""What a body is when it does not say what it is."""

MERGE_PATCH_TYPE: Final = "application/merge-patch+json"
"""Source: RFC 7396."""

OTHER_USER: Final = "other-user"
"""The code of a fault that is 403: the request names another user than the token does."""

RULES: Final = frozenset({"missing", "extra-forbidden", "string-too-long", "string-too-short", "too-long", "too-short"})
"""The validator's codes that mean: it reads, but breaks a rule. These and the codes of our own are 422 in a body; every
other one means that something cannot be read, and is 400."""

UNREADABLE: Final = frozenset(kind.replace("_", "-") for kind in get_args(ErrorType)) - RULES
"""All other codes of the validator."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Model = TypeVar("Model", bound="Input")


class Input(BaseModel, extra="forbid", strict=True):
    """What every model of a body or a query string has in common; a query may give what is `repeatable` as a list."""

    repeatable: ClassVar[frozenset[str]] = frozenset()


class NoParameters(Input):
    """The query string of an address that takes none."""


@dataclass(frozen=True)
class Query(Generic[Model]):
    """A dependency that reads the query string as `model`; each of its faults is 400, then 403."""

    model: type[Model]

    async def __call__(self, request: Request) -> Model:
        """Return the parameters."""
        return faultless(*_read_query(request, self.model, await identify(request)))


@dataclass(frozen=True)
class Body(Generic[Model]):
    """A dependency that reads the body as `model`, and checks that the query string could be read as `query`."""

    model: type[Model]
    query: type[Input] = NoParameters
    media_types: tuple[str, ...] = (JSON_TYPE,)
    required: bool = True

    async def __call__(self, request: Request) -> Model:
        """Return the body; an absent one, where that is allowed, is an empty object."""
        user = await identify(request)
        text = await _read_bytes(request, self.media_types) or (b"" if self.required else b"{}")
        parse(text)
        _, faults = _read_query(request, self.query, user)
        body, more = attempt("body", lambda: self.model.model_validate_json(text, context=user))
        return faultless(body, [*faults, *more])


async def _read_bytes(request: Request, media_types: Sequence[str]) -> bytes:
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > BODY_MAX_BYTES:
            raise BodyTooLarge
    if text:
        require_unencoded(request)
    sent = request.headers.getlist("content-type") or [JSON_TYPE]
    if len(sent) > 1 or sent[0].partition(";")[0].strip().lower() not in media_types:
        raise UnsupportedMediaType("unsupported-media-type", f"The body must be {' or '.join(media_types)}.")
    return bytes(text)


def require_unencoded(request: Request) -> None:
    """Refuse a body that has to be decompressed first; nobody knows how long it then is.

    Raises:
        UnsupportedMediaType: It says so. Source: RFC 9110, 15.5.16.
    """
    for sent in request.headers.getlist("content-encoding"):
        codings = {coding.strip().lower() for coding in sent.split(",")}
        if codings - {"", "identity"}:
            headers = {"Accept-Encoding": "identity"}
            raise UnsupportedMediaType("unsupported-content-encoding", "The body must not be encoded.", headers=headers)


def parse(text: bytes) -> JsonValue:
    """Read JSON without any leniency.

    Raises:
        BadRequest: It is not UTF-8, starts with a BOM, repeats a name, has NaN or Infinity, nests too deep, holds a
            number that is too long, or is not JSON at all.
    """
    with suppress(ValueError, RecursionError):
        if _depth(document := _DECODER.decode(text.decode())) <= DEPTH_MAX:
            return document
    raise BadRequest(errors=[_fault(("body",), "json_invalid", "Invalid JSON")])


def _once(pairs: list[tuple[str, JsonValue]]) -> JsonValue:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError
    return found


def _number(text: str) -> float:
    if len(text) > NUMBER_MAX_CHARACTERS:
        raise ValueError
    return float(text)


# As constants there are only NaN and Infinity, and none of them is an integer.
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_number, parse_float=_number, parse_constant=int)


def _depth(value: JsonValue) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _read_query(request: Request, model: type[Model], user: User) -> tuple[Model | None, list[Fault]]:
    try:
        given = parse_qs(request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest(errors=[_fault(("query",), "utf8_invalid", "Invalid UTF-8")]) from None
    words = {name: given.pop(name) for name in model.repeatable & given.keys()}
    words |= {name: values[0] for name, values in given.items()}
    query, faults = attempt("query", lambda: model.model_validate(words, strict=False, context=user))
    faults += [_fault(("query", name), "repeated", "Given more than once") for name in given if len(given[name]) > 1]
    no_ids = (name for name, text in request.path_params.items() if not _UUID.fullmatch(text))
    faults += [_fault(("path", name), "uuid_parsing", "Input should be a valid UUID") for name in no_ids]
    return query, faults


def attempt(place: str, validate: Callable[[], Model]) -> tuple[Model | None, list[Fault]]:
    """Return what was read, or the faults that this place (`body` or `query`) has."""
    try:
        return validate(), []
    except ValidationError as error:
        return None, [_fault((place, *it["loc"]), it["type"], it["msg"]) for it in error.errors(include_input=False)]


def _fault(location: tuple[str | int, ...], error_type: str, message: str) -> Fault:
    """Describe a fault without what was sent: neither a name that the sender made up nor what follows a comma."""
    plain = [part for part in location if isinstance(part, int) or _NAME.fullmatch(part)]
    return Fault(location=plain, code=error_type.replace("_", "-"), message=message.partition(",")[0])


def faultless(found: Model | None, faults: Sequence[Fault]) -> Model:
    """Return what was read, if nothing is wrong with it.

    Raises:
        Refusal: The worst of its faults: 400 before 403 before 422.
    """
    if found is not None and not faults:
        return found
    rest = [fault for fault in faults if fault["code"] != OTHER_USER]
    if any(fault["code"] in UNREADABLE or fault["location"][0] != "body" for fault in rest):
        raise BadRequest(errors=faults)
    if len(rest) < len(faults):
        raise Forbidden(OTHER_USER)
    whole = faults[0]["location"] == ["body"]  # such a rule speaks for the whole answer
    raise Unprocessable(faults[0]["code"] if whole else "invalid-body", "The body breaks a rule.", errors=faults)
