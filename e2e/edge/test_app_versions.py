"""Two gateways with different versions of the app, as during a rolling update."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree

import httpx
import pytest
from playwright.async_api import Browser, Page, Response, expect

from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports, start_service
from devkit.platform.web_app import BUILD, build_app, install_app_packages
from e2e.support.chromium import open_page
from e2e.support.contract import assert_problem
from e2e.support.edge_testbed import Edge, EdgeTestbed

VISITS = 4

ATTEMPTS = 12
"""How often the edge asks for a file that is not found."""

HASHED_NAME = re.compile(r"^(.+-)([A-Za-z0-9_-]{8})((?:\.[a-z0-9]+)+)$")
"""A name with the hash of its content before its end."""

HEADERS = b"Content-Type: application/problem+json\r\nContent-Length: 0\r\n"


@dataclass
class KeepAliveServer:
    """A server that is healthy, finds nothing else, and never closes a connection."""

    port: int = 0
    requests_for_files: list[int] = field(default_factory=list[int])
    """How many requests for files of the app each connection has brought, if any."""

    writers: list[StreamWriter] = field(default_factory=list[StreamWriter])

    async def respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Respond to the requests of one connection."""
        self.writers.append(writer)
        requests = 0
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                status = b"404 Not Found"
                if b" /healthz " in head:
                    status = b"200 OK"
                if b" /assets/" in head:
                    requests += 1
                    if requests == 1:
                        self.requests_for_files.append(0)
                    self.requests_for_files[-1] = requests
                writer.write(b"HTTP/1.1 %b\r\n%b\r\n" % (status, HEADERS))
                await writer.drain()


def make_other_version(folder: Path) -> None:
    """Write the app with other names of all files that have a hash in their names."""
    copytree(BUILD, folder)
    new_names: dict[str, str] = {}
    for file in (folder / "assets").iterdir():
        if match := HASHED_NAME.match(file.name):
            beginning, digest, end = match.groups()
            new_names[file.name] = f"{beginning}V2{digest[:6]}{end}"
            file.rename(file.with_name(new_names[file.name]))
    assert new_names
    for file in folder.rglob("*"):
        if file.suffix in (".html", ".js", ".css"):
            text = file.read_text()
            for old_name, new_name in new_names.items():
                text = text.replace(old_name, new_name)
            file.write_text(text)


@pytest.fixture(scope="module")
async def mixed_edge(
    edge_testbed: EdgeTestbed,
    gateway_environment: Mapping[str, str],
    processes: ProcessGroup,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Edge]:
    """Run an edge in front of a gateway of each version."""
    await install_app_packages(processes)
    await build_app(processes)
    folder = tmp_path_factory.mktemp("versions")
    make_other_version(folder / "app")
    async with ProcessGroup(folder / "1") as first, ProcessGroup(folder / "2") as second:
        old = await start_gateway(first, gateway_environment, BUILD)
        new = await start_gateway(second, gateway_environment, folder / "app")
        yield await edge_testbed.start_edge(AUTH_GATEWAY_URLS=f"{old.url},{new.url}")


async def start_gateway(
    group: ProcessGroup, environment: Mapping[str, str], app_folder: Path
) -> Service:
    """Start a gateway, and wait until it shows the page of its app."""
    [port] = free_ports(1)
    settings = dict(environment) | {"APP_FOLDER": str(app_folder)}
    gateway = start_service(group, "gateway", settings, port)

    async def shows_app() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(gateway.url)).status_code == 200
            except httpx.TransportError:
                return False

    await gateway.process.wait_until(shows_app)
    return gateway


def record_missing_files(page: Page) -> list[str]:
    """Return a list that grows by each file of the app that is not found."""
    missing: list[str] = []

    def record(response: Response) -> None:
        if response.status == 404 and "/assets/" in response.url:
            missing.append(response.url)

    page.on("response", record)
    return missing


async def test_every_file_of_a_page_is_found_while_two_versions_run(
    mixed_edge: Edge, browser: Browser
) -> None:
    pages: set[str] = set()
    for _ in range(VISITS):
        async with open_page(browser) as page:
            missing = record_missing_files(page)
            response = await page.goto(mixed_edge.service.url)
            assert response
            pages.add(await response.text())

            await expect(page.get_by_role("button", name="Sign in").first).to_be_visible()
            assert missing == []
    assert len(pages) == 2


@pytest.fixture
async def keep_alive_server() -> AsyncGenerator[KeepAliveServer]:
    """Run a server that has no file."""
    stub = KeepAliveServer()
    server = await asyncio.start_server(stub.respond, "127.0.0.1", 0)
    stub.port = server.sockets[0].getsockname()[1]
    async with server:
        yield stub
        server.close()
        for writer in stub.writers:
            writer.close()


async def test_a_missing_file_is_asked_for_over_new_connections(
    edge_testbed: EdgeTestbed, keep_alive_server: KeepAliveServer
) -> None:
    """Behind the one name of several replicas, the next connection may lead to another one."""
    url = f"http://127.0.0.1:{keep_alive_server.port}"
    edge = await edge_testbed.start_edge(AUTH_GATEWAY_URLS=url)

    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        response = await client.get("/assets/app-AbCdEf12.js")

    assert response.status_code == 404
    assert keep_alive_server.requests_for_files == [1] * ATTEMPTS


async def test_a_file_that_no_version_has_is_not_found(mixed_edge: Edge) -> None:
    async with httpx.AsyncClient(base_url=mixed_edge.service.url) as client:
        response = await client.get("/assets/app-AbCdEf12.js")

    assert_problem(response, 404, "not-found")
