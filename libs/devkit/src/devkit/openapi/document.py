"""`python -m devkit.openapi.document`: write one OpenAPI document for all services.

Parameters and bodies are those that the dependencies of a route read; from them follow the problem
documents that the route can respond with.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Final, cast

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from common.health import HealthStatus, health_routes
from devkit.openapi.headers import header_components
from devkit.openapi.operations import (
    SUCCESS_DESCRIPTIONS,
    body_reader,
    describe_operation,
    method_of,
    names_a_user,
)
from devkit.openapi.problems import add_problem_schemas, problem_responses
from devkit.openapi.schemas import ConflictError, Json, SchemaRegistry
from devkit.platform.settings import CHECKOUT

OPENAPI_FILE: Final = CHECKOUT / "services/auth-gateway/src/auth_gateway/public/openapi.json"
"""The file that the gateway serves; `docs/openapi.json` is a link to it."""

ROUTER_MODULES: Final = ("tasks.routes", "users.endpoints")
"""Modules with a `router` whose paths need a token."""

COMMON_PROBLEMS: Final[Sequence[int]] = (400, 413, 414, 429, 431, 500, 502, 503, 504)
"""Statuses that every path can respond with: those of the edge and of the gateway."""

TOKEN_PROBLEMS: Final[Sequence[int]] = (401,)
"""Further statuses of paths that need a token."""

BODY_PROBLEMS: Final[Sequence[int]] = (415, 422)
"""Further statuses of paths that read a body."""

PUBLIC_PROBLEMS: Final[Mapping[str, Sequence[int]]] = {"/problems/{code}": (404,)}
"""Further statuses of paths that need no token."""

INFO: Final = {
    "title": "Task platform",
    "summary": "Tasks and profiles of users who sign in with Better Auth",
    "description": (
        "Send the token that Better Auth issued as `Authorization: Bearer <token>`: it identifies "
        "the user, who sees and changes only their own data. Every error is a problem document "
        "(RFC 9457) whose `type` is the URL of a page that says what to do: [all problem codes]"
        "(/problems/). Guides for front ends are listed at [/llms.txt](/llms.txt). "
        "HEAD works wherever GET does."
    ),
    "version": "1",
}

TAGS: Final = {
    "tasks": "Tasks of the user; those of other users look as if they did not exist.",
    "lists": "Lists of the user, which tasks can be in.",
    "labels": "Labels of the user, which tasks create and carry.",
    "users": "The user's profile. It is created by itself, and follows what the token says.",
    "documents": (
        "Public documents: this document, a page that shows it, the problem codes, and the guides."
    ),
    "operation": "For those who operate the platform.",
}
"""Groups of operations, with their descriptions."""

SECURITY_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token from `/api/auth/token` of your Better Auth server.",
}


def build_document() -> Json:
    """Return the OpenAPI document.

    Raises:
        ConflictError: A path and method, an operation id or a schema name is used twice.
    """
    schemas = SchemaRegistry()
    add_problem_schemas(schemas)
    paths: dict[str, dict[str, Json]] = {}
    for route in _service_routes():
        operation = describe_operation(route, schemas, _service_problems(route))
        operation["security"] = [{"token": []}]
        _add_operation(paths, route, operation)
    for route in _public_routes():
        problems: set[int] = set(COMMON_PROBLEMS)
        problems.update(PUBLIC_PROBLEMS.get(route.path, ()))
        operation = describe_operation(route, schemas, problems)
        operation["security"] = []
        _add_operation(paths, route, operation)
    _require_unique_ids(paths)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/", "description": "Where this document is."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.named.items())),
            "headers": header_components(),
            "responses": problem_responses(_all_statuses(paths), _codes_by_status()),
            "securitySchemes": {"token": SECURITY_SCHEME},
        },
    }


def _service_routes() -> Iterator[APIRoute]:
    for module in ROUTER_MODULES:
        yield from _documented(import_module(module).router.routes)


def _public_routes() -> Iterator[APIRoute]:
    async def is_ready(_: Request) -> Mapping[str, HealthStatus]:
        return {}

    yield from _documented(health_routes("auth-gateway", is_ready))
    yield from _documented(import_module("auth_gateway.docs_pages").routes)


def _documented(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


def _service_problems(route: APIRoute) -> set[int]:
    """Return the statuses of the problem documents that a path with a token can respond with."""
    statuses = {*COMMON_PROBLEMS, *TOKEN_PROBLEMS}
    if body_reader(route):
        statuses.update(BODY_PROBLEMS)
    if names_a_user(route):
        statuses.add(403)
    if route.param_convertors.keys() - {"user_id"}:
        statuses.add(404)
    for status in route.responses:
        if int(status) not in SUCCESS_DESCRIPTIONS:
            statuses.add(int(status))
    return statuses


def _add_operation(paths: dict[str, dict[str, Json]], route: APIRoute, operation: Json) -> None:
    path_item = paths.setdefault(route.path, {})
    method = method_of(route)
    if method in path_item:
        raise ConflictError(f"{method} {route.path} is there twice.")
    path_item[method] = operation


def _require_unique_ids(paths: Mapping[str, Mapping[str, Json]]) -> None:
    operation_ids: set[object] = set()
    for path, path_item in paths.items():
        for method, operation in path_item.items():
            operation_id = operation["operationId"]
            if operation_id in operation_ids:
                raise ConflictError(f"The name {operation_id} of {method} {path} is there twice.")
            operation_ids.add(operation_id)


def _codes_by_status() -> dict[int, list[str]]:
    catalogue = import_module("auth_gateway.problem_catalogue")
    return {status: catalogue.codes_of_status(status) for status in catalogue.problem_statuses()}


def _all_statuses(paths: Mapping[str, Mapping[str, Json]]) -> set[int]:
    statuses: set[int] = set()
    for path_item in paths.values():
        for operation in path_item.values():
            statuses.update(int(status) for status in cast("Json", operation["responses"]))
    return statuses


def main() -> None:
    """Write the document."""
    text = json.dumps(build_document(), indent=2, ensure_ascii=False)
    OPENAPI_FILE.write_text(text + "\n")


if __name__ == "__main__":
    main()
