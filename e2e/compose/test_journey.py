"""A front end in a real browser, from signing up to deleting a task, at the public URL."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from secrets import token_hex
from typing import Final, Literal, TypeAlias, TypedDict, cast

import pytest
from playwright.async_api import Page, expect

from e2e.support.chromium import record_page_errors
from e2e.support.compose_project import SAME_SITE_ORIGIN

FRONT_END: Final = """
async ({url, email, action}) => {
  const requests = [];
  const send = async (method, path, headers, body, credentials) => {
    const response = await fetch(url + path, {
      method,
      credentials,
      body: body && JSON.stringify(body),
      headers: {...headers, ...(body && {"Content-Type": "application/json"})},
    });
    const template = path.replace(/[0-9a-f-]{36}/, "{id}");
    requests.push(`${method} ${template} ${response.status}`);
    const content = response.status === 204 ? null : await response.json();
    return {headers: response.headers, content};
  };

  const account = {name: "Ada", email, password: "a password of hers"};
  await send("POST", `/api/auth/${action}/email`, {}, account, "include");
  const {token} = (await send("GET", "/api/auth/token", {}, null, "include")).content;

  const authorization = {Authorization: `Bearer ${token}`};
  const created = await send("POST", "/tasks", authorization, {title: "Water the plants"});
  const path = created.headers.get("Location");
  const etag = (await send("GET", path, authorization)).headers.get("ETag");
  const ifMatch = {"If-Match": etag || "*"};
  const changed = await send("PATCH", path, {...authorization, ...ifMatch}, {is_completed: true});
  await send("DELETE", path, authorization);
  const remaining = await send("GET", "/tasks", authorization);
  const missing = await send("GET", path, authorization);
  return {
    requests,
    token,
    title: changed.content.title,
    status: changed.content.status,
    remaining: remaining.content.length,
    has_request_id: missing.headers.get("X-Request-ID") === missing.content.request_id,
  };
}
"""
"""The code of a front end; cookies are sent to Better Auth only."""

TASK_REQUESTS: Final = [
    "GET /api/auth/token 200",
    "POST /tasks 201",
    "GET /tasks/{id} 200",
    "PATCH /tasks/{id} 200",
    "DELETE /tasks/{id} 204",
    "GET /tasks 200",
    "GET /tasks/{id} 404",
]

EMPTY_PAGE: Final = (
    b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>A front end</title>"
)


class JourneyReport(TypedDict):
    """What the front end reports about its requests."""

    requests: list[str]
    token: str
    title: str
    status: str
    remaining: int
    has_request_id: bool


Journey: TypeAlias = Callable[[Page, str, Literal["sign-up", "sign-in"]], Awaitable[JourneyReport]]


@pytest.fixture
def journey(base_url: str) -> Journey:
    """Run the front end in a page: sign up or in, and do everything with a task."""

    async def run(page: Page, email: str, action: Literal["sign-up", "sign-in"]) -> JourneyReport:
        arguments = {"url": base_url, "email": email, "action": action}
        report = cast("JourneyReport", await page.evaluate(FRONT_END, arguments))
        assert report["requests"] == [f"POST /api/auth/{action}/email 200", *TASK_REQUESTS]
        assert report["title"] == "Water the plants"
        assert report["status"] == "completed"
        assert report["remaining"] == 0
        assert report["has_request_id"] is True
        return report

    return run


@pytest.fixture
async def front_end_port() -> AsyncGenerator[int]:
    """Serve an empty page on a local port.

    Chromium does not let a page without a server send requests to this machine.
    """

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(EMPTY_PAGE)
        await writer.drain()
        writer.close()

    port = int(SAME_SITE_ORIGIN.rpartition(":")[2])
    async with await asyncio.start_server(respond, "localhost", port):
        yield port


async def test_a_front_end_at_another_origin(
    page: Page, front_end_port: int, journey: Journey
) -> None:
    await page.goto(f"http://localhost:{front_end_port}")

    await journey(page, f"{token_hex(8)}@example.test", "sign-up")


@pytest.mark.scenario("S001-SC-005", "S002-SC-005")
async def test_a_front_end_at_the_same_origin_and_the_api_reference(
    page: Page, base_url: str, journey: Journey
) -> None:
    email = f"{token_hex(8)}@example.test"
    await page.goto(f"{base_url}/docs")
    await journey(page, email, "sign-up")
    await journey(page, email, "sign-in")

    errors = record_page_errors(page, [base_url])
    await page.get_by_role("button", name="Use my session").click()
    await expect(page.get_by_role("status").first).to_contain_text("as the signed-in user until")
    operation = page.locator("[id$=-create_task]")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("textbox").last.fill('{"title": "Feed the cat"}')
    await operation.get_by_role("button", name="Execute").click()

    response = operation.locator(".live-responses-table")
    await expect(response).to_contain_text('"title": "Feed the cat"')
    assert errors == []


async def test_a_page_of_an_unknown_origin_can_read_nothing(
    page: Page, front_end_port: int, base_url: str
) -> None:
    await page.goto(f"http://127.0.0.1:{front_end_port}")

    outcome = await page.evaluate(
        "(url) => fetch(url + '/healthz').then(() => 'a response', () => 'nothing')", base_url
    )

    assert outcome == "nothing"
