"""What the platform tells browsers: CORS, caching, and headers that protect users."""

import re
from typing import Final

import httpx
import pytest

from e2e.support.contract import PROTECTED_PATHS, PUBLIC_PATHS, UNKNOWN_ID
from e2e.support.user_client import UserClient, UserClientFactory

REQUEST_HEADERS: Final = {
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "x-request-id",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    "x-client-version",
}
"""Headers that every front end may send, and one that `CORS_REQUEST_HEADERS` adds."""

EXPOSED_HEADERS: Final = {
    "etag",
    "link",
    "location",
    "retry-after",
    "x-request-id",
    "idempotency-replayed",
    "www-authenticate",
}

METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

PATHS: Final = (*PROTECTED_PATHS, *PUBLIC_PATHS, "/nothing")


def header_list(response: httpx.Response, name: str) -> set[str]:
    """Return the elements of a header with a comma-separated list."""
    return {element.strip() for element in response.headers[name].split(",")}


def lower_case_header_list(response: httpx.Response, name: str) -> set[str]:
    """Return the elements of a header with a list of header names, in lower case."""
    return {element.lower() for element in header_list(response, name)}


def foreign_origins(origin: str) -> list[str]:
    """Return origins that resemble the allowed one, and others."""
    scheme, _, host = origin.partition("://")
    other_scheme = {"http": "https", "https": "http"}[scheme]
    return [
        f"{origin}.evil.example",
        f"{origin}:8443",
        f"{other_scheme}://{host}",
        f"{scheme}://evil-{host}",
        f"{origin}/",
        f"{origin} {origin}",
        origin.upper(),
        "null",
        "*",
        "",
        "https://evil.example",
    ]


async def send_preflight(
    client: httpx.AsyncClient, path: str, origin: str, method: str = "PUT"
) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ", ".join(REQUEST_HEADERS),
    }
    return await client.options(path.format(task=UNKNOWN_ID, user=UNKNOWN_ID), headers=headers)


async def collect_responses(user: UserClient, anonymous: httpx.AsyncClient) -> list[httpx.Response]:
    """Return responses of every kind: successes and problems, of the services and the gateway."""
    task = await user.create_task()
    anonymous_headers: dict[str, str] = {}
    if "origin" in user.headers:
        anonymous_headers["Origin"] = user.headers["origin"]
    return [
        await user.post("/tasks", json={"title": "x"}),
        await user.get("/tasks"),
        await user.get(f"/tasks/{task['id']}"),
        await user.head("/tasks"),
        await user.delete(f"/tasks/{task['id']}"),
        await user.get("/users/me"),
        await user.options("/tasks"),
        await anonymous.get("/tasks", headers=anonymous_headers),
        await user.get(f"/users/{UNKNOWN_ID}"),
        await user.get(f"/tasks/{UNKNOWN_ID}"),
        await user.get("/nothing"),
        await user.put("/tasks"),
        await user.get("/tasks?limit=0"),
        await user.post("/tasks", content=b" " * 70_000),
        await user.post("/tasks", content=b"", headers={"Content-Type": "text/plain"}),
        await user.post("/tasks", json={}),
        await user.get("/healthz"),
        await user.get("/openapi.json"),
        await user.get("/docs"),
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_an_allowed_origin_may_send_preflight_requests(
    anonymous: httpx.AsyncClient, origin: str, path: str, method: str
) -> None:
    response = await send_preflight(anonymous, path, origin, method)

    assert response.is_success
    assert response.content in {b"", b"OK"}
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-credentials"] == "true"
    assert header_list(response, "access-control-allow-methods") == METHODS
    assert lower_case_header_list(response, "access-control-allow-headers") >= REQUEST_HEADERS
    assert response.headers["access-control-max-age"] == "600"
    assert "Origin" in header_list(response, "vary")


async def test_a_preflight_request_needs_no_valid_token(
    as_user: UserClientFactory, origin: str
) -> None:
    ann = as_user("ann")
    ann.headers["Authorization"] = "Bearer nonsense"

    response = await send_preflight(ann, "/tasks", origin)

    assert response.is_success


async def test_an_allowed_origin_may_read_every_response(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, origin: str
) -> None:
    ann = as_user("ann")
    ann.headers["Origin"] = origin

    for response in await collect_responses(ann, anonymous):
        assert response.headers.get_list("access-control-allow-origin") == [origin]
        assert response.headers["access-control-allow-credentials"] == "true"
        exposed_headers = lower_case_header_list(response, "access-control-expose-headers")
        assert exposed_headers >= EXPOSED_HEADERS
        assert "Origin" in header_list(response, "vary")


async def test_a_foreign_origin_may_read_no_response(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, origin: str
) -> None:
    for foreign_origin in foreign_origins(origin):
        headers = {"Origin": foreign_origin}
        preflight = await send_preflight(anonymous, "/tasks", foreign_origin)
        authenticated = await as_user("ann").get("/tasks", headers=headers)
        unauthenticated = await anonymous.get("/tasks", headers=headers)

        for response in (preflight, authenticated, unauthenticated):
            assert "access-control-allow-origin" not in response.headers, foreign_origin
        assert authenticated.status_code == 200
        assert unauthenticated.status_code == 401


async def test_without_an_origin_responses_have_no_cors_headers(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    for response in await collect_responses(as_user("ann"), anonymous):
        cors_headers = [name for name in response.headers if name.startswith("access-control-")]
        assert cors_headers == []


async def test_a_response_varies_by_origin_even_without_one(as_user: UserClientFactory) -> None:
    response = await as_user("ann").get("/tasks")

    assert "Origin" in header_list(response, "vary")


@pytest.mark.parametrize("path", ["/tasks", "/lists", "/labels"])
async def test_a_cached_response_is_not_used_for_another_user(
    as_user: UserClientFactory, path: str
) -> None:
    ann = as_user("ann")
    first = await ann.get(path)
    second = await ann.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert first.status_code == 200
    assert second.status_code == 304
    for response in (first, second):
        assert header_list(response, "vary") >= {"Authorization", "Origin"}
        assert response.headers["cache-control"] == "private, no-cache"


async def test_every_response_has_security_headers(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, base_url: str
) -> None:
    is_https = base_url.startswith("https:")
    for response in await collect_responses(as_user("ann"), anonymous):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] in {
            "no-referrer",
            "same-origin",
            "strict-origin",
        }
        assert "server" not in response.headers
        assert "x-powered-by" not in response.headers
        assert ("strict-transport-security" in response.headers) is is_https


async def test_personal_data_are_not_stored_by_caches(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    for response in await collect_responses(as_user("ann"), anonymous):
        if response.request.url.path in PUBLIC_PATHS:
            continue
        cache_control = "no-store"
        if "etag" in response.headers:
            cache_control = "private, no-cache"
        assert response.headers["cache-control"] == cache_control


@pytest.mark.parametrize("path", ["/docs", "/problems/not-found"])
async def test_a_page_may_load_nothing_from_other_origins(
    anonymous: httpx.AsyncClient, path: str
) -> None:
    page = await anonymous.get(path)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy: dict[str, str] = dict(
        re.findall(r"([a-z-]+) ([^;]+)", page.headers["content-security-policy"])
    )
    assert policy["default-src"] == "'none'"
    assert {"base-uri", "frame-ancestors", "form-action"} <= set(policy)
    for sources in policy.values():
        for forbidden in ("unsafe", "*", "http"):
            assert forbidden not in sources
    assert not re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page.text)
