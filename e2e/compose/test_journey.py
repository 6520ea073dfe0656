"""A front end in a real browser, from signing up to the last task deleted, at the one URL."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from secrets import token_hex
from typing import Final, TypeAlias, cast

import pytest
from playwright.async_api import Page, expect

from e2e.support.chromium import complaints_of
from e2e.support.compose_project import SAME_SITE

FRONT_END: Final = """
async ({url, email, by}) => {
  const seen = [];
  const call = async (verb, path, headers, body, credentials) => {
    const answer = await fetch(url + path, {
      method: verb, credentials, body: body && JSON.stringify(body),
      headers: {...headers, ...(body && {"Content-Type": "application/json"})},
    });
    seen.push(`${verb} ${path.replace(/[0-9a-f-]{36}/, "{id}")} ${answer.status}`);
    return {headers: answer.headers, content: answer.status === 204 ? null : await answer.json()};
  };

  const account = {name: "Ada", email, password: "a password of hers"};
  await call("POST", `/api/auth/${by}/email`, {}, account, "include");
  const {token} = (await call("GET", "/api/auth/token", {}, null, "include")).content;

  const bearer = {Authorization: `Bearer ${token}`};
  const made = await call("POST", "/tasks", bearer, {title: "Water the plants"});
  const place = made.headers.get("Location");
  const tag = (await call("GET", place, bearer)).headers.get("ETag");
  const edited = await call("PATCH", place, {...bearer, "If-Match": tag || "*"}, {is_completed: true});
  await call("DELETE", place, bearer);
  const left = await call("GET", "/tasks", bearer);
  const gone = await call("GET", place, bearer);
  return {
    seen, token, title: edited.content.title, status: edited.content.status, left: left.content.length,
    request_id: gone.headers.get("X-Request-ID") === gone.content.request_id,
  };
}
"""
"""What the code of a front end does; cookies go to Better Auth alone."""

STEPS: Final = [
    "GET /api/auth/token 200",
    "POST /tasks 201",
    "GET /tasks/{id} 200",
    "PATCH /tasks/{id} 200",
    "DELETE /tasks/{id} 204",
    "GET /tasks 200",
    "GET /tasks/{id} 404",
]

Journey: TypeAlias = Callable[[Page, str, str], Awaitable[dict[str, object]]]


@pytest.fixture
def journey(base_url: str) -> Journey:
    """Let a front end in a page log somebody in, by `sign-up` or `sign-in`, and do all that can be done to a task."""

    async def take(page: Page, email: str, by: str) -> dict[str, object]:
        told = {"url": base_url, "email": email, "by": by}
        done = cast("dict[str, object]", await page.evaluate(FRONT_END, told))
        assert (done["title"], done["status"], done["left"]) == ("Water the plants", "completed", 0)
        assert done["request_id"] is True
        return done

    return take


@pytest.fixture
async def front_end() -> AsyncGenerator[int]:
    """Serve an empty page at a port of this machine; without a server Chromium would not let it call this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>A front end</title>"
        )
        await writer.drain()
        writer.close()

    port = int(SAME_SITE.rpartition(":")[2])
    async with await asyncio.start_server(answer, "localhost", port):
        yield port


async def test_a_front_end_at_another_origin(page: Page, front_end: int, journey: Journey) -> None:
    await page.goto(f"http://localhost:{front_end}")

    done = await journey(page, f"{token_hex(8)}@example.test", "sign-up")

    assert done["seen"] == ["POST /api/auth/sign-up/email 200", *STEPS]


@pytest.mark.scenario("S001-SC-005", "S002-SC-005")
async def test_a_front_end_at_the_same_origin_and_then_the_page_of_the_api(
    page: Page, base_url: str, journey: Journey
) -> None:
    email = f"{token_hex(8)}@example.test"
    await page.goto(f"{base_url}/docs")
    assert (await journey(page, email, "sign-up"))["seen"] == [
        "POST /api/auth/sign-up/email 200",
        *STEPS,
    ]
    done = await journey(page, email, "sign-in")
    assert done["seen"] == ["POST /api/auth/sign-in/email 200", *STEPS]

    complaints = complaints_of(page, base_url)
    await page.get_by_label("Token").fill(str(done["token"]))
    operation = page.locator("#create_task")
    await operation.locator("summary").first.click()
    await operation.get_by_label("body").fill('{"title": "Feed the cat"}')
    await operation.get_by_role("button", name="Try it").click()

    await expect(operation).to_contain_text(re.compile('"title": "Feed the cat"'))
    assert complaints == []


async def test_a_page_of_a_stranger_gets_nothing(page: Page, front_end: int, base_url: str) -> None:
    await page.goto(f"http://127.0.0.1:{front_end}")

    got = await page.evaluate(
        "(url) => fetch(url + '/healthz').then(() => 'an answer', () => 'nothing')", base_url
    )

    assert got == "nothing"
