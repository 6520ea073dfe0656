"""The response headers of the OpenAPI document."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devkit.openapi.schemas import Json

REQUEST_ID_SCHEMA: Final[Json] = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,128}$"}

REQUEST_ID_EXAMPLE: Final = "0b6f4c1e-93a7-4e0b-8f59-2d7c18a4e6f3"


@dataclass(frozen=True)
class ResponseHeader:
    """A header that is in every response that refers to it."""

    description: str
    schema: Json
    example: object


HEADERS: Final = {
    "X-Request-ID": ResponseHeader(
        description="The request's id: the client's own, if it sent a plain one.",
        schema=REQUEST_ID_SCHEMA,
        example=REQUEST_ID_EXAMPLE,
    ),
    "Retry-After": ResponseHeader(
        description="Seconds after which it is worth another try.",
        schema={"type": "integer", "minimum": 1},
        example=1,
    ),
    "WWW-Authenticate": ResponseHeader(
        description="What is needed instead.",
        schema={"type": "string", "pattern": "^Bearer"},
        example="Bearer",
    ),
}


def header_components() -> Json:
    """Return `components.headers`."""
    components: Json = {}
    for name, header in HEADERS.items():
        components[name] = {
            "description": header.description,
            "required": True,
            "schema": header.schema,
            "example": header.example,
        }
    return components


def header_references(names: Iterable[str] = ()) -> Json:
    """Return references to these headers, and to `X-Request-ID`, which every response has."""
    references: Json = {}
    for name in ["X-Request-ID", *names]:
        references[name] = {"$ref": f"#/components/headers/{name}"}
    return references
