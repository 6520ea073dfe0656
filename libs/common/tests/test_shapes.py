"""Every address of every service that keeps data refuses in the same shape; nothing here reaches a database."""

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

NOWHERE = Secret("postgresql://nobody@127.0.0.1:1/nothing")

Clients = dict[str, AsyncClient]


def named(service: str, routes: list[BaseRoute]) -> list[tuple[str, APIRoute]]:
    return [(service, route) for route in routes if isinstance(route, APIRoute)]


ROUTES = named("tasks", tasks.routes.router.routes) + named("users", users.endpoints.router.routes)
WITH_ID = [(service, route) for service, route in ROUTES if route.param_convertors]
WITH_BODY = [
    (service, route)
    for service, route in ROUTES
    if any(isinstance(dependency.call, JsonBody) for dependency in route.dependant.dependencies)
]


def every(routes: list[tuple[str, APIRoute]]) -> pytest.MarkDecorator:
    names = [f"{verb_of(route)} {route.path}" for _, route in routes]
    return pytest.mark.parametrize(("service", "route"), routes, ids=names)


def verb_of(route: APIRoute) -> str:
    return " ".join(route.methods or ())


def media_type_of(route: APIRoute) -> str:
    """Return what an address reads, which says so itself where that is no plain body."""
    body = (route.openapi_extra or {}).get("requestBody", {"content": {JSON_TYPE: {}}})
    return " ".join(body["content"])


def address_of(route: APIRoute, text: object = None) -> str:
    return route.path.format_map(dict.fromkeys(route.param_convertors, text or uuid4()))


def require_problem(answer: Response, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert (problem["type"], problem["request_id"]) == (
        f"/problems/{code}",
        answer.headers["x-request-id"],
    )
    assert all(isinstance(problem[member], str) for member in ("title", "detail"))
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    assert all(set(fault) == {"location", "code", "message"} for fault in problem.get("errors", []))
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.fixture(scope="module")
async def clients(keys: PassportKeys) -> AsyncGenerator[Clients]:
    """Speak to each service as somebody."""
    apps = {
        "tasks": tasks.main.create_app(
            TasksSettings(
                tasks_database_url=NOWHERE,
                passport_public_keys=(keys.public,),
                users_url=HttpUrl("http://127.0.0.1:1"),
            )
        ),
        "users": users.main.create_app(
            UsersSettings(
                users_database_url=NOWHERE,
                passport_public_keys=(keys.public,),
                tasks_url=HttpUrl("http://127.0.0.1:1"),
            )
        ),
    }
    async with AsyncExitStack() as running:
        for app in apps.values():
            await running.enter_async_context(app.router.lifespan_context(app))
        yield {name: speak_to(app, keys) for name, app in apps.items()}


def speak_to(app: FastAPI, keys: PassportKeys) -> AsyncClient:
    return AsyncClient(
        transport=ASGITransport(app),
        base_url="http://service",
        headers=passport_headers(keys, "somebody"),
    )


@every(ROUTES)
async def test_nobody_is_let_in_without_a_passport(
    clients: Clients, service: str, route: APIRoute
) -> None:
    headers = {"Authorization": "Bearer x", "X-User-Id": "x"}
    answer = await clients[service].request(verb_of(route), address_of(route, "x"), headers=headers)

    require_problem(answer, 401, "token-invalid")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@every(ROUTES)
async def test_a_parameter_that_nobody_knows_is_400(
    clients: Clients, service: str, route: APIRoute
) -> None:
    headers, address = {"Content-Type": media_type_of(route)}, address_of(route) + "?unheard_of=1"
    answer = await clients[service].request(verb_of(route), address, content=b"{}", headers=headers)

    require_problem(answer, 400, "bad-request")


@every(WITH_ID)
async def test_an_id_that_is_none_is_400(clients: Clients, service: str, route: APIRoute) -> None:
    answer = await clients[service].request(
        verb_of(route), address_of(route, "no-id"), content=b"{}"
    )

    require_problem(answer, 400, "bad-request")
    assert answer.json()["errors"][0]["location"][0] == "path"


@every(ROUTES)
async def test_a_verb_that_an_address_does_not_know_is_405(
    clients: Clients, service: str, route: APIRoute
) -> None:
    answer = await clients[service].request("BREW", address_of(route))

    require_problem(answer, 405, "method-not-allowed")
    assert {verb_of(route), "OPTIONS"} <= set(answer.headers["allow"].split(", "))


@every(WITH_BODY)
async def test_a_body_that_is_none_is_refused(
    clients: Clients, service: str, route: APIRoute
) -> None:
    verb, address, client = verb_of(route), address_of(route), clients[service]

    require_problem(await client.request(verb, address, content=b"{"), 400, "bad-request")
    plain = await client.request(
        verb, address, content=b"{}", headers={"Content-Type": "text/plain"}
    )
    require_problem(plain, 415, "unsupported-media-type")
    require_problem(
        await client.request(verb, address, content=b" " * (BODY_MAX_BYTES + 1)),
        413,
        "content-too-large",
    )
    require_problem(
        await client.request(verb, address, content=b'{"unheard_of": 1}'), 422, "invalid-body"
    )


@pytest.mark.parametrize("service", ["tasks", "users"])
async def test_an_address_that_nobody_knows_is_404(clients: Clients, service: str) -> None:
    for verb in ("GET", "POST", "OPTIONS", "BREW"):
        require_problem(await clients[service].request(verb, "/nowhere"), 404, "not-found")
