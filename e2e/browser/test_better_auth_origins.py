"""A browser app at another origin signs in, fetches a token and uses it; no other origin can."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from playwright.async_api import Page

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from e2e.support.better_auth import PUBLIC_URL, start_better_auth
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint

SIGN_UP = """async ({url, email}) => {
    const call = async (path, options) => {
        const response = await fetch(url + path, {credentials: "include", ...options});
        return {response, body: await response.json()};
    };
    const credentials = {email, password: "a good password", name: "Ada"};
    const {response} = await call("/api/auth/sign-up/email", {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(credentials),
    });
    const {body: {token}} = await call("/api/auth/token");
    return {sessionToken: response.headers.get("set-auth-token"), token};
}"""

LIST_TASKS = """async ({url, token}) => {
    const headers = {Authorization: `Bearer ${token}`};
    return (await fetch(`${url}/tasks`, {headers})).status;
}"""


@dataclass(frozen=True)
class Origins:
    """Where everything is; each is an origin of its own."""

    better_auth: str
    """The server itself."""

    entrypoint: str
    """The gateway or the edge, which shows Better Auth at `/api/auth/`."""

    app: str
    """The one origin that may call both."""

    stranger: str

    def server(self, name: str) -> str:
        """Return the URL at which Better Auth is called."""
        urls = {"better-auth": self.better_auth, "entrypoint": self.entrypoint}
        return urls[name]


async def serve_empty_page(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Respond to a request with an empty page."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    await writer.drain()
    writer.close()


def gateway_environment(platform: Platform, keys: PassportKeys) -> Mapping[str, str]:
    return dict(minimal_environment()) | {
        "TASKS_URL": platform.tasks.url,
        "USERS_URL": platform.users.url,
        "PASSPORT_PRIVATE_KEY": keys.private,
        "BETTER_AUTH_URL": PUBLIC_URL,
    }


@pytest.fixture(scope="module")
async def origins(
    tmp_path_factory: pytest.TempPathFactory, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[Origins]:
    """Start a Better Auth server, a gateway, and servers of two front ends."""
    logs: Path = tmp_path_factory.mktemp("origins")
    async with AsyncExitStack() as stack:
        pages: list[str] = []
        for port in free_ports(2):
            server = await asyncio.start_server(serve_empty_page, "127.0.0.1", port)
            await stack.enter_async_context(server)
            pages.append(f"http://127.0.0.1:{port}")
        group = await stack.enter_async_context(ProcessGroup(logs))
        better_auth = await start_better_auth(group, stack, TRUSTED_ORIGINS=pages[0])
        environment = dict(gateway_environment(platform, keys))
        environment["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        environment["BETTER_AUTH_SERVER_URL"] = better_auth.url
        environment["CORS_ORIGINS"] = pages[0]
        [port] = free_ports(1)
        gateway = start_service(group, "gateway", environment | GATEWAY_MODE, port)
        entrypoint = start_entrypoint(group, gateway, environment)
        await entrypoint.wait_until_ready()
        yield Origins(better_auth.url, entrypoint.url, *pages)


@pytest.mark.parametrize("server", ["better-auth", "entrypoint"])
async def test_an_app_of_a_trusted_origin_signs_in_and_fetches_a_token(
    page: Page, origins: Origins, server: str
) -> None:
    await page.goto(origins.app)

    session = await page.evaluate(
        SIGN_UP, {"url": origins.server(server), "email": f"{token_hex(8)}@example.test"}
    )
    status = await page.evaluate(LIST_TASKS, {"url": origins.entrypoint, "token": session["token"]})

    assert session["sessionToken"]
    assert status == 200


@pytest.mark.parametrize("server", ["better-auth", "entrypoint"])
async def test_a_page_of_another_origin_can_read_nothing(
    page: Page, origins: Origins, server: str
) -> None:
    await page.goto(origins.stranger)

    with pytest.raises(Exception, match="Failed to fetch"):
        await page.evaluate(
            SIGN_UP, {"url": origins.server(server), "email": f"{token_hex(8)}@example.test"}
        )


@pytest.mark.parametrize("server", ["better-auth", "entrypoint"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_the_headers_for_browsers_are_there_once(
    origins: Origins, server: str, method: str
) -> None:
    headers = {"Origin": origins.app}
    if method == "OPTIONS":
        headers["Access-Control-Request-Method"] = "POST"
    async with httpx.AsyncClient(base_url=origins.server(server)) as client:
        response = await client.request(method, "/api/auth/get-session", headers=headers)

    assert response.is_success
    assert response.headers.get_list("access-control-allow-origin") == [origins.app]
    assert response.headers.get_list("access-control-allow-credentials") == ["true"]
    assert "origin" in response.headers["vary"].lower()


@pytest.mark.parametrize("server", ["better-auth", "entrypoint"])
async def test_an_unknown_origin_gets_no_header_that_allows_it(
    origins: Origins, server: str
) -> None:
    async with httpx.AsyncClient(base_url=origins.server(server)) as client:
        for origin in (origins.stranger, f"{origins.app}.evil.test", "null", "*"):
            response = await client.get("/api/auth/get-session", headers={"Origin": origin})

            assert "access-control-allow-origin" not in response.headers
            assert "origin" in response.headers["vary"].lower()


@pytest.mark.parametrize("server", ["better-auth", "entrypoint"])
async def test_the_error_page_runs_nothing_and_is_in_no_frame(
    origins: Origins, server: str
) -> None:
    query = {"error": "x", "error_description": "<img src=x onerror=alert(1)>"}
    async with httpx.AsyncClient(base_url=origins.server(server)) as client:
        response = await client.get("/api/auth/error", params=query)

    assert response.headers["content-type"].startswith("text/html")
    assert "<img" not in response.text
    [policy] = response.headers.get_list("content-security-policy")
    assert "script-src" not in policy
    for directive in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert f"{directive} 'none'" in policy
