"""What the OpenAPI document says once and refers to: schemas, headers, refusals."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema
from typing_extensions import TypeForm

from common import problems as errors
from common.problems import (
    ERRORS_MAX,
    PROBLEM_TYPE,
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    Gone,
    NotFound,
    PreconditionFailed,
    ProblemError,
    Unauthorized,
    Unprocessable,
)

Json = dict[str, object]

REFERENCE: Final = "#/components/schemas/{model}"
"""Where a schema with a name is."""

_SLUG: Final = "^[a-z]+(-[a-z0-9]+)*$"
_REQUEST_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,128}$"}
_REQUEST: Final = "0b6f4c1e-93a7-4e0b-8f59-2d7c18a4e6f3"

PROBLEM: Final = {
    "type": {
        "type": "string",
        "format": "uri-reference",
        "description": "The page that explains the code.",
    },
    "title": {"type": "string", "minLength": 1, "description": "The name of the status."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "detail": {"type": "string", "minLength": 1, "description": "One sentence for the caller."},
    "code": {
        "$ref": REFERENCE.format(model="Code"),
        "description": "Stays the same for the same problem.",
    },
    "request_id": {**_REQUEST_ID, "description": "What the log has the cause under."},
    "errors": {
        "type": "array",
        "minItems": 1,
        "maxItems": ERRORS_MAX,
        "items": {"$ref": REFERENCE.format(model="Fault")},
        "description": "What is wrong with body, query or path.",
    },
    "errors_omitted": {
        "type": "integer",
        "minimum": 1,
        "description": "How many more faults there are, if not all are listed.",
    },
    "reason": {
        "type": "string",
        "description": "Why a token is refused, where the gateway was told to explain.",
    },
}
"""The members of a problem document; the last three are not always there. Source: RFC 9457, 3."""

FAULT: Final = {
    "location": {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]},
        "description": "From `body`, `query` or `path` down to the field.",
    },
    "code": {"type": "string", "pattern": _SLUG},
    "message": {"type": "string", "minLength": 1},
}
"""The members of one of the faults in a problem document."""

HEADERS: Final = {
    "X-Request-ID": (
        "The request's id: the client's own, if it sent a plain one.",
        _REQUEST_ID,
        _REQUEST,
    ),
    "Retry-After": (
        "Seconds after which it is worth another try.",
        {"type": "integer", "minimum": 1},
        1,
    ),
    "WWW-Authenticate": (
        "What is needed instead.",
        {"type": "string", "pattern": "^Bearer"},
        "Bearer",
    ),
}
"""Headers of answers: what they say, their schema, an example. They are always there."""

EXAMPLES: Final = (
    BadRequest(
        errors=[
            FieldError(
                location=["body", "title"],
                code="string-type",
                message="Input should be a valid string",
            )
        ]
    ),
    Unauthorized("token-expired", "The token has expired."),
    Forbidden("other-user"),
    NotFound("task-not-found", "No such task."),
    Conflict("id-taken", "This id cannot be had."),
    Gone("resync-required", "What happened since then is not known; begin anew."),
    PreconditionFailed(
        "version-mismatch", "The task has another version than the request expects."
    ),
    Unprocessable(
        "invalid-body",
        "The body breaks a rule.",
        errors=[FieldError(location=["body", "title"], code="missing", message="Field required")],
    ),
)
"""Refusals that say more than their class does."""


class ConflictError(Exception):
    """Two services mean different things by one name."""


class _Wire(GenerateJsonSchema):
    """Leaves out what a client does not see: defaults, titles made of the names of fields, and keeps their order."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, *_: object, **__: object) -> bool:
        return False

    def sort(self, value: JsonSchemaValue, *_: object, **__: object) -> JsonSchemaValue:
        return value


def json_schema(annotation: TypeForm[object], mode: JsonSchemaMode = "validation") -> Json:
    """Describe what a type reads, or with mode `serialization` what it writes."""
    schema = TypeAdapter(annotation).json_schema(
        mode=mode, ref_template=REFERENCE, schema_generator=_Wire
    )
    return _with_names_of_titles(schema)


def _with_names_of_titles(schema: Json) -> Json:
    """Name each model by its title, so that a class can be renamed without a change for clients."""
    models = cast("dict[str, Json]", schema.get("$defs", {}))
    text = json.dumps(schema)
    for name, model in models.items():
        title = str(model["title"])
        text = text.replace(
            f'"{REFERENCE.format(model=name)}"', f'"{REFERENCE.format(model=title)}"'
        )
    renamed: Json = json.loads(text)
    if models:
        definitions = cast("dict[str, Json]", renamed["$defs"])
        renamed["$defs"] = {str(model["title"]): model for model in definitions.values()}
    return renamed


class SchemaRegistry:
    """The named schemas of all services."""

    def __init__(self) -> None:
        problem = {"type": "object", "properties": PROBLEM, "required": list(PROBLEM)[:-3]}
        fault = {
            "type": "object",
            "properties": FAULT,
            "required": list(FAULT),
            "additionalProperties": False,
        }
        self.named: Json = {"Problem": problem, "Fault": fault}

    def reference(self, schema: Json) -> Json:
        """Give a model its name, and the models in it theirs; return what stands for it elsewhere."""
        for name, part in cast("Json", schema.pop("$defs", {})).items():
            self._keep(name, cast("Json", part))
        if "title" not in schema:
            return schema
        self._keep(str(schema["title"]), schema)
        return {"$ref": REFERENCE.format(model=schema["title"])}

    def _keep(self, name: str, schema: Json) -> None:
        if self.named.setdefault(name, _with_example(schema)) != _with_example(schema):
            raise ConflictError(f"Two schemas are called {name}.")


def _with_example(schema: Json) -> Json:
    """Compose an example from those of the fields, unless there is one."""
    fields = cast("Mapping[str, Json]", schema.get("properties", {}))
    found = {name: example for name, field in fields.items() for example in _examples(field)[:1]}
    return {"examples": [found], **schema} if fields and found.keys() == fields.keys() else schema


def _examples(field: Json) -> list[object]:
    choices = [field, *cast("list[Json]", field.get("anyOf", []))]
    return [
        example
        for choice in choices
        for example in cast("list[object]", choice.get("examples", []))
    ]


def header_components() -> Json:
    """Describe the headers of answers."""
    return {
        name: {"description": description, "required": True, "schema": schema, "example": example}
        for name, (description, schema, example) in HEADERS.items()
    }


def header_references(names: Iterable[str]) -> Json:
    """Refer to what every answer has, and to these."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


def problem_responses(statuses: set[int]) -> Iterator[tuple[str, Json]]:
    """Describe the answers that refuse, as they are rendered."""
    shown, schema = (
        {refusal.status: refusal for refusal in EXAMPLES},
        {"$ref": REFERENCE.format(model="Problem")},
    )
    for kind in vars(errors).values():
        if (
            isinstance(kind, type)
            and issubclass(kind, ProblemError)
            and kind is not ProblemError
            and kind.status in statuses
        ):
            body = errors.problem_response(shown.get(kind.status) or kind(), _REQUEST).body
            content = {PROBLEM_TYPE: {"schema": schema, "example": json.loads(bytes(body))}}
            said = {"description": kind.__doc__, "headers": header_references(kind.default_headers)}
            yield str(kind.status), {**said, "content": content}
