"""Reading requests strictly: the one way in for bodies and query strings.

In this order, and nothing is looked at before what stands above it: who asks (401), the body's length (413) and
type (415), everything that cannot be read (400), whom it names (403), and the rules (422).
"""

import json
import re
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Final, Generic, TypeVar, get_args
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core.core_schema import ErrorType

from common.identity import User, authenticate
from common.problems import (
    ERRORS_MAX,
    BadRequest,
    BodyTooLarge,
    FieldError,
    Forbidden,
    Unprocessable,
    UnsupportedMediaType,
)
from common.unknown_fields import Location, name_unknown, plain

BODY_MAX_BYTES: Final = 65_536
"""A longer body is refused with 413, announced or not."""

DEPTH_MAX: Final = 32
"""Objects and arrays inside each other."""

CONTAINERS_MAX: Final = 1_000
"""Objects and arrays in all; what a body means needs a few."""

NUMBER_MAX_CHARACTERS: Final = 1_000
"""A longer number is refused before anything computes with it."""

JSON_TYPE: Final = "application/json"
"""What a body is when it does not say what it is."""

MERGE_PATCH_TYPE: Final = "application/merge-patch+json"
"""Source: RFC 7396."""

OTHER_USER: Final = "other-user"
"""The code of a fault that is 403: the request names another user than the token does."""

RULES: Final = frozenset(
    {"missing", "extra-forbidden", "string-too-long", "string-too-short", "too-long", "too-short"}
)
"""The validator's codes that mean: it reads, but breaks a rule. These and the codes of our own are 422 in a body; every
other one means that something cannot be read, and is 400."""

UNREADABLE: Final = frozenset(kind.replace("_", "-") for kind in get_args(ErrorType)) - RULES
"""All other codes of the validator."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A JSON string, or what begins like one: it always matches, so that nothing is looked at twice."""

_BRACKETS: Final = bytes(1 if byte in b"[{" else 255 for byte in range(256))
"""What each bracket changes in the depth, as signed bytes: +1 or -1."""

_NUMBERS: Final = bytes(byte if byte in b"+-.0123456789Ee" else 32 for byte in range(256))
"""Leaves of a text only what numbers are made of, and spaces."""

_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))

Model = TypeVar("Model", bound="StrictModel")


class StrictModel(BaseModel, extra="forbid", strict=True):
    """What every model of a body or a query string has in common; a query may give what is `repeatable` as a list."""

    repeatable: ClassVar[frozenset[str]] = frozenset()


class NoParameters(StrictModel):
    """The query string of an address that takes none."""


@dataclass(frozen=True)
class QueryParams(Generic[Model]):
    """A dependency that reads the query string as `model`; each of its faults is 400, then 403."""

    model: type[Model]

    async def __call__(self, request: Request) -> Model:
        """Return the parameters."""
        return raise_if_invalid(*_read_query(request, self.model, await authenticate(request)))


@dataclass(frozen=True)
class JsonBody(Generic[Model]):
    """A dependency that reads the body as `model`, and checks that the query string could be read as `query`."""

    model: type[Model]
    query: type[StrictModel] = NoParameters
    media_types: tuple[str, ...] = (JSON_TYPE,)
    required: bool = True

    async def __call__(self, request: Request) -> Model:
        """Return the body; an absent one, where that is allowed, is an empty object."""
        user = await authenticate(request)
        text = await _read_bytes(request, self.media_types) or (b"" if self.required else b"{}")
        document = parse(text)
        _, faults = _read_query(request, self.query, user)
        body, more = read_document(text, document, self.model, user)
        return raise_if_invalid(body, [*faults, *more])


async def _read_bytes(request: Request, media_types: Sequence[str]) -> bytes:
    """Read the body; where its length is announced, what the head says of it is looked at before."""
    announced = request.headers.get("content-length")
    if announced is not None:
        if int(announced) > BODY_MAX_BYTES:
            raise BodyTooLarge
        _require_known_form(request, media_types, has_body=announced.strip("0") != "")
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > BODY_MAX_BYTES:
            raise BodyTooLarge
    if announced is None:
        _require_known_form(request, media_types, has_body=bool(text))
    return bytes(text)


def _require_known_form(request: Request, media_types: Sequence[str], *, has_body: bool) -> None:
    if has_body:
        require_unencoded(request)
    sent = request.headers.getlist("content-type") or [JSON_TYPE]
    if len(sent) > 1 or sent[0].partition(";")[0].strip().lower() not in media_types:
        raise UnsupportedMediaType(
            "unsupported-media-type", f"The body must be {' or '.join(media_types)}."
        )


def require_unencoded(request: Request) -> None:
    """Refuse a body that has to be decompressed first; nobody knows how long it then is.

    Raises:
        UnsupportedMediaType: It says so. Source: RFC 9110, 15.5.16.
    """
    for sent in request.headers.getlist("content-encoding"):
        codings = {coding.strip().lower() for coding in sent.split(",")}
        if codings - {"", "identity"}:
            headers = {"Accept-Encoding": "identity"}
            raise UnsupportedMediaType(
                "unsupported-content-encoding", "The body must not be encoded.", headers=headers
            )


def parse(text: bytes) -> JsonValue:
    """Read JSON without any leniency.

    Raises:
        BadRequest: It is not UTF-8, starts with a BOM, repeats a name, has NaN or Infinity, nests too deep, holds too
            many objects and arrays or a number that is too long, or is not JSON at all.
    """
    if _is_within_limits(text):
        with suppress(ValueError, RecursionError):
            return _DECODER.decode(text.decode())
    raise BadRequest(errors=[_fault(("body",), "json_invalid", "Invalid JSON")])


def _is_within_limits(text: bytes) -> bool:
    """Tell whether a text can be decoded in a time that grows with its length alone.

    What is outside of strings is looked at, in passes that cost less than the decoding. Whether it is JSON at all is
    for the decoder to say.
    """
    may_be_deep = text.count(b"[") + text.count(b"{") > DEPTH_MAX
    if len(text) <= NUMBER_MAX_CHARACTERS and not may_be_deep:
        return True
    bare = _STRING.sub(b" ", text)
    steps = array("b", bare.translate(_BRACKETS, _NO_BRACKETS))
    depth = max(accumulate(steps), default=0)
    containers = steps.count(1)
    longest_number = max(map(len, bare.translate(_NUMBERS).split()), default=0)
    return (
        depth <= DEPTH_MAX
        and containers <= CONTAINERS_MAX
        and longest_number <= NUMBER_MAX_CHARACTERS
    )


def _once(pairs: list[tuple[str, JsonValue]]) -> JsonValue:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError
    return found


# As constants there are only NaN and Infinity, and none of them is an integer.
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=int)


def read_document(
    text: bytes, document: JsonValue, model: type[Model], user: User | None = None
) -> tuple[Model | None, list[FieldError]]:
    """Read JSON that was parsed as a model; return what was read, and the faults of the `body`.

    Names that the model does not know are found in what was parsed, because the validator would describe each of them.
    """

    def validate() -> Model:
        return model.model_validate_json(text, context=user, extra="ignore")

    found, faults = collect_errors("body", validate)
    return found, [*faults, *name_unknown(("body",), model, document)]


def _read_query(
    request: Request, model: type[Model], user: User
) -> tuple[Model | None, list[FieldError]]:
    try:
        given = parse_qs(
            request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict"
        )
    except UnicodeDecodeError:
        raise BadRequest(errors=[_fault(("query",), "utf8_invalid", "Invalid UTF-8")]) from None
    words: dict[str, JsonValue] = {}
    faults: list[FieldError] = []
    for name, values in given.items():
        is_list = name in model.repeatable
        words[name] = [*values] if is_list else values[0]
        if len(values) > 1 and not is_list and name in model.model_fields:
            faults.append(_fault(("query", name), "repeated", "Given more than once"))

    def validate() -> Model:
        return model.model_validate(words, strict=False, context=user, extra="ignore")

    query, more = collect_errors("query", validate)
    faults = [*more, *name_unknown(("query",), model, words), *faults]
    no_ids = (name for name, text in request.path_params.items() if not _UUID.fullmatch(text))
    faults += [
        _fault(("path", name), "uuid_parsing", "Input should be a valid UUID") for name in no_ids
    ]
    return query, faults


def collect_errors(
    place: str, validate: Callable[[], Model]
) -> tuple[Model | None, list[FieldError]]:
    """Return what was read, or the faults that this place (`body` or `query`) has."""
    try:
        return validate(), []
    except ValidationError as error:
        details = error.errors(include_input=False, include_context=False)
    faults: list[FieldError] = []
    for detail in details:
        # Only messages of the validator's own have a URL; what follows a comma in one may quote what was sent.
        message = detail["msg"].partition(",")[0] if "url" in detail else detail["msg"]
        faults.append(_fault((place, *detail["loc"]), detail["type"], message))
    return None, faults


def _fault(location: Location, error_type: str, message: str) -> FieldError:
    """Describe a fault without what was sent: a name that the sender made up stands in no location."""
    return FieldError(location=plain(location), code=error_type.replace("_", "-"), message=message)


def raise_if_invalid(found: Model | None, faults: Sequence[FieldError]) -> Model:
    """Return what was read, if nothing is wrong with it.

    Raises:
        Refusal: The worst of its faults: 400 before 403 before 422.
    """
    if found is not None and not faults:
        return found
    if len(faults) > ERRORS_MAX:  # only some are listed: those that decide come first
        faults = sorted(faults, key=_is_unreadable, reverse=True)
    rest = [fault for fault in faults if fault["code"] != OTHER_USER]
    if any(map(_is_unreadable, rest)):
        raise BadRequest(errors=faults)
    if len(rest) < len(faults):
        raise Forbidden(OTHER_USER)
    # A rule about all of the body speaks for the whole answer.
    whole = faults[0]["location"] == ["body"] and faults[0]["code"] not in RULES
    raise Unprocessable(
        faults[0]["code"] if whole else "invalid-body", "The body breaks a rule.", errors=faults
    )


def _is_unreadable(fault: FieldError) -> bool:
    if fault["code"] == OTHER_USER:
        return False
    return fault["code"] in UNREADABLE or fault["location"][0] != "body"
