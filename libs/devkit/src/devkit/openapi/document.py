"""`python -m devkit.openapi.document`: one OpenAPI document of all addresses, made from what they read and answer with.

What a route's dependencies read becomes its parameters and its body, and which refusals it can give follows from them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Final, cast, get_type_hints

from fastapi import Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute

from common.health import HealthStatus, health_routes
from common.validation import JsonBody, NoParameters, QueryParams, StrictModel
from devkit.openapi.components import (
    ConflictError,
    Json,
    SchemaRegistry,
    header_components,
    header_references,
    json_schema,
    problem_responses,
)

OPENAPI_FILE: Final = (
    Path(__file__).parents[5] / "services/auth-gateway/src/auth_gateway/public/openapi.json"
)
"""Where the gateway has it from; `docs/openapi.json` leads there."""

SERVICES: Final = ("tasks", "users")
"""Packages whose addresses need a token."""

EVERYWHERE: Final = (400, 413, 414, 429, 431, 500, 502, 503, 504)
"""What every address can refuse with, in the gateway's own words or the edge's."""

WITH_TOKEN: Final = (401,)
"""What an address that needs a token can refuse with besides."""

WITH_BODY: Final = (415, 422)
"""What an address that reads a body can refuse with besides."""

OWN: Final = {"/problems/{code}": (404,)}
"""What addresses without a token can refuse with besides."""

INFO: Final = {
    "title": "Task platform",
    "summary": "Tasks and profiles of people who sign in with Better Auth",
    "description": (
        "Send the token that Better Auth gave you as `Authorization: Bearer <token>`: it says who you are, and you "
        "see and change only what is yours. Whatever is refused is refused with a problem document (RFC 9457), whose "
        "`type` is the address of a page that says what to do. HEAD works wherever GET does."
    ),
    "version": "1",
}
"""What the whole is."""

TAGS: Final = {
    "tasks": "Tasks of the caller; for everybody else's it is as if they did not exist.",
    "lists": "Lists of the caller, which tasks can be in.",
    "labels": "Labels of the caller, which tasks make and carry.",
    "users": "The caller's profile. It appears by itself, and follows what the token says.",
    "documents": "What everybody may read: this document, the page that shows it, and what each code means.",
    "operation": "For whoever runs the platform.",
}
"""What the operations are grouped by."""

DESCRIPTIONS: Final = {
    200: "It is done.",
    201: "It is made.",
    204: "It is done; there is nothing to show.",
    304: "It is as the caller knows it; there is nothing to show.",
}
"""What the statuses of answers that do not refuse mean."""

TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token from `/api/auth/token` of your Better Auth server.",
}
"""How a client says who it is."""


def build_document() -> Json:
    """Describe all that a client can ask.

    Raises:
        ConflictError: One path, one name of an operation or of a schema is used for different things.
    """
    schemas = SchemaRegistry()
    paths: dict[str, dict[str, Json]] = {}
    names: set[object] = set()
    for path, verb, operation in chain(_operations(schemas), _public_operations(schemas)):
        name = operation["operationId"]
        if name in names or verb in paths.setdefault(path, {}):
            raise ConflictError(f"{verb} {path} or its name {name} is there twice.")
        names.add(name)
        paths[path][verb] = operation
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/", "description": "Where this document is."}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": _components(
            schemas, chain.from_iterable(verbs.values() for verbs in paths.values())
        ),
    }


def _components(schemas: SchemaRegistry, operations: Iterable[Json]) -> Json:
    statuses = {
        int(status) for operation in operations for status in cast("Json", operation["responses"])
    }
    return {
        "schemas": dict(sorted(schemas.named.items())),
        "headers": header_components(),
        "responses": dict(problem_responses(statuses)),
        "securitySchemes": {"token": TOKEN},
    }


def _operations(schemas: SchemaRegistry) -> Iterator[tuple[str, str, Json]]:
    for service in SERVICES:
        for route in _listed(import_module(f"{service}.routes").router.routes):
            statuses = {
                *EVERYWHERE,
                *WITH_TOKEN,
                *(WITH_BODY if isinstance(_reader(route), JsonBody) else ()),
            }
            statuses |= {403} if _names_a_user(route) else set()
            statuses |= {404} if route.param_convertors.keys() - {"user_id"} else set()
            statuses |= {
                int(status) for status in route.responses if int(status) not in DESCRIPTIONS
            }
            yield (
                route.path,
                _verb(route),
                _operation(route, schemas, statuses) | {"security": [{"token": []}]},
            )


def _public_operations(schemas: SchemaRegistry) -> Iterator[tuple[str, str, Json]]:
    async def ready(_: Request) -> Mapping[str, HealthStatus]:
        return {}

    for route in _listed(
        [*health_routes("auth-gateway", ready), *import_module("auth_gateway.docs_pages").routes]
    ):
        statuses = {*EVERYWHERE, *OWN.get(route.path, ())}
        yield route.path, _verb(route), _operation(route, schemas, statuses) | {"security": []}


def _listed(routes: Iterable[BaseRoute]) -> list[APIRoute]:
    return [route for route in routes if isinstance(route, APIRoute) and route.include_in_schema]


def _verb(route: APIRoute) -> str:
    return " ".join(route.methods or ()).lower()


def _operation(route: APIRoute, schemas: SchemaRegistry, statuses: set[int]) -> Json:
    reader = _reader(route)
    done = sorted({route.status_code or 200, *map(int, route.responses)} & DESCRIPTIONS.keys())
    refused: Json = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }
    return {
        "operationId": route.name,
        "summary": route.name.replace("_", " ").capitalize(),
        "description": route.description,
        "tags": route.tags,
        "parameters": [
            *_path_parameters(route, schemas),
            *_query_parameters(route),
            *_header_parameters(route),
        ],
        **(
            {"requestBody": _request_body(reader, schemas)}
            if isinstance(reader, JsonBody)
            else route.openapi_extra or {}
        ),
        "responses": {str(status): _success(route, schemas, status) for status in done} | refused,
    }


def _reader(route: APIRoute) -> JsonBody[StrictModel] | QueryParams[StrictModel] | None:
    calls = [found.call for found in route.dependant.dependencies]
    readers = cast(
        "list[JsonBody[StrictModel] | QueryParams[StrictModel]]",
        [call for call in calls if isinstance(call, JsonBody | QueryParams)],
    )
    return readers[0] if readers else None


def _query(route: APIRoute) -> type[StrictModel]:
    reader = _reader(route)
    return (
        reader.query if isinstance(reader, JsonBody) else reader.model if reader else NoParameters
    )


def _names_a_user(route: APIRoute) -> bool:
    reader = _reader(route)
    body = reader.model.model_fields if isinstance(reader, JsonBody) else {}
    return "user_id" in {*route.param_convertors, *_query(route).model_fields, *body}


def _path_parameters(route: APIRoute, schemas: SchemaRegistry) -> Iterator[Json]:
    types = get_type_hints(route.endpoint, include_extras=True)
    return (
        {
            "name": name,
            "in": "path",
            "required": True,
            **_parameter(json_schema(types[name]), schemas),
        }
        for name in route.param_convertors
    )


def _query_parameters(route: APIRoute) -> Iterator[Json]:
    """Describe what the query may hold; `null`, which means absent in a model, cannot be written there."""
    for name, field in cast(
        "Mapping[str, Json]", json_schema(_query(route)).get("properties", {})
    ).items():
        kinds = cast("list[Json]", field.pop("anyOf", [Json()]))
        (written,) = [kind for kind in kinds if kind.get("type") != "null"]
        yield {
            "name": name,
            "in": "query",
            "required": False,
            **_parameter({**written, **field}, SchemaRegistry()),
        }


def _header_parameters(route: APIRoute) -> Iterator[Json]:
    """Describe the headers that a route's dependencies read; one that is sent twice counts as one list."""
    for dependency in route.dependant.dependencies:
        for name, line in cast(
            "Mapping[str, Json]", getattr(dependency.call, "headers", {})
        ).items():
            yield {
                "name": name,
                "in": "header",
                "required": False,
                **_parameter(dict(line), SchemaRegistry()),
            }


def _parameter(schema: Json, schemas: SchemaRegistry) -> Json:
    """Say of a parameter what OpenAPI wants beside its schema."""
    (example,) = cast("list[object]", schema.pop("examples"))
    said = {
        member: schema.pop(member) for member in ("description", "deprecated") if member in schema
    }
    return {**said, "schema": schemas.reference(schema), "example": example}


def _request_body(reader: JsonBody[StrictModel], schemas: SchemaRegistry) -> Json:
    content = {"schema": schemas.reference(json_schema(reader.model))}
    return {"required": reader.required, "content": dict.fromkeys(reader.media_types, content)}


def _success(route: APIRoute, schemas: SchemaRegistry, status: int) -> Json:
    """Describe an answer that does not refuse; what a route says of it itself is added."""
    own = cast("dict[str, Json]", route.responses.get(status, {}))
    answer: Json = {
        "description": DESCRIPTIONS[status],
        "headers": header_references(()) | own.get("headers", {}),
    }
    answer |= {member: own[member] for member in ("links", "content") if member in own}
    if status == HTTPStatus.NOT_MODIFIED or "content" in own:
        return answer
    if route.response_model is not None:
        schema = schemas.reference(json_schema(route.response_model, "serialization"))
        return answer | {"content": {"application/json": {"schema": schema}}}
    if isinstance(route.response_class, DefaultPlaceholder):
        return answer
    kind = "string" if issubclass(route.response_class, HTMLResponse) else "object"
    return answer | {"content": {str(route.response_class.media_type): {"schema": {"type": kind}}}}


def main() -> None:
    """Write the document."""
    OPENAPI_FILE.write_text(json.dumps(build_document(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
