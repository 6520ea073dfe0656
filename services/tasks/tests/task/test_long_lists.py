"""Lists of many megabytes: complete, in bounded memory, consistent, for slow and fast clients."""

import asyncio
import json
import socket
from asyncio import StreamReader
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import psutil
import psycopg
import pytest
from httpx import AsyncClient
from psycopg import sql

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, free_ports, start_service
from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import Headers, passport_headers
from tasks.sync.service import PAGE_BYTES
from tasks.task.reader import HOLD_SECONDS

TASKS = 2_000
CHARACTERS = 9_000
MEMORY_MAX_BYTES = 160 * 2**20

FILL = """
    WITH owner AS (
        INSERT INTO owners (id, counter, task_count, created_at)
        VALUES ({owner}, 1000000, {tasks}, now()) RETURNING id
    )
    INSERT INTO tasks (
        id, user_id, title, description, is_completed, created_at, updated_at, version, due_date
    )
    SELECT gen_random_uuid(), id, 'Task ' || n, n || repeat({letter}, {characters}), false,
           now() - n * interval '1 minute', now(), n,
           CASE n % 3 WHEN 1 THEN current_date + n % 100 END
    FROM owner, generate_series(1, {tasks}) AS n
"""
RUNNING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Running:
    """The service as a process, and its database."""

    service: Service
    database: str
    keys: PassportKeys

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.service.url.rpartition(":")[2])

    def headers(self, name: str) -> Headers:
        """Speak as the gateway does for somebody."""
        return passport_headers(self.keys, name)

    async def fill(
        self, tasks: int = TASKS, letter: str = "x", characters: int = CHARACTERS
    ) -> str:
        """Return the name of somebody new with so many tasks."""
        name = str(uuid4())
        values = {
            "tasks": tasks,
            "letter": letter,
            "characters": characters,
            "owner": str(user_id_of(name)),
        }
        async with await psycopg.AsyncConnection.connect(
            self.database, autocommit=True
        ) as connection:
            await connection.execute(sql.SQL(FILL).format(**values))
        return name

    async def statements(self) -> int:
        """Count those that run."""
        async with await psycopg.AsyncConnection.connect(
            self.database, autocommit=True
        ) as connection:
            found = await (await connection.execute(RUNNING)).fetchone()
        return cast("int", found and found[0])

    def memory_bytes(self) -> int:
        """Return what of it is in memory."""
        processes = psutil.Process().children(recursive=True)
        [own] = [each for each in processes if each.is_running() and f"{self.port}" in _port(each)]
        return own.memory_info().rss


def _port(process: psutil.Process) -> str:
    try:
        return process.environ().get("PORT", "")
    except psutil.Error:
        return ""


@pytest.fixture(scope="module")
async def running(
    processes: ProcessGroup, databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[Running]:
    database = await databases.create("tasks")
    told = {"PASSPORT_PUBLIC_KEYS": keys.public, "USERS_URL": platform.users.url}
    environment = database_environment({"tasks": database}, minimal_environment()) | told
    service = start_service(processes, "tasks", environment, *free_ports(1))
    await service.wait_until_ready()
    yield Running(service, database, keys)
    await service.process.stop()


@pytest.fixture
def client_of(running: Running) -> Callable[[str], AsyncClient]:
    return lambda name: AsyncClient(
        base_url=running.service.url, headers=running.headers(name), timeout=60, trust_env=False
    )


@asynccontextmanager
async def asking(running: Running, name: str, path: str = "/tasks") -> AsyncGenerator[StreamReader]:
    """Ask, as a client that takes no more than a little at a time."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    sock.setblocking(False)  # noqa: FBT003 - the socket's signature
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", running.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=16_384)
    lines = "".join(f"{header}: {value}\r\n" for header, value in running.headers(name).items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: tasks\r\nConnection: close\r\n{lines}\r\n".encode())
    try:
        yield reader
    finally:
        writer.transport.abort()


async def received(reader: StreamReader) -> bytes:
    """Receive the rest at once."""
    return await reader.read(-1)


def body_of(answer: bytes) -> list[dict[str, Any]]:
    """Take a chunked answer apart that has its end."""
    rest = answer.partition(b"\r\n\r\n")[2]
    assert rest.endswith(b"\r\n0\r\n\r\n")
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return json.loads(body)


Slowly = Callable[[str, str, Callable[[], Awaitable[None]]], Awaitable[bytes]]


@pytest.fixture
def slowly(running: Running) -> Slowly:
    """Receive a list, but do something else first for longer than a connection is kept."""

    async def receive(name: str, path: str, meanwhile: Callable[[], Awaitable[None]]) -> bytes:
        async with asking(running, name, path) as reader:
            beginning = await reader.read(16_384)
            await asyncio.sleep(HOLD_SECONDS + 0.5)
            assert await running.statements() == 0
            await meanwhile()
            return beginning + await received(reader)

    return receive


async def _nothing() -> None:
    pass


async def test_a_long_list_is_whole_in_order_and_has_its_tag(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    async with client_of(name) as owner:
        answer = await owner.get("/tasks")
        assert [task["version"] for task in answer.json()] == list(range(TASKS, 0, -1))
        assert {len(task["description"]) - len(str(task["version"])) for task in answer.json()} == {
            CHARACTERS
        }
        assert (answer.headers["etag"], answer.headers["vary"]) == ('"1000000"', "Authorization")
        seen = await owner.get("/tasks", headers={"If-None-Match": answer.headers["etag"]})
        assert (seen.status_code, seen.content) == (304, b"")
        head = await owner.head("/tasks")
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", '"1000000"')
        assert "etag" not in (await owner.get("/tasks?overdue=false")).headers


async def test_a_long_page_has_as_many_tasks_as_was_asked_for_and_the_next_one(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    for sort in ("", "&sort=title", "&sort=-due"):
        async with client_of(name) as owner:
            whole = (await owner.get(f"/tasks?{sort[1:]}")).json()
            pages: list[list[dict[str, Any]]] = []
            path: str | None = f"/tasks?limit=480{sort}"
            while path:
                answer = await owner.get(path)
                pages.append(answer.json())
                path = answer.links["next"]["url"] if "next" in answer.links else None
        assert [len(page) for page in pages] == [480, 480, 480, 480, 80]
        assert [task for page in pages for task in page] == whole


@pytest.mark.parametrize(
    "query", ["", "?sort=title", "?sort=-due", "?overdue=false&sort=-updated_at", "?limit=500"]
)
async def test_a_slow_client_holds_no_connection_and_gets_the_same_list(
    running: Running, client_of: Callable[[str], AsyncClient], slowly: Slowly, query: str
) -> None:
    name = await running.fill()
    async with client_of(name) as owner:
        expected = (await owner.get(f"/tasks{query}")).json()

    assert body_of(await slowly(name, f"/tasks{query}", _nothing)) == expected


@pytest.mark.parametrize("query", ["", "?limit=500"])
async def test_a_list_that_changes_behind_a_slow_client_breaks_off_for_all_to_see(
    running: Running, client_of: Callable[[str], AsyncClient], slowly: Slowly, query: str
) -> None:
    name = await running.fill()

    async def write() -> None:
        async with client_of(name) as owner:
            assert (await owner.post("/tasks", json={"title": "New"})).status_code == 201

    answer = await slowly(name, f"/tasks{query}", write)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert not answer.endswith(b"\r\n0\r\n\r\n")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(answer.partition(b"\r\n\r\n")[2].partition(b"\r\n")[2])
    assert '"reason": "list-changed"' in running.service.process.log.read_text()


async def test_what_changes_behind_a_client_that_keeps_up_does_not_show(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    async with client_of(name) as owner, owner.stream("GET", "/tasks") as answer:
        pieces = answer.aiter_bytes()
        text = await anext(pieces)
        async with client_of(name) as other:
            assert (await other.post("/tasks", json={"title": "New"})).status_code == 201
        async for piece in pieces:
            text += piece
    assert [task["version"] for task in json.loads(text)] == list(range(TASKS, 0, -1))


async def test_a_client_that_leaves_leaves_no_statement_behind(running: Running) -> None:
    name = await running.fill()
    for _ in range(20):
        async with asking(running, name) as reader:
            await reader.read(100)
    await asyncio.sleep(1)

    assert await running.statements() == 0


async def test_a_client_that_takes_nothing_is_cut_off(running: Running) -> None:
    name = await running.fill()
    async with asking(running, name) as reader:
        await reader.read(100)
        await asyncio.sleep(8)
        answer = await received(reader)

    assert not answer.endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("letter", ["x", "\N{GRINNING FACE}"])
async def test_twenty_long_lists_at_once_take_little_memory_and_others_are_served(
    running: Running, client_of: Callable[[str], AsyncClient], letter: str
) -> None:
    names = [await running.fill(200, letter) for _ in range(20)]
    neighbour = await running.fill(20, characters=10)
    memory = list[int]()

    async def receive(name: str, number: int) -> bytes:
        async with asking(running, name) as reader:
            beginning = await reader.read(16_384)
            await asyncio.sleep(number % 5)
            return beginning + await received(reader)

    lists = asyncio.ensure_future(
        asyncio.gather(*(receive(name, number) for number, name in enumerate(names)))
    )
    async with client_of(neighbour) as other:
        while not lists.done():
            async with asyncio.timeout(5):
                assert len((await other.get("/tasks")).json()) == 20
            memory.append(running.memory_bytes())
            await asyncio.sleep(0.05)

    assert [len(body_of(answer)) for answer in await lists] == [200] * 20
    assert max(memory) < MEMORY_MAX_BYTES


async def test_who_takes_nothing_of_a_hundred_lists_is_sent_ten_and_may_read_on_afterwards(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill()
    before = running.memory_bytes()
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(asking(running, name)) for _ in range(100)]
        await asyncio.sleep(3)
        memory = running.memory_bytes()
        async with client_of(name) as owner:
            assert (await owner.get("/tasks/changes?limit=1")).status_code == 200
        await asyncio.sleep(8)
        answers = [await reader.read(12) for reader in readers]

    assert memory - before < 20 * 2**20
    assert set(answers) == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
    async with client_of(name) as owner:
        assert len((await owner.get("/tasks")).json()) == TASKS


async def test_pages_of_changes_end_when_they_are_long_and_miss_nothing(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill(400)
    versions, sizes, since = list[int](), list[int](), "0"
    async with client_of(name) as owner:
        while True:
            answer = await owner.get("/tasks/changes", params={"since": since})
            page = answer.json()
            sizes.append(len(answer.content))
            versions += [task["version"] for task in page["tasks"]]
            since = page["next"]
            if not page["has_more"]:
                break
        assert (await owner.get("/tasks/changes", params={"since": since})).json()["tasks"] == []

    assert versions == list(range(1, 401))
    assert max(sizes) < PAGE_BYTES + 50_000
    assert len(sizes) == 4


async def test_an_export_of_long_tasks_is_the_list(
    running: Running, client_of: Callable[[str], AsyncClient]
) -> None:
    name = await running.fill(600)
    async with client_of(name) as owner:
        lines = (await owner.get("/internal/owner/export")).content.splitlines()
        tasks = (await owner.get("/tasks")).json()

    assert [json.loads(line) for line in lines] == [{"kind": "task", **task} for task in tasks]
