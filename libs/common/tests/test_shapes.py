"""Every endpoint of tasks and users reports errors in the same shape, without a database."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient, Response
from pydantic import HttpUrl, Secret
from starlette.routing import BaseRoute

import tasks.main
import tasks.routes
import users.endpoints
import users.main
from common.media_types import JSON_TYPE
from common.validation import BODY_MAX_BYTES, JsonBody
from devkit.platform.keys import PassportKeys
from devkit.testing.auth_headers import passport_headers
from tasks.settings import TasksSettings
from users.settings import UsersSettings

UNREACHABLE_DATABASE = Secret("postgresql://nobody@127.0.0.1:1/nothing")

Clients = dict[str, AsyncClient]


def routes_of(service: str, routes: list[BaseRoute]) -> list[tuple[str, APIRoute]]:
    return [(service, route) for route in routes if isinstance(route, APIRoute)]


ROUTES = routes_of("tasks", tasks.routes.router.routes) + routes_of(
    "users", users.endpoints.router.routes
)
WITH_ID = [(service, route) for service, route in ROUTES if route.param_convertors]
WITH_BODY = [
    (service, route)
    for service, route in ROUTES
    if any(isinstance(dependency.call, JsonBody) for dependency in route.dependant.dependencies)
]


def for_each(routes: list[tuple[str, APIRoute]]) -> pytest.MarkDecorator:
    names = [f"{method_of(route)} {route.path}" for _, route in routes]
    return pytest.mark.parametrize(("service", "route"), routes, ids=names)


def method_of(route: APIRoute) -> str:
    return " ".join(route.methods or ())


def media_type_of(route: APIRoute) -> str:
    """Return the media type that an endpoint reads."""
    body = (route.openapi_extra or {}).get("requestBody", {"content": {JSON_TYPE: {}}})
    return " ".join(body["content"])


def path_of(route: APIRoute, text: object = None) -> str:
    return route.path.format_map(dict.fromkeys(route.param_convertors, text or uuid4()))


def url_of(route: APIRoute) -> str:
    """Return a URL with whatever the query must have."""
    if route.name in ("change_tasks", "delete_tasks"):
        return path_of(route) + "?status=pending"
    return path_of(route)


def require_problem(response: Response, status: int, code: str) -> None:
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert (problem["type"], problem["request_id"]) == (
        f"/problems/{code}",
        response.headers["x-request-id"],
    )
    assert isinstance(problem["title"], str)
    assert isinstance(problem["detail"], str)
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    for error in problem.get("errors", []):
        assert set(error) == {"location", "code", "message"}
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"


@pytest.fixture(scope="module")
async def clients(keys: PassportKeys) -> AsyncGenerator[Clients]:
    """Create a client of each service, with a passport."""
    apps = {
        "tasks": tasks.main.create_app(
            TasksSettings(
                tasks_database_url=UNREACHABLE_DATABASE,
                passport_public_keys=(keys.public,),
                users_url=HttpUrl("http://127.0.0.1:1"),
            )
        ),
        "users": users.main.create_app(
            UsersSettings(
                users_database_url=UNREACHABLE_DATABASE,
                passport_public_keys=(keys.public,),
                tasks_url=HttpUrl("http://127.0.0.1:1"),
            )
        ),
    }
    async with AsyncExitStack() as running:
        for app in apps.values():
            await running.enter_async_context(app.router.lifespan_context(app))
        yield {name: client_of(app, keys) for name, app in apps.items()}


def client_of(app: FastAPI, keys: PassportKeys) -> AsyncClient:
    return AsyncClient(
        transport=ASGITransport(app),
        base_url="http://service",
        headers=passport_headers(keys, "ann"),
    )


@for_each(ROUTES)
async def test_a_request_without_a_valid_passport_is_401(
    clients: Clients, service: str, route: APIRoute
) -> None:
    headers = {"Authorization": "Bearer x", "X-User-Id": "x"}
    response = await clients[service].request(
        method_of(route), path_of(route, "x"), headers=headers
    )

    require_problem(response, 401, "token-invalid")
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@for_each(ROUTES)
async def test_an_unknown_parameter_is_400(clients: Clients, service: str, route: APIRoute) -> None:
    headers = {"Content-Type": media_type_of(route)}
    path = path_of(route) + "?unheard_of=1"
    response = await clients[service].request(
        method_of(route), path, content=b"{}", headers=headers
    )

    require_problem(response, 400, "bad-request")


@for_each(WITH_ID)
async def test_an_invalid_id_is_400(clients: Clients, service: str, route: APIRoute) -> None:
    response = await clients[service].request(
        method_of(route), path_of(route, "no-id"), content=b"{}"
    )

    require_problem(response, 400, "bad-request")
    assert response.json()["errors"][0]["location"][0] == "path"


@for_each(ROUTES)
async def test_an_unsupported_method_is_405(
    clients: Clients, service: str, route: APIRoute
) -> None:
    response = await clients[service].request("BREW", path_of(route))

    require_problem(response, 405, "method-not-allowed")
    assert {method_of(route), "OPTIONS"} <= set(response.headers["allow"].split(", "))


@for_each(WITH_BODY)
async def test_an_invalid_body_is_rejected(clients: Clients, service: str, route: APIRoute) -> None:
    method = method_of(route)
    path = url_of(route)
    client = clients[service]

    require_problem(await client.request(method, path, content=b"{"), 400, "bad-request")
    plain = await client.request(
        method, path, content=b"{}", headers={"Content-Type": "text/plain"}
    )
    require_problem(plain, 415, "unsupported-media-type")
    require_problem(
        await client.request(method, path, content=b" " * (BODY_MAX_BYTES + 1)),
        413,
        "content-too-large",
    )
    require_problem(
        await client.request(method, path, content=b'{"unheard_of": 1}'), 422, "invalid-body"
    )


@pytest.mark.parametrize("service", ["tasks", "users"])
async def test_an_unknown_path_is_404(clients: Clients, service: str) -> None:
    for method in ("GET", "POST", "OPTIONS", "BREW"):
        require_problem(await clients[service].request(method, "/nowhere"), 404, "not-found")
