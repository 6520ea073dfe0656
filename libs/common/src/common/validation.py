"""Read request bodies and query strings strictly, as pydantic models.

The order of the checks is the same for every endpoint: who the user is (401), the length of the
body (413), its media type (415), whatever cannot be read (400), whether the request names another
user (403), and the rules (422).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar, get_args
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from common.authentication import authenticate
from common.identity import User
from common.media_types import JSON_TYPE, require_media_type, require_unencoded
from common.problems import (
    ERRORS_MAX,
    BadRequest,
    BodyTooLarge,
    FieldError,
    Forbidden,
    Unprocessable,
)
from common.strict_json import parse_json
from common.unknown_fields import Location, find_unknown_fields, printable_location

BODY_MAX_BYTES: Final = 65_536
"""A longer body is rejected with 413, whether or not its length is announced."""

OTHER_USER: Final = "other-user"
"""The code of an error that means 403: the request names another user than its passport."""

FILTER_REQUIRED: Final = "filter-required"
"""The code of an error that means: the query does not say what is meant, and everything is not."""

RULES: Final = frozenset(
    {"missing", "extra-forbidden", "string-too-long", "string-too-short", "too-long", "too-short"}
)
"""Codes of pydantic that mean: the value can be read, but breaks a rule.

In a body these, and codes that are not pydantic's, are 422. Every other code is 400.
"""

UNREADABLE: Final = frozenset(kind.replace("_", "-") for kind in get_args(ErrorType)) - RULES
"""All other codes of pydantic."""

_INVALID_ID_MESSAGES: Final = {
    "user_id": "User ids are UUIDs here, unlike most ids at Better Auth; GET /users/me tells yours."
}
"""What to say about an id in the path that is no UUID, by the name of the path parameter."""

_INVALID_ID_MESSAGE: Final = "Input should be a valid UUID"
"""The same for all other path parameters, in pydantic's words."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Model = TypeVar("Model", bound="StrictModel")


class StrictModel(BaseModel, extra="forbid", strict=True):
    """Base of all models of bodies and query strings."""

    repeatable: ClassVar[frozenset[str]] = frozenset()
    """Query parameters that may be given several times; their values are lists."""

    synonyms: ClassVar[Mapping[str, Sequence[str]]] = {}
    """For the name of a field, other names by which clients may call it: errors suggest the field.

    Names of fields that the model lacks have no effect.
    """


class NoParameters(StrictModel):
    """The query string of an endpoint that takes no parameters."""


@dataclass(frozen=True, slots=True)
class ValidationResult(Generic[Model]):
    """A validated model, or the errors that prevent it."""

    model: Model | None
    errors: list[FieldError]


@dataclass(frozen=True)
class QueryParams(Generic[Model]):
    """A FastAPI dependency that reads the query string as `model`; errors are 400, then 403."""

    model: type[Model]

    async def __call__(self, request: Request) -> Model:
        """Return the parameters."""
        user = await authenticate(request)
        return raise_if_invalid(_validate_query(request, self.model, user))


@dataclass(frozen=True)
class JsonBody(Generic[Model]):
    """A FastAPI dependency that reads the JSON body as `model`."""

    model: type[Model]

    query: type[StrictModel] = NoParameters
    """What the query string must be valid as; its errors are reported with those of the body."""

    media_types: tuple[str, ...] = (JSON_TYPE,)

    required: bool = True
    """Whether the body must be there; an absent optional one is read as `{}`."""

    async def __call__(self, request: Request) -> Model:
        """Return the body."""
        user = await authenticate(request)
        text = await _read_body(request, self.media_types)
        if not text and not self.required:
            text = b"{}"
        document = parse_json(text)
        query = _validate_query(request, self.query, user)
        body = validate_json(text, document, self.model, user)
        return raise_if_invalid(ValidationResult(body.model, query.errors + body.errors))


async def _read_body(request: Request, media_types: Sequence[str]) -> bytes:
    """Read the body. If its length is announced, its headers are checked before it is read."""
    announced = request.headers.get("content-length")
    if announced is not None:
        if int(announced) > BODY_MAX_BYTES:
            raise BodyTooLarge
        has_body = announced.strip("0") != ""
        _require_readable_headers(request, media_types, has_body=has_body)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise BodyTooLarge
    if announced is None:
        _require_readable_headers(request, media_types, has_body=bool(body))
    return bytes(body)


def _require_readable_headers(
    request: Request, media_types: Sequence[str], *, has_body: bool
) -> None:
    if has_body:
        require_unencoded(request)
    require_media_type(request, media_types, default=JSON_TYPE)


def validate_json(
    text: bytes, document: JsonValue, model: type[Model], user: User | None = None
) -> ValidationResult[Model]:
    """Validate a JSON body.

    Args:
        text: The JSON text.
        document: The same text, parsed. Unknown fields are looked up in it, because pydantic would
            describe each of any number of them.
        model: What to validate it as.
        user: The context of the validation: fields that name a user are compared with it.
    """

    def validate() -> Model:
        return model.model_validate_json(text, context=user, extra="ignore")

    result = collect_errors("body", validate)
    unknown = find_unknown_fields(("body",), model, document)
    return ValidationResult(result.model, result.errors + unknown)


def _validate_query(request: Request, model: type[Model], user: User) -> ValidationResult[Model]:
    """Validate the query string, and the ids in the path."""
    params = _parse_query(request)
    document: dict[str, JsonValue] = {}
    repeated: list[FieldError] = []
    for name, values in params.items():
        if name in model.repeatable:
            document[name] = list(values)
            continue
        document[name] = values[0]
        if len(values) > 1 and name in model.model_fields:
            repeated.append(_field_error(("query", name), "repeated", "Given more than once"))

    def validate() -> Model:
        return model.model_validate(document, strict=False, context=user, extra="ignore")

    result = collect_errors("query", validate)
    unknown = find_unknown_fields(("query",), model, document)
    errors = result.errors + unknown + repeated + _find_invalid_ids(request.path_params)
    return ValidationResult(result.model, errors)


def _parse_query(request: Request) -> dict[str, list[str]]:
    query_string: bytes = request.scope["query_string"]
    try:
        return parse_qs(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        error = _field_error(("query",), "utf8_invalid", "Invalid UTF-8")
        raise BadRequest(errors=[error]) from None


def _find_invalid_ids(path_params: Mapping[str, str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, text in path_params.items():
        if not _UUID.fullmatch(text):
            message = _INVALID_ID_MESSAGES.get(name, _INVALID_ID_MESSAGE)
            errors.append(_field_error(("path", name), "uuid_parsing", message))
    return errors


def collect_errors(source: str, validate: Callable[[], Model]) -> ValidationResult[Model]:
    """Call a validation, and collect its errors.

    Args:
        source: Where the input is from, `body` or `query`: the first part of every location.
        validate: Returns the model or raises pydantic's `ValidationError`.
    """
    try:
        return ValidationResult(validate(), [])
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
    errors: list[FieldError] = []
    for detail in details:
        location = (source, *detail["loc"])
        errors.append(_field_error(location, detail["type"], _message_of(detail)))
    return ValidationResult(None, errors)


def _message_of(detail: ErrorDetails) -> str:
    """Return the whole sentence of a validator, but nothing of the input.

    pydantic puts a prefix before the message of an exception, and after its own "Input should be a
    valid UUID" it puts what its parser says, which may quote the input.
    """
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Exception):
        return str(cause)
    if isinstance(cause, str):
        return detail["msg"].partition(cause)[0].rstrip(",: ")
    return detail["msg"]


def _field_error(location: Location, error_type: str, message: str) -> FieldError:
    """Describe an error without input: names that the client made up are not in the location."""
    code = error_type.replace("_", "-")
    return FieldError(location=printable_location(location), code=code, message=message)


def raise_if_invalid(result: ValidationResult[Model]) -> Model:
    """Return the validated model.

    Raises:
        BadRequest: Something cannot be read.
        Forbidden: All can be read, but another user is named.
        Unprocessable: Only rules are broken.
    """
    errors = result.errors
    if result.model is not None and not errors:
        return result.model
    # A problem document lists some of the errors only: those that decide come first.
    if len(errors) > ERRORS_MAX:
        errors = sorted(errors, key=_is_unreadable, reverse=True)
    unreadable = {error["code"] for error in errors if _is_unreadable(error)}
    if unreadable == {FILTER_REQUIRED}:
        raise BadRequest(FILTER_REQUIRED, "At least one filter is required here.", errors=errors)
    if unreadable:
        raise BadRequest(errors=errors)
    if any(error["code"] == OTHER_USER for error in errors):
        raise Forbidden(OTHER_USER)
    # An error of the whole body determines the code of the problem document.
    code = "invalid-body"
    first = errors[0]
    if first["location"] == ["body"] and first["code"] not in RULES:
        code = first["code"]
    raise Unprocessable(code, "The body breaks a rule.", errors=errors)


def _is_unreadable(error: FieldError) -> bool:
    if error["code"] == OTHER_USER:
        return False
    return error["code"] in UNREADABLE or error["location"][0] != "body"
