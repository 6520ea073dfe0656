"""One trace through the edge, if there is one, the gateway, the services and their databases."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.tokens import mint_token
from devkit.testing.span_receiver import ReceivedSpan, SpanReceiver, run_span_receiver
from e2e.support.entrypoint import TRAEFIK
from e2e.support.isolated_platform import IsolatedPlatform, run_isolated_platform
from e2e.support.user_client import UserClient

QUICK_SECONDS = 3
"""More than a request takes on a busy machine, and less than a sender waits for a receiver."""

SUBJECT = "c0ffee00-0000-4000-8000-000000000002"


def entrypoint_paths(method: str, route: str) -> set[str]:
    """Return the spans of every authenticated request before the one of its service."""
    if TRAEFIK is None:
        return {f"auth-gateway {method} {route}"}
    root = f"edge {method}"
    return {
        root,
        f"{root} > edge AuthRequest",
        f"{root} > edge AuthRequest > auth-gateway GET /decide",
    }


def service_paths(method: str, route: str, *paths: str) -> set[str]:
    """Return the spans of a request that a service answers.

    Args:
        method: Its method.
        route: The part of its path by which its service is chosen.
        paths: The spans of the service and of what it calls.
    """
    before = f"auth-gateway {method} {route}"
    expected = entrypoint_paths(method, route)
    if TRAEFIK is not None:
        before = f"edge {method} > edge ReverseProxy"
        expected.add(before)
    return expected | {f"{before} > {path}" for path in paths}


@pytest.fixture(scope="module")
async def receiver() -> AsyncGenerator[SpanReceiver]:
    """Run a receiver of spans."""
    async with run_span_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def traced_platform(
    receiver: SpanReceiver, databases: MigratedDatabases
) -> AsyncGenerator[IsolatedPlatform]:
    """Run a platform that sends its spans there, ten times a second."""
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    async with run_isolated_platform(
        urls, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_BSP_SCHEDULE_DELAY="100"
    ) as platform:
        yield platform


@pytest.fixture
def user(traced_platform: IsolatedPlatform) -> UserClient:
    """Return a client whose token contains an e-mail address."""
    client = traced_platform.client_for(SUBJECT)
    token = mint_token(traced_platform.secret, SUBJECT, email="secret@example.com")
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@dataclass(frozen=True)
class Trace:
    """What the receiver has of the trace of one request."""

    receiver: SpanReceiver
    trace_id: str = field(default_factory=lambda: token_hex(16))
    client_span_id: str = field(default_factory=lambda: token_hex(8))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that make a request a part of the trace."""
        return {
            "traceparent": f"00-{self.trace_id}-{self.client_span_id}-01",
            "X-Request-ID": self.trace_id,
        }

    @property
    def spans(self) -> list[ReceivedSpan]:
        """The spans that have arrived."""
        return [span for span in self.receiver.spans if span.trace_id == self.trace_id]

    def paths(self) -> set[str]:
        """Return each span after those that contain it. The client's contains all of them."""
        spans = {span.span_id: span for span in self.spans}
        paths: set[str] = set()
        for span in spans.values():
            path = f"{span.service} {span.name}"
            parent_id = span.parent_id
            while parent_id in spans:
                path = f"{spans[parent_id].service} {spans[parent_id].name} > {path}"
                parent_id = spans[parent_id].parent_id
            if parent_id != self.client_span_id:
                path = f"lost > {path}"
            paths.add(path)
        return paths

    async def require_paths(self, expected: set[str]) -> None:
        """Wait until these spans have arrived, and no other."""
        with suppress(TimeoutError):
            await self.receiver.wait_for_spans(lambda _: self.paths() == expected)
        assert self.paths() == expected
        for span in self.spans:
            if span.kind == "SERVER":
                assert span.attributes["http.response.header.x-request-id"] == [self.trace_id]

    def errors(self) -> set[str]:
        """Return the spans that failed."""
        return {f"{span.service} {span.name}" for span in self.spans if span.is_error}


def require_no_text_of_users(receiver: SpanReceiver) -> None:
    """Require that no text, e-mail address, token or passport has arrived."""
    assert b"secret" not in receiver.payload
    assert b"eyJ" not in receiver.payload


async def test_the_first_task_of_a_user_is_one_trace_through_all_services(
    user: UserClient, receiver: SpanReceiver
) -> None:
    trace = Trace(receiver)

    response = await user.post("/tasks", json={"title": "secret"}, headers=trace.headers)

    assert response.status_code == 201
    tasks = "tasks POST /tasks"
    users = f"{tasks} > tasks PUT > users PUT /internal/users/me"
    await trace.require_paths(
        service_paths(
            "POST",
            "/tasks",
            tasks,
            f"{tasks} > tasks INSERT INTO tasks UPDATE owners",
            f"{tasks} > tasks INSERT INTO owners",
            f"{tasks} > tasks SELECT",
            f"{tasks} > tasks PUT",
            users,
            f"{users} > users SELECT",
            f"{users} > users INSERT INTO users",
        )
    )
    assert not trace.errors()
    require_no_text_of_users(receiver)


async def test_a_streamed_response_is_one_trace(user: UserClient, receiver: SpanReceiver) -> None:
    await user.create_task("secret")
    trace = Trace(receiver)

    response = await user.get("/users/me/export", headers=trace.headers)

    assert len(response.text.splitlines()) > 1
    users = "users GET /users/me/export"
    tasks = f"{users} > users GET > tasks GET /internal/owner/export"
    await trace.require_paths(
        service_paths(
            "GET",
            "/users",
            users,
            f"{users} > users SELECT",
            f"{users} > users GET",
            tasks,
            f"{tasks} > tasks SELECT",
        )
    )
    assert not trace.errors()
    require_no_text_of_users(receiver)


async def test_a_search_is_one_trace_without_its_words(
    user: UserClient, receiver: SpanReceiver
) -> None:
    trace = Trace(receiver)

    response = await user.get("/tasks", params={"q": "secret"}, headers=trace.headers)

    assert response.status_code == 200
    tasks = "tasks GET /tasks"
    await trace.require_paths(service_paths("GET", "/tasks", tasks, f"{tasks} > tasks SELECT"))
    require_no_text_of_users(receiver)


async def test_a_refused_token_is_one_trace(user: UserClient, receiver: SpanReceiver) -> None:
    trace = Trace(receiver)
    user.headers["Authorization"] = "Bearer secret"

    response = await user.get("/tasks", headers=trace.headers)

    assert response.status_code == 401
    await trace.require_paths(entrypoint_paths("GET", "/tasks"))
    require_no_text_of_users(receiver)


async def test_a_service_that_is_away_is_an_error_of_the_entrypoint(
    user: UserClient, receiver: SpanReceiver, traced_platform: IsolatedPlatform
) -> None:
    trace = Trace(receiver)
    traced_platform.kill("tasks", "users")

    response = await user.get("/tasks", headers=trace.headers)

    assert response.status_code == 502
    if TRAEFIK is None:
        await trace.require_paths(entrypoint_paths("GET", "/tasks"))
        assert trace.errors() == {"auth-gateway GET /tasks"}
        return
    page = "auth-gateway GET /edge-errors/{status}"
    await trace.require_paths(service_paths("GET", "/tasks", page))
    assert trace.errors() == {"edge GET", "edge ReverseProxy", page}


async def test_a_receiver_that_is_away_delays_no_request(
    user: UserClient, receiver: SpanReceiver
) -> None:
    await receiver.stop()

    for _ in range(3):
        response = await user.get("/docs", timeout=QUICK_SECONDS)
        assert response.status_code == 200
        await asyncio.sleep(0.2)
