"""What browsers are told: which origins may call, and what may be done with an answer."""

import re
from typing import Final

import httpx
import pytest

from e2e.support.contract import PROTECTED, PUBLIC, SOME_ID
from e2e.support.user_client import AsUser, Person

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
"""What every front end may send, and one header that the platform of these tests is told of."""

ANSWER_HEADERS: Final = {
    "etag",
    "link",
    "location",
    "retry-after",
    "x-request-id",
    "idempotency-replayed",
    "www-authenticate",
}

VERBS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

ADDRESSES: Final = (*PROTECTED, *PUBLIC, "/nothing")


def listed(answer: httpx.Response, name: str) -> set[str]:
    return {each.strip() for each in answer.headers[name].split(",")}


def strangers(origin: str) -> list[str]:
    """Return origins that resemble the one that is allowed, and others."""
    scheme, _, host = origin.partition("://")
    other_scheme = "http" if scheme == "https" else "https"
    alike = [
        f"{origin}.evil.example",
        f"{origin}:8443",
        f"{other_scheme}://{host}",
        f"{scheme}://evil-{host}",
    ]
    return [
        *alike,
        f"{origin}/",
        f"{origin} {origin}",
        origin.upper(),
        "null",
        "*",
        "",
        "https://evil.example",
    ]


async def preflight(
    client: httpx.AsyncClient, path: str, origin: str, verb: str = "PUT"
) -> httpx.Response:
    asked = {
        "Access-Control-Request-Method": verb,
        "Access-Control-Request-Headers": ", ".join(REQUEST_HEADERS),
    }
    return await client.options(
        path.format(task=SOME_ID, user=SOME_ID), headers={"Origin": origin, **asked}
    )


async def answers_of_all_kinds(person: Person, nobody: httpx.AsyncClient) -> list[httpx.Response]:
    task = await person.add()
    origin = {"Origin": person.headers["origin"]} if "origin" in person.headers else {}
    return [
        await person.post("/tasks", json={"title": "x"}),
        await person.get("/tasks"),
        await person.get(f"/tasks/{task['id']}"),
        await person.head("/tasks"),
        await person.delete(f"/tasks/{task['id']}"),
        await person.get("/users/me"),
        await person.options("/tasks"),
        await nobody.get("/tasks", headers=origin),
        await person.get(f"/users/{SOME_ID}"),
        await person.get(f"/tasks/{SOME_ID}"),
        await person.get("/nothing"),
        await person.put("/tasks"),
        await person.get("/tasks?limit=0"),
        await person.post("/tasks", content=b" " * 70_000),
        await person.post("/tasks", content=b"", headers={"Content-Type": "text/plain"}),
        await person.post("/tasks", json={}),
        await person.get("/healthz"),
        await person.get("/openapi.json"),
        await person.get("/docs"),
    ]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("verb", ["GET", "PATCH"])
async def test_a_browser_may_ask_whether_it_may_ask(
    nobody: httpx.AsyncClient, origin: str, path: str, verb: str
) -> None:
    answer = await preflight(nobody, path, origin, verb)

    assert answer.is_success
    assert answer.content in {b"", b"OK"}
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert listed(answer, "access-control-allow-methods") == VERBS
    assert {
        name.lower() for name in listed(answer, "access-control-allow-headers")
    } >= REQUEST_HEADERS
    assert answer.headers["access-control-max-age"] == "600"
    assert "Origin" in listed(answer, "vary")


async def test_a_preflight_needs_no_valid_token(as_user: AsUser, origin: str) -> None:
    ann = as_user("ann")
    ann.headers["Authorization"] = "Bearer nonsense"

    assert (await preflight(ann, "/tasks", origin)).is_success


async def test_a_page_of_an_allowed_origin_may_read_every_answer(
    as_user: AsUser, nobody: httpx.AsyncClient, origin: str
) -> None:
    ann = as_user("ann")
    ann.headers["Origin"] = origin

    for answer in await answers_of_all_kinds(ann, nobody):
        assert answer.headers.get_list("access-control-allow-origin") == [origin]
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert {
            name.lower() for name in listed(answer, "access-control-expose-headers")
        } >= ANSWER_HEADERS
        assert "Origin" in listed(answer, "vary")


async def test_a_page_of_any_other_origin_may_read_nothing(
    as_user: AsUser, nobody: httpx.AsyncClient, origin: str
) -> None:
    for stranger in strangers(origin):
        answers = [
            await preflight(nobody, "/tasks", stranger),
            await as_user("ann").get("/tasks", headers={"Origin": stranger}),
            await nobody.get("/tasks", headers={"Origin": stranger}),
        ]
        for answer in answers:
            assert "access-control-allow-origin" not in answer.headers, stranger
        assert [answer.status_code for answer in answers[1:]] == [200, 401]


async def test_whoever_is_no_browser_is_told_nothing_of_origins(
    as_user: AsUser, nobody: httpx.AsyncClient
) -> None:
    for answer in await answers_of_all_kinds(as_user("ann"), nobody):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_an_answer_depends_on_the_origin_even_when_none_was_named(as_user: AsUser) -> None:
    assert "Origin" in listed(await as_user("ann").get("/tasks"), "vary")


@pytest.mark.parametrize("path", ["/tasks", "/lists", "/labels"])
async def test_what_is_kept_of_one_user_is_not_shown_to_another(as_user: AsUser, path: str) -> None:
    ann = as_user("ann")
    first = await ann.get(path)
    again = await ann.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert [answer.status_code for answer in (first, again)] == [200, 304]
    for answer in (first, again):
        assert {"Authorization", "Origin"} <= listed(answer, "vary")
        assert answer.headers["cache-control"] == "private, no-cache"


async def test_every_answer_carries_the_headers_that_protect(
    as_user: AsUser, nobody: httpx.AsyncClient, base_url: str
) -> None:
    for answer in await answers_of_all_kinds(as_user("ann"), nobody):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin", "strict-origin"}
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers
        assert ("strict-transport-security" in answer.headers) is base_url.startswith("https:")


async def test_personal_data_are_kept_by_nobody(as_user: AsUser, nobody: httpx.AsyncClient) -> None:
    for answer in await answers_of_all_kinds(as_user("ann"), nobody):
        kept = "private, no-cache" if "etag" in answer.headers else "no-store"
        assert answer.headers["cache-control"] == kept or answer.request.url.path in PUBLIC


@pytest.mark.parametrize("path", ["/docs", "/problems/not-found"])
async def test_a_page_may_load_nothing_from_elsewhere(nobody: httpx.AsyncClient, path: str) -> None:
    page = await nobody.get(path)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy: dict[str, str] = dict(
        re.findall(r"([a-z-]+) ([^;]+)", page.headers["content-security-policy"])
    )
    assert policy["default-src"] == "'none'"
    assert {"base-uri", "frame-ancestors", "form-action"} <= set(policy)
    assert not [
        part for part in policy.values() if "unsafe" in part or "*" in part or "http" in part
    ]
    assert not re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page.text)
