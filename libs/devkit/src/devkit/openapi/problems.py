"""Problem documents (RFC 9457) in the OpenAPI document: schemas, and a response per status."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from common import problems
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
from devkit.openapi.headers import REQUEST_ID_EXAMPLE, REQUEST_ID_SCHEMA, header_references
from devkit.openapi.schemas import Json, SchemaRegistry, reference_to

_SLUG: Final = "^[a-z]+(-[a-z0-9]+)*$"

PROBLEM_MEMBERS: Final[Json] = {
    "type": {
        "type": "string",
        "format": "uri-reference",
        "description": "The page that explains the code.",
    },
    "title": {"type": "string", "minLength": 1, "description": "The name of the status."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "detail": {"type": "string", "minLength": 1, "description": "One sentence for the client."},
    "code": {
        "$ref": reference_to("Code"),
        "description": "Stays the same for the same problem.",
    },
    "request_id": REQUEST_ID_SCHEMA | {"description": "The log has the cause under this id."},
    "errors": {
        "type": "array",
        "minItems": 1,
        "maxItems": ERRORS_MAX,
        "items": {"$ref": reference_to("Fault")},
        "description": "What is wrong with body, query or path.",
    },
    "errors_omitted": {
        "type": "integer",
        "minimum": 1,
        "description": "How many more errors there are, if not all are listed.",
    },
    "reason": {
        "type": "string",
        "description": "Why a token is rejected, if the gateway is configured to explain it.",
    },
    "hint": {
        "type": "string",
        "minLength": 1,
        "description": "Which setting to change, if the gateway is configured to explain it.",
    },
}
"""The members of a problem document. Source: RFC 9457, 3."""

OPTIONAL_MEMBERS: Final = ("errors", "errors_omitted", "reason", "hint")
"""Members that not every problem document has."""

FIELD_ERROR_MEMBERS: Final[Json] = {
    "location": {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]},
        "description": "From `body`, `query` or `path` down to the field.",
    },
    "code": {
        "type": "string",
        "pattern": _SLUG,
        "description": "Has a page, as `type` of the document has: `/problems/<code>`.",
    },
    "message": {"type": "string", "minLength": 1},
}
"""The members of an item of `errors`."""

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
"""Examples that say more than the default of their class."""


def add_problem_schemas(schemas: SchemaRegistry) -> None:
    """Add the schemas of a problem document and of an item of its `errors`."""
    required = [name for name in PROBLEM_MEMBERS if name not in OPTIONAL_MEMBERS]
    schemas.add("Problem", {"type": "object", "properties": PROBLEM_MEMBERS, "required": required})
    # Clients know the schema as Fault: renaming it would change their generated code.
    schemas.add(
        "Fault",
        {
            "type": "object",
            "properties": FIELD_ERROR_MEMBERS,
            "required": list(FIELD_ERROR_MEMBERS),
            "additionalProperties": False,
        },
    )


def problem_responses(statuses: set[int], codes: Mapping[int, Sequence[str]]) -> Json:
    """Return `components.responses`: a response for each of these statuses.

    Args:
        statuses: The statuses.
        codes: The codes of each status, which the description links to their pages.
    """
    examples = {example.status: example for example in EXAMPLES}
    responses: Json = {}
    for problem_class in _problem_classes():
        status = problem_class.status
        if status in statuses:
            example = examples.get(status) or problem_class()
            responses[str(status)] = _problem_response(problem_class, example, codes[status])
    return responses


def _problem_classes() -> Iterator[type[ProblemError]]:
    for member in vars(problems).values():
        if not isinstance(member, type) or member is ProblemError:
            continue
        if issubclass(member, ProblemError):
            yield member


def _problem_response(
    problem_class: type[ProblemError], example: ProblemError, codes: Sequence[str]
) -> Json:
    links = ", ".join(f"[{code}](/problems/{code})" for code in codes)
    rendered = problems.problem_response(example, REQUEST_ID_EXAMPLE)
    content = {
        "schema": {"$ref": reference_to("Problem")},
        "example": json.loads(bytes(rendered.body)),
    }
    return {
        "description": f"{problem_class.__doc__}\n\nCodes: {links}",
        "headers": header_references(problem_class.default_headers),
        "content": {PROBLEM_TYPE: content},
    }
