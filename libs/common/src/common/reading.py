"""Reading requests strictly: the one way in for bodies and query strings.

In this order, and nothing is looked at before what stands above it: who asks (401), the body's length (413) and
type (415), everything that cannot be read (400), whom it names (403), and the rules (422).
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, NoReturn, TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

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

RULES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("missing", "This field is required."),
    "extra_forbidden": ("unknown-field", "There is no such field here."),
    "literal_error": ("unknown-word", "This is none of the words that are known here."),
    "string_too_long": ("too-long", "This text is too long."),
    "string_too_short": ("too-short", "This text is too short."),
}
"""The validator's error types that mean: it reads, but breaks a rule. In a body these and our own types (their names
have hyphens and carry their message) are 422; every other type means that something cannot be read, and is 400."""

EXPECTED: Final[Mapping[str, str]] = {
    "bool": "This must be true or false.",
    "datetime": "This must be a time as RFC 3339 writes it.",
    "int": "This must be a whole number in its range.",
    "json": "This is not the JSON that is read here.",
    "model": "This must be an object.",
    "repeated": "This was given more than once.",
    "string": "This must be text.",
    "uuid": "This must be a UUID.",
}
"""What is said of something that cannot be read, by the first word of the validator's error type."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Model = TypeVar("Model", bound=BaseModel)


class Input(BaseModel):
    """What every model of a body or a query string has in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NoParameters(Input):
    """The query string of an address that takes none."""


def _true_or_false(text: object) -> object:
    if isinstance(text, str) and text not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "This must be true or false.")
    return text


Flag = Annotated[bool, BeforeValidator(_true_or_false)]
"""A truth value in a query string: `true` or `false`, and no other spelling."""


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
        if "user_id" in self.model.model_fields:
            user.require_same(cast("dict[str, str | None]", document).get("user_id"))
        if read is None:
            raise Unprocessable(_own_code(broken), "The body breaks a rule.", errors=broken)
        return read


async def _read_bytes(request: Request, media_types: Sequence[str]) -> bytes:
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > BODY_MAX_BYTES:
            raise BodyTooLarge("body-too-large", f"The body is longer than {BODY_MAX_BYTES} bytes.")
    sent = request.headers.getlist("content-type") or [JSON_TYPE]
    if len(sent) > 1 or sent[0].partition(";")[0].strip().lower() not in media_types:
        raise UnsupportedMediaType("unsupported-media-type", f"The body must be {' or '.join(media_types)}.")
    return bytes(text)


def parse(text: bytes) -> object:
    """Read JSON without any leniency.

    Raises:
        BadRequest: It is not UTF-8, starts with a BOM, repeats a name, has NaN or Infinity, nests too deep, holds a
            number that is too long, or is not JSON at all.
    """
    try:
        document = cast("object", _DECODER.decode(text.decode()))
        _require_shallow(document)
    except (ValueError, RecursionError):
        raise _bad_request([_fault(("body",), "json_invalid")]) from None
    return document


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _short_number(text: str) -> float:
    if len(text) > NUMBER_MAX_CHARACTERS:
        raise ValueError
    return float(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_short_number, parse_float=_short_number, parse_constant=_no_constant
)


def _require_shallow(document: object) -> None:
    level = [document]
    for _ in range(DEPTH_MAX + 1):
        containers = [
            cast("dict[str, object] | list[object]", value) for value in level if isinstance(value, dict | list)
        ]
        if not containers:
            return
        level = [child for value in containers for child in (value.values() if isinstance(value, dict) else value)]
    raise ValueError


def _read_query(request: Request, model: type[Model]) -> Model:
    pairs = request.query_params.multi_items()
    faults = [
        _fault(("path", name), "uuid_parsing")
        for name, text in request.path_params.items()
        if not _UUID.fullmatch(str(text))
    ]
    if len(pairs) > 1:
        faults += [
            _fault(("query", name), "repeated") for name, n in Counter(name for name, _ in pairs).items() if n > 1
        ]
    try:
        query = model.model_validate_strings(dict(pairs), strict=False)
    except ValidationError as error:
        raise _bad_request([*faults, *_faults("query", error)]) from None
    if faults:
        raise _bad_request(faults)
    return query


def _validate(model: type[Model], text: bytes) -> tuple[Model | None, list[Fault]]:
    try:
        return model.model_validate_json(text), []
    except ValidationError as error:
        faults = _faults("body", error)
        if not all(_is_rule(fault["type"]) for fault in error.errors(include_input=False, include_url=False)):
            raise _bad_request(faults) from None
        return None, faults


def _is_rule(error_type: str) -> bool:
    return error_type in RULES or "-" in error_type


def _faults(place: str, error: ValidationError) -> list[Fault]:
    return [_fault((place, *found["loc"]), found["type"], found["msg"]) for found in error.errors(include_input=False)]


def _fault(location: tuple[str | int, ...], error_type: str, message: str = "") -> Fault:
    """Describe a fault by our own words; a name that the sender made up is told only when it is a plain one."""
    if "-" in error_type:
        code = error_type
    elif error_type in RULES:
        code, message = RULES[error_type]
    else:
        code, message = "unreadable", EXPECTED.get(error_type.partition("_")[0], "This cannot be read.")
    plain = [part for part in location if isinstance(part, int) or _NAME.fullmatch(part)]
    return Fault(location=plain, code=code, message=message)


def _bad_request(faults: Sequence[Fault]) -> BadRequest:
    return BadRequest("invalid-request", "The request cannot be read.", errors=faults)


def _own_code(faults: Sequence[Fault]) -> str:
    """Let a broken rule about the body as a whole speak for the answer."""
    return faults[0]["code"] if faults[0]["location"] == ["body"] else "invalid-body"
