"""The API reference in a real browser."""

import json
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from secrets import token_hex

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, local_url, start_service
from e2e.support.better_auth import start_better_auth
from e2e.support.chromium import record_page_errors
from e2e.support.contract import UNKNOWN_ID
from e2e.support.entrypoint import EDGE, GATEWAY_MODE, TRAEFIK, start_entrypoint
from e2e.support.user_client import UserClient, UserClientFactory

PHONE_PIXELS = 360


@pytest.fixture
def ada(as_user: UserClientFactory) -> UserClient:
    """Return the client of the user who reads the page."""
    return as_user("ada")


@pytest.fixture(scope="session")
async def sign_in_url(
    request: pytest.FixtureRequest,
    processes: ProcessGroup,
    platform: Platform,
    keys: PassportKeys,
) -> AsyncGenerator[str]:
    """Run a Better Auth server at the public URL; containers and clusters have one there."""
    if EDGE in ("compose", "kubernetes"):
        yield request.getfixturevalue("base_url")
        return
    public_port, gateway_port = free_ports(2)
    if TRAEFIK is None:
        gateway_port = public_port
    url = local_url(public_port)
    async with AsyncExitStack() as clients:
        better_auth = await start_better_auth(processes, clients, BETTER_AUTH_URL=url)
        environment = dict(minimal_environment()) | GATEWAY_MODE
        environment["TASKS_URL"] = platform.tasks.url
        environment["USERS_URL"] = platform.users.url
        environment["PASSPORT_PRIVATE_KEY"] = keys.private
        environment["BETTER_AUTH_URL"] = url
        environment["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        environment["BETTER_AUTH_SERVER_URL"] = better_auth.url
        gateway = start_service(processes, "gateway", environment, gateway_port)
        entrypoint = start_entrypoint(processes, gateway, environment, port=public_port)
        await entrypoint.wait_until_ready()
        yield url


async def sign_up(page: Page, url: str) -> str:
    """Sign a new user up in the browser of the page, and return the session's token."""
    account = {"name": "Ada", "email": f"{token_hex(8)}@example.test", "password": token_hex(8)}
    response = await page.request.post(
        f"{url}/api/auth/sign-up/email", data=account, headers={"Origin": url}
    )
    assert response.ok
    token = await page.request.get(f"{url}/api/auth/token")
    return str((await token.json())["token"])


async def open_docs(page: Page, url: str) -> list[str]:
    """Open the page, wait for its operations, and return a list that grows by its errors."""
    errors = record_page_errors(page, [url])
    await page.goto(f"{url}/docs")
    await expect(page.locator(".opblock").first).to_be_visible()
    return errors


async def paste_token(page: Page, user: UserClient) -> None:
    token = user.headers["authorization"].removeprefix("Bearer ")
    await page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    await dialog.get_by_role("textbox").fill(token)
    await dialog.get_by_role("button", name="Apply credentials").click()
    await dialog.get_by_role("button", name="Close").first.click()


async def unfold(page: Page, operation_id: str) -> Locator:
    """Unfold an operation of the page and return it."""
    operation = page.locator(f"[id$=-{operation_id}]")
    await operation.locator(".opblock-summary-control").click()
    return operation


async def execute(operation: Locator, status: int) -> Locator:
    """Send the request of an unfolded operation, and return its response."""
    await operation.get_by_role("button", name="Execute").click()
    response = operation.locator(".live-responses-table")
    await expect(response.locator(".response-col_status").last).to_contain_text(str(status))
    return response


async def shown_operations(page: Page) -> list[str]:
    """Return method and path of all operations that the page lists."""
    methods = await page.locator(".opblock-summary-method").all_text_contents()
    paths = await page.locator(".opblock-summary-path").all_text_contents()
    operations: list[str] = []
    for method, path in zip(methods, paths, strict=True):
        # Swagger UI puts spaces without width where a long path may be broken.
        plain_path = path.replace("\u200b", "")
        operations.append(f"{method} {plain_path}")
    return operations


def without_statuses(errors: Sequence[str], *statuses: int) -> list[str]:
    """Return the errors without those that Chromium reports for responses with these statuses."""
    ignored = tuple(f"status of {status}" for status in statuses)
    return [error for error in errors if not any(text in error for text in ignored)]


@pytest.mark.scenario("S001-SC-005")
async def test_one_click_sends_requests_as_the_signed_in_user(page: Page, sign_in_url: str) -> None:
    token = await sign_up(page, sign_in_url)
    errors = await open_docs(page, sign_in_url)

    await page.get_by_role("button", name="Use my session").click()
    await expect(page.get_by_role("status").first).to_contain_text("as the signed-in user until")
    operation = await unfold(page, "create_task")
    response = await execute(operation, 201)

    await expect(response).to_contain_text('"title": "Water the plants"')
    tasks = await page.request.get(
        f"{sign_in_url}/tasks", headers={"Authorization": f"Bearer {token}"}
    )
    assert [task["title"] for task in await tasks.json()] == ["Water the plants"]
    assert errors == []


async def test_the_token_of_the_session_is_kept_in_memory_only(
    page: Page, sign_in_url: str
) -> None:
    await sign_up(page, sign_in_url)
    await open_docs(page, sign_in_url)

    await page.get_by_role("button", name="Use my session").click()
    await expect(page.get_by_role("status").first).to_contain_text("as the signed-in user until")

    stored = await page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, document.cookie, location.href,"
        " (await indexedDB.databases()).length]"
    )
    assert stored == [0, 0, "", f"{sign_in_url}/docs", 0]


async def test_a_reader_who_is_not_signed_in_is_told_where_to_sign_in(
    page: Page, sign_in_url: str
) -> None:
    errors = await open_docs(page, sign_in_url)

    await page.get_by_role("button", name="Use my session").click()

    status = page.get_by_role("status").first
    await expect(status).to_contain_text("Nobody is signed in")
    assert await status.get_by_role("link", name="Sign in").get_attribute("href") == "/"
    assert without_statuses(errors, 401) == []


async def test_after_signing_out_the_button_forgets_the_token(page: Page, sign_in_url: str) -> None:
    await sign_up(page, sign_in_url)
    await open_docs(page, sign_in_url)
    status = page.get_by_role("status").first
    await page.get_by_role("button", name="Use my session").click()
    await expect(status).to_contain_text("as the signed-in user until")
    await page.request.post(
        f"{sign_in_url}/api/auth/sign-out", headers={"Origin": sign_in_url}, data={}
    )

    await page.get_by_role("button", name="Use my session").click()

    await expect(status).to_contain_text("Nobody is signed in")
    await execute(await unfold(page, "get_me"), 401)


async def test_where_there_is_no_sign_in_a_reader_is_told_to_paste_a_token(
    page: Page, platform: Platform
) -> None:
    errors = await open_docs(page, platform.gateway.url)

    await page.get_by_role("button", name="Use my session").click()

    await expect(page.get_by_role("status").first).to_contain_text("paste a token")
    assert without_statuses(errors, 404) == []


async def test_a_user_pastes_a_token_imports_the_example_and_exports_it(
    page: Page, base_url: str, ada: UserClient
) -> None:
    errors = await open_docs(page, base_url)
    await paste_token(page, ada)

    imported = await execute(await unfold(page, "import_me"), 200)
    await expect(imported).to_contain_text('"created": 1')
    exported = await execute(await unfold(page, "export_me"), 200)
    await expect(exported).to_contain_text('"title":"Water the plants"')

    profile = await ada.get("/users/me")
    assert profile.json()["time_zone"] == "Europe/Berlin"
    assert await page.evaluate("localStorage.length") == 0
    assert errors == []


async def test_examples_of_optional_parameters_are_not_sent(
    page: Page, base_url: str, ada: UserClient
) -> None:
    await open_docs(page, base_url)
    await paste_token(page, ada)
    operation = await unfold(page, "list_tasks")

    async with page.expect_request(re.compile("/tasks")) as request_info:
        await execute(operation, 200)

    request = await request_info.value
    assert request.url == f"{base_url}/tasks"
    await expect(operation.get_by_text("Such as").first).to_be_visible()


async def test_a_problem_links_to_its_page(page: Page, base_url: str) -> None:
    errors = await open_docs(page, base_url)
    operation = await unfold(page, "get_task")
    await operation.get_by_placeholder("task_id").fill(UNKNOWN_ID)

    response = await execute(operation, 401)
    await expect(response).to_contain_text("www-authenticate: Bearer")
    async with page.context.expect_page() as opened:
        await operation.get_by_role("link", name="What token-missing means").click()

    explanation = await opened.value
    await expect(explanation.get_by_role("heading", level=1)).to_have_text("token-missing")
    assert without_statuses(errors, 401) == []


async def test_the_codes_of_a_status_link_to_their_pages(page: Page, base_url: str) -> None:
    await open_docs(page, base_url)
    operation = await unfold(page, "get_task")

    async with page.context.expect_page() as opened:
        await operation.get_by_role("link", name="task-not-found").click()
    explanation = await opened.value
    errors = record_page_errors(explanation, [base_url])
    await explanation.get_by_role("link", name="All problem codes").click()
    await explanation.get_by_role("link", name="uuid-parsing").click()

    await expect(explanation.get_by_role("heading", level=1)).to_have_text("uuid-parsing")
    assert errors == []


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("import", ["POST /users/me/import"]),
        ("post MOVE", ["POST /lists/{list_id}/move", "POST /tasks/{task_id}/move"]),
        ("explain a problem code", ["GET /problems/{code}"]),
        ("since", ["GET /tasks/changes"]),
        ("no such words", []),
    ],
)
async def test_a_search_finds_operations(
    page: Page, base_url: str, phrase: str, found: list[str]
) -> None:
    errors = await open_docs(page, base_url)
    all_operations = await shown_operations(page)
    search = page.get_by_role("searchbox", name="Search operations")

    await search.fill(phrase)
    if found:
        await expect(page.locator(".opblock")).to_have_count(len(found))
        assert sorted(await shown_operations(page)) == found
    else:
        await expect(page.get_by_text("No operation has all these words.")).to_be_visible()
        assert await shown_operations(page) == []
    await search.fill("")

    await expect(page.locator(".opblock")).to_have_count(len(all_operations))
    assert errors == []


async def test_the_page_shows_every_operation_of_the_document(page: Page, base_url: str) -> None:
    await open_docs(page, base_url)

    document = await (await page.request.get(f"{base_url}/openapi.json")).json()
    documented = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert set(await shown_operations(page)) == documented
    assert await page.title() == "API reference · Task platform"


async def test_a_long_response_does_not_stop_the_page(
    page: Page, base_url: str, ada: UserClient
) -> None:
    lines = [json.dumps({"kind": "export", "format": 1, "user": {"time_zone": "UTC"}})]
    for number in range(500):
        time = "2026-11-21T08:30:00.000000Z"
        task = {"kind": "task", "id": f"019aa5f2-8e40-7c31-a6d9-{number:012x}", "title": "x" * 200}
        lines.append(json.dumps(task | {"created_at": time, "updated_at": time}))
    imported = await ada.post(
        "/users/me/import",
        content="\n".join(lines),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert imported.status_code == 200
    await open_docs(page, base_url)
    await paste_token(page, ada)
    operation = await unfold(page, "list_tasks")
    await operation.get_by_placeholder("limit").fill("500")

    response = await execute(operation, 200)

    await expect(response).to_contain_text('"version": 1')
    await page.get_by_role("searchbox", name="Search operations").fill("erase me")
    await expect(page.locator(".opblock")).to_have_count(1)


@pytest.mark.parametrize("path", ["/docs", "/problems/", "/problems/task-not-found"])
async def test_a_page_fits_on_a_phone_and_is_dark_at_night(
    browser: Browser, base_url: str, path: str
) -> None:
    phone = ViewportSize(width=PHONE_PIXELS, height=740)
    async with await browser.new_context(viewport=phone, color_scheme="dark") as context:
        page = await context.new_page()
        errors = record_page_errors(page, [base_url])
        await page.goto(f"{base_url}{path}")
        if path == "/docs":
            await expect(page.locator(".opblock").first).to_be_visible()
            operation = await unfold(page, "create_task")
            # The table of responses is the widest part.
            await expect(operation.get_by_role("link", name="gateway-timeout")).to_be_visible()

        width = await page.evaluate("document.documentElement.scrollWidth")
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")

        assert width <= PHONE_PIXELS
        assert background == "rgb(28, 32, 34)"
        assert errors == []
