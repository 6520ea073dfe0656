"""Lists of many megabytes: complete, in bounded memory, consistent, for slow and fast clients."""

import asyncio
import json
import socket
from asyncio import StreamReader
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from httpx import AsyncClient

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from tasks.sync.service import PAGE_BYTES
from tasks.task.reader import HOLD_SECONDS

from ..support.helpers import field_values
from ..support.running_service import CHARACTERS, TASKS, Running

LAST_CHUNK = b"\r\n0\r\n\r\n"

MEMORY_MAX_BYTES = 160 * 2**20


@pytest.fixture(scope="module")
async def running(
    processes: ProcessGroup, databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[Running]:
    database = await databases.create("tasks")
    environment = database_environment({"tasks": database}, minimal_environment())
    environment["PASSPORT_PUBLIC_KEYS"] = keys.public
    environment["USERS_URL"] = platform.users.url
    [port] = free_ports(1)
    service = start_service(processes, "tasks", environment, port)
    await service.wait_until_ready()
    yield Running(service, database, keys)
    await service.process.stop()


@pytest.fixture
def client_of(running: Running) -> Callable[[str], AsyncClient]:
    return lambda name: AsyncClient(
        base_url=running.service.url, headers=running.headers(name), timeout=60, trust_env=False
    )


@asynccontextmanager
async def slow_request(
    running: Running, name: str, path: str = "/tasks"
) -> AsyncGenerator[StreamReader]:
    """Send a request with a small receive buffer, and yield the reader of the response."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    sock.setblocking(False)  # noqa: FBT003 - the socket's signature
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", running.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=16_384)
    lines = [f"GET {path} HTTP/1.1", "Host: tasks", "Connection: close"]
    lines += [f"{header}: {value}" for header, value in running.headers(name).items()]
    head = "\r\n".join(lines) + "\r\n\r\n"
    writer.write(head.encode())
    try:
        yield reader
    finally:
        writer.transport.abort()


def dechunk(response: bytes) -> list[dict[str, Any]]:
    """Check that a chunked response is complete, and return its JSON."""
    rest = response.partition(b"\r\n\r\n")[2]
    assert rest.endswith(LAST_CHUNK)
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return json.loads(body)


SlowReceiver = Callable[[str, str, Callable[[], Awaitable[None]]], Awaitable[bytes]]


@pytest.fixture
def receive_slowly(running: Running) -> SlowReceiver:
    """Receive a list after a pause that is longer than the service holds a connection."""

    async def receive(name: str, path: str, meanwhile: Callable[[], Awaitable[None]]) -> bytes:
        async with slow_request(running, name, path) as reader:
            beginning = await reader.read(16_384)
            await asyncio.sleep(HOLD_SECONDS)
            await running.wait_until_no_statement_runs()
            await meanwhile()
            return beginning + await reader.read()

    return receive


async def _nothing() -> None:
    pass


async def test_a_long_list_is_complete_and_has_an_etag(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    async with client_of(name) as owner:
        response = await owner.get("/tasks")
        tasks = response.json()
        assert field_values(tasks, "version") == list(range(TASKS, 0, -1))
        for task in tasks:
            assert len(task["description"]) == len(str(task["version"])) + CHARACTERS
        assert response.headers["etag"] == '"1000000"'
        assert response.headers["vary"] == "Authorization"
        revalidated = await owner.get("/tasks", headers={"If-None-Match": '"1000000"'})
        assert revalidated.status_code == 304
        assert revalidated.content == b""
        head = await owner.head("/tasks")
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["etag"] == '"1000000"'
        assert "etag" not in (await owner.get("/tasks?overdue=false")).headers


@pytest.mark.parametrize("sort", ["", "sort=title", "sort=-due"])
async def test_long_pages_have_the_requested_length_and_together_are_the_list(
    running: Running, client_of: Callable[[str], AsyncClient], sort: str
) -> None:
    name = await running.fill()
    tasks: list[dict[str, Any]] = []
    page_lengths: list[int] = []
    async with client_of(name) as owner:
        complete_list = (await owner.get(f"/tasks?{sort}")).json()
        path: str | None = f"/tasks?limit=480&{sort}"
        while path:
            response = await owner.get(path)
            page = response.json()
            tasks += page
            page_lengths.append(len(page))
            path = response.links.get("next", {}).get("url")

    assert page_lengths == [480, 480, 480, 480, 80]
    assert tasks == complete_list


@pytest.mark.parametrize(
    "query", ["", "?sort=title", "?sort=-due", "?overdue=false&sort=-updated_at", "?limit=500"]
)
async def test_a_slow_client_holds_no_connection_and_receives_the_same_list(
    running: Running,
    client_of: Callable[[str], AsyncClient],
    receive_slowly: SlowReceiver,
    query: str,
) -> None:
    name = await running.fill()
    async with client_of(name) as owner:
        tasks = (await owner.get(f"/tasks{query}")).json()

    response = await receive_slowly(name, f"/tasks{query}", _nothing)

    assert dechunk(response) == tasks


@pytest.mark.parametrize("query", ["", "?limit=500"])
async def test_a_list_that_changes_before_a_slow_client_has_received_it_is_aborted(
    running: Running,
    client_of: Callable[[str], AsyncClient],
    receive_slowly: SlowReceiver,
    query: str,
) -> None:
    name = await running.fill()

    async def write() -> None:
        async with client_of(name) as owner:
            assert (await owner.post("/tasks", json={"title": "New"})).status_code == 201

    response = await receive_slowly(name, f"/tasks{query}", write)

    assert response.startswith(b"HTTP/1.1 200 OK")
    assert not response.endswith(LAST_CHUNK)
    chunks = response.partition(b"\r\n\r\n")[2]
    beginning = chunks.partition(b"\r\n")[2]
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(beginning)
    await running.wait_until_logged('"reason": "list-changed"')


async def test_a_fast_client_receives_the_list_as_it_was_at_the_request(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    async with client_of(name) as owner, owner.stream("GET", "/tasks") as response:
        chunks = response.aiter_bytes()
        content = await anext(chunks)
        async with client_of(name) as other:
            assert (await other.post("/tasks", json={"title": "New"})).status_code == 201
        async for chunk in chunks:
            content += chunk
    assert field_values(json.loads(content), "version") == list(range(TASKS, 0, -1))


async def test_a_client_that_disconnects_leaves_no_statement_running(running: Running) -> None:
    name = await running.fill()
    for _ in range(20):
        async with slow_request(running, name) as reader:
            await reader.read(100)

    await running.wait_until_no_statement_runs()


async def test_a_client_that_stops_receiving_is_disconnected(running: Running) -> None:
    name = await running.fill()
    async with slow_request(running, name) as reader:
        await reader.read(100)
        await asyncio.sleep(8)
        response = await reader.read()

    assert not response.endswith(LAST_CHUNK)


@pytest.mark.parametrize("letter", ["x", "\N{GRINNING FACE}"])
async def test_twenty_long_lists_at_once_take_little_memory_and_others_are_served(
    running: Running, client_of: Callable[[str], AsyncClient], letter: str
) -> None:
    neighbour = await running.fill(20, characters=10)
    memory_bytes: list[int] = []

    async def receive(name: str, pause_seconds: int) -> bytes:
        async with slow_request(running, name) as reader:
            beginning = await reader.read(16_384)
            await asyncio.sleep(pause_seconds)
            return beginning + await reader.read()

    requests: list[Awaitable[bytes]] = []
    for number in range(20):
        name = await running.fill(200, letter)
        requests.append(receive(name, number % 5))
    pending_responses = asyncio.gather(*requests)
    async with client_of(neighbour) as other:
        while not pending_responses.done():
            async with asyncio.timeout(5):
                assert len((await other.get("/tasks")).json()) == 20
            memory_bytes.append(running.memory_bytes())
            await asyncio.sleep(0.05)

    responses = await pending_responses
    assert len(responses) == 20
    for response in responses:
        assert len(dechunk(response)) == 200
    assert max(memory_bytes) < MEMORY_MAX_BYTES


async def test_a_client_that_reads_none_of_a_hundred_lists_is_rejected_and_can_read_later(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    memory_bytes_before = running.memory_bytes()
    async with AsyncExitStack() as stack:
        readers: list[StreamReader] = []
        for _ in range(100):
            readers.append(await stack.enter_async_context(slow_request(running, name)))
        await asyncio.sleep(3)
        memory_bytes = running.memory_bytes()
        async with client_of(name) as owner:
            assert (await owner.get("/tasks/changes?limit=1")).status_code == 200
        await asyncio.sleep(8)
        beginnings = [await reader.read(12) for reader in readers]

    assert memory_bytes - memory_bytes_before < 20 * 2**20
    assert set(beginnings) == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
    async with client_of(name) as owner:
        assert len((await owner.get("/tasks")).json()) == TASKS


async def test_pages_of_changes_have_a_maximal_size_and_miss_nothing(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill(400)
    versions: list[int] = []
    sizes: list[int] = []
    since = "0"
    has_more = True
    async with client_of(name) as owner:
        while has_more:
            response = await owner.get("/tasks/changes", params={"since": since})
            page = response.json()
            sizes.append(len(response.content))
            versions += field_values(page["tasks"], "version")
            since = page["next"]
            has_more = page["has_more"]
        last_page = await owner.get("/tasks/changes", params={"since": since})
        assert last_page.json()["tasks"] == []

    assert versions == list(range(1, 401))
    assert max(sizes) < PAGE_BYTES + 50_000
    assert len(sizes) == 4


async def test_an_export_of_long_tasks_is_the_list(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill(600)
    async with client_of(name) as owner:
        export = await owner.get("/internal/owner/export")
        tasks = (await owner.get("/tasks")).json()

    records = [json.loads(line) for line in export.content.splitlines()]
    assert records == [{"kind": "task"} | task for task in tasks]
