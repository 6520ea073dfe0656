"""Reading requests strictly: the one way in for bodies and query strings.

In this order, and nothing is looked at before what stands above it: who asks (401), the body's length (413) and
type (415), everything that cannot be read (400), whom it names (403), and the rules (422).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast, get_args
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core.core_schema import ErrorType

from common.errors import BadRequest, BodyTooLarge, Fault, Unprocessable, UnsupportedMediaType
from common.identity import identify

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

RULES: Final = frozenset({"missing", "extra_forbidden", "string_too_long", "string_too_short"})
"""The validator's error types that mean: it reads, but breaks a rule. These and the types of our own are 422 in a body;
every other one means that something cannot be read, and is 400."""

_UNREADABLE = frozenset(get_args(ErrorType)) - RULES
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Model = TypeVar("Model", bound=BaseModel)


class Input(BaseModel):
    """What every model of a body or a query string has in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NoParameters(Input):
    """The query string of an address that takes none."""


@dataclass(frozen=True)
class Query(Generic[Model]):
    """A dependency that reads the query string as `model`; each of its faults is 400, then 403."""

    model: type[Model]

    async def __call__(self, request: Request) -> Model:
        """Return the parameters."""
        user = identify(request)
        query = _read_query(request, self.model)
        user.require_same(getattr(query, "user_id", None))
        return query


@dataclass(frozen=True)
class Body(Generic[Model]):
    """A dependency that reads the body as `model`, and the query string as `query`."""

    model: type[Model]
    query: type[BaseModel] = NoParameters
    media_types: tuple[str, ...] = (JSON_TYPE,)
    required: bool = True

    async def __call__(self, request: Request) -> Model:
        """Return the body; an absent one, where that is allowed, is an empty object."""
        user = identify(request)
        text = await _read_bytes(request, self.media_types) or (b"" if self.required else b"{}")
        document = parse(text)
        query = _read_query(request, self.query)
        read, broken = _validate(self.model, text)
        user.require_same(getattr(query, "user_id", None))
        if isinstance(document, dict) and "user_id" in self.model.model_fields:
            user.require_same(cast("str | None", document.get("user_id")))
        if read is None:
            whole = broken[0]["location"] == ["body"]  # such a rule speaks for the whole answer
            raise Unprocessable(
                broken[0]["code"] if whole else "invalid-body", "The body breaks a rule.", errors=broken
            )
        return read


async def _read_bytes(request: Request, media_types: Sequence[str]) -> bytes:
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > BODY_MAX_BYTES:
            raise BodyTooLarge
    sent = request.headers.getlist("content-type") or [JSON_TYPE]
    if len(sent) > 1 or sent[0].partition(";")[0].strip().lower() not in media_types:
        raise UnsupportedMediaType("unsupported-media-type", f"The body must be {' or '.join(media_types)}.")
    return bytes(text)


def parse(text: bytes) -> JsonValue:
    """Read JSON without any leniency.

    Raises:
        BadRequest: It is not UTF-8, starts with a BOM, repeats a name, has NaN or Infinity, nests too deep, holds a
            number that is too long, or is not JSON at all.
    """
    try:
        document: JsonValue = _DECODER.decode(text.decode())
        if _depth(document) <= DEPTH_MAX:
            return document
    except (ValueError, RecursionError):
        pass
    raise BadRequest(errors=[_fault(("body",), "json_invalid", "Invalid JSON")])


def _once(pairs: list[tuple[str, JsonValue]]) -> JsonValue:
    found = dict(pairs)
    if len(found) < len(pairs):
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


def _read_query(request: Request, model: type[Model]) -> Model:
    try:
        pairs = parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest(errors=[_fault(("query",), "utf8_invalid", "Invalid UTF-8")]) from None
    names = [name for name, _ in pairs]
    faults = [
        _fault(("query", name), "repeated", "Given more than once") for name in set(names) if names.count(name) > 1
    ]
    no_ids = (name for name, text in request.path_params.items() if not _UUID.fullmatch(text))
    faults += [_fault(("path", name), "uuid_parsing", "Input should be a valid UUID") for name in no_ids]
    try:
        query = model.model_validate_strings(dict(pairs), strict=False)
    except ValidationError as error:
        raise BadRequest(errors=[*faults, *_faults("query", error)]) from None
    if faults:
        raise BadRequest(errors=faults)
    return query


def _validate(model: type[Model], text: bytes) -> tuple[Model | None, list[Fault]]:
    try:
        return model.model_validate_json(text), []
    except ValidationError as error:
        faults = _faults("body", error)
        unreadable = _UNREADABLE & {found["type"] for found in error.errors(include_input=False)}
    if unreadable:
        raise BadRequest(errors=faults)
    return None, faults


def _faults(place: str, error: ValidationError) -> list[Fault]:
    return [_fault((place, *found["loc"]), found["type"], found["msg"]) for found in error.errors(include_input=False)]


def _fault(location: tuple[str | int, ...], error_type: str, message: str) -> Fault:
    """Describe a fault without what was sent: neither a name that the sender made up nor what follows a comma."""
    plain = [part for part in location if isinstance(part, int) or _NAME.fullmatch(part)]
    return Fault(location=plain, code=error_type.replace("_", "-"), message=message.partition(",")[0])
