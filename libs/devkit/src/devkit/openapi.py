"""`python -m devkit.openapi`: one OpenAPI document of all addresses, made from what they read and answer with.

What a route's dependencies read becomes its parameters and its body, and which refusals it can give follows from them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Final, cast

from fastapi import Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from starlette.routing import BaseRoute

from common import errors
from common.errors import MEDIA_TYPE
from common.pages import State, pages
from common.reading import Body, NoParameters, Query

FILE: Final = Path(__file__).parents[4] / "services/auth-gateway/src/auth_gateway/public/openapi.json"
"""Where the gateway has it from; `docs/openapi.json` leads there."""

SERVICES: Final = ("tasks", "users")
"""Packages whose addresses need a token."""

EVERYWHERE: Final = (400, 401, 429, 500, 502, 503, 504)
"""What every address that needs a token can refuse with, the gateway's own words included."""

WITH_BODY: Final = (413, 415, 422)
"""What an address that reads a body can refuse with besides."""

OWN: Final = {"/readyz": (503,), "/problems/{code}": (404,)}
"""What addresses without a token can refuse with."""

PROBLEM: Final = {
    "type": {"type": "string", "description": "The page that explains the code."},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string", "description": "One sentence for the caller."},
    "code": {"type": "string", "description": "Stays the same for the same problem."},
    "request_id": {"type": "string"},
    "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    "reason": {"type": "string", "description": "Why a token is refused, where the gateway was told to explain."},
}
"""The members of a problem document; the last two are not always there. Source: RFC 9457, 3."""

FAULT: Final = {
    "location": {"type": "array", "items": {"type": ["string", "integer"]}},
    "code": {"type": "string"},
    "message": {"type": "string"},
}
"""The members of one of the faults in a problem document."""

REFERENCE: Final = "#/components/schemas/{model}"
"""Where a model's schema is."""

Json = dict[str, object]


class ConflictError(Exception):
    """Two services mean different things by one name."""


class Schemas:
    """The named schemas of all services."""

    def __init__(self) -> None:
        problem = {"type": "object", "properties": PROBLEM, "required": list(PROBLEM)[:-2]}
        fault = {"type": "object", "properties": FAULT, "required": list(FAULT)}
        self.named: Json = {"Problem": problem, "Fault": fault}

    def refer(self, schema: Json) -> Json:
        """Give a model its name, and the models in it theirs; return what stands for it elsewhere."""
        for name, part in cast("Json", schema.pop("$defs", {})).items():
            self._keep(name, part)
        if schema.get("type") != "object" or "title" not in schema:
            return schema
        self._keep(str(schema["title"]), schema)
        return {"$ref": REFERENCE.format(model=schema["title"])}

    def _keep(self, name: str, schema: object) -> None:
        if self.named.setdefault(name, schema) != schema:
            raise ConflictError(f"Two schemas are called {name}.")


def document() -> Json:
    """Describe all that a client can ask.

    Raises:
        ConflictError: One path, one name of an operation or of a schema is used for different things.
    """
    schemas = Schemas()
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
        "info": {"title": "Tasks for users of Better Auth", "version": "1"},
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted(schemas.named.items())),
            "responses": dict(_refusals()),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operations(schemas: Schemas) -> Iterator[tuple[str, str, Json]]:
    for service in SERVICES:
        for route in _listed(import_module(f"{service}.routes").router.routes):
            refusals = {*EVERYWHERE, *(WITH_BODY if isinstance(_reader(route), Body) else ())}
            refusals |= {403} if _names_a_user(route) else set()
            refusals |= {404} if "task_id" in route.param_convertors else set()
            yield route.path, _verb(route), {**_operation(route, schemas, refusals), "security": [{"token": []}]}


def _public_operations(schemas: Schemas) -> Iterator[tuple[str, str, Json]]:
    async def ready(_: Request) -> Mapping[str, State]:
        return {}

    for route in _listed([*pages("auth-gateway", ready), *import_module("auth_gateway.routes").documents]):
        yield route.path, _verb(route), _operation(route, schemas, {429, *OWN.get(route.path, ())})


def _listed(routes: Iterable[BaseRoute]) -> list[APIRoute]:
    return [route for route in routes if isinstance(route, APIRoute) and route.include_in_schema]


def _verb(route: APIRoute) -> str:
    return " ".join(route.methods or ()).lower()


def _operation(route: APIRoute, schemas: Schemas, refusals: set[int]) -> Json:
    reader = _reader(route)
    answers: Json = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(refusals)}
    return {
        "operationId": route.name,
        "summary": route.name.replace("_", " ").capitalize(),
        "description": route.description,
        "tags": route.tags,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        **({"requestBody": _request_body(reader, schemas)} if isinstance(reader, Body) else {}),
        "responses": {str(route.status_code or 200): _success(route, schemas), **answers},
    }


def _reader(route: APIRoute) -> Body[BaseModel] | Query[BaseModel] | None:
    calls = [found.call for found in route.dependant.dependencies]
    readers = cast(
        "list[Body[BaseModel] | Query[BaseModel]]", [call for call in calls if isinstance(call, Body | Query)]
    )
    return readers[0] if readers else None


def _query(route: APIRoute) -> type[BaseModel]:
    reader = _reader(route)
    return reader.query if isinstance(reader, Body) else reader.model if reader else NoParameters


def _names_a_user(route: APIRoute) -> bool:
    return "user_id" in {*route.param_convertors, *_query(route).model_fields}


def _path_parameters(route: APIRoute) -> Iterator[Json]:
    for name in route.param_convertors:
        schema = {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: APIRoute) -> Iterator[Json]:
    """Describe what the query may hold; `null`, which means absent in a model, cannot be written there."""
    for name, schema in _query(route).model_json_schema().get("properties", {}).items():
        said = {member: schema[member] for member in ("description", "deprecated") if member in schema}
        (written,) = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
        yield {"name": name, "in": "query", "required": False, "schema": written, **said}


def _request_body(reader: Body[BaseModel], schemas: Schemas) -> Json:
    content = {"schema": schemas.refer(reader.model.model_json_schema(ref_template=REFERENCE))}
    return {"required": reader.required, "content": dict.fromkeys(reader.media_types, content)}


def _success(route: APIRoute, schemas: Schemas) -> Json:
    description = {200: "It is done.", 201: "It is made.", 204: "It is done; there is nothing to show."}
    answer: Json = {"description": description[route.status_code or 200]}
    if route.response_model is not None:
        schema = TypeAdapter[object](route.response_model).json_schema(mode="serialization", ref_template=REFERENCE)
        return answer | {"content": {"application/json": {"schema": schemas.refer(schema)}}}
    if isinstance(route.response_class, DefaultPlaceholder):
        return answer
    return answer | {"content": {str(route.response_class.media_type): Json()}}


def _refusals() -> Iterator[tuple[str, Json]]:
    schema = {"$ref": "#/components/schemas/Problem"}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.Refusal) and kind is not errors.Refusal:
            yield str(kind.status), {"description": kind.__doc__, "content": {MEDIA_TYPE: {"schema": schema}}}


def main() -> None:
    """Write the document."""
    FILE.write_text(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
