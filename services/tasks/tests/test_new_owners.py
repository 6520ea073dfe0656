"""The first write of an owner whom this service has not met, for which it asks the users service."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg
import pytest

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service
from devkit.testing.auth_headers import ClientFactory

ServiceRunner = Callable[[str], AbstractAsyncContextManager[ClientFactory]]

SICK = {
    "hangs up": b"",
    "speaks no HTTP": b"\x00\xff\r\n\r\n",
    "fails": b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    "refuses": b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
    "redirects": b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
}


@asynccontextmanager
async def _answering(answer: bytes) -> AsyncGenerator[str]:
    """Listen like a users service, and give the same answer to everything."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_first_task_makes_a_profile_and_later_ones_do_without(
    run_with_users_service: ServiceRunner,
    processes: ProcessGroup,
    databases: MigratedDatabases,
    keys: PassportKeys,
) -> None:
    users_database = await databases.create("users")
    environment = database_environment({"users": users_database}, minimal_environment())
    environment |= {"PASSPORT_PUBLIC_KEYS": keys.public, "TASKS_URL": "http://127.0.0.1:1"}
    users = start_service(processes, "users", environment, free_ports(1)[0])
    await users.wait_until_ready()
    async with run_with_users_service(users.url) as client_for:
        owner = client_for("owner")
        assert (await owner.post("/tasks", json={"title": "First"})).status_code == 201
        with psycopg.connect(users_database) as connection:
            met = connection.execute("SELECT id::text, auth_subject FROM users").fetchall()
        await users.process.stop()
        assert (await owner.post("/tasks", json={"title": "Second"})).status_code == 201

    assert met == [(owner.headers["x-user-id"], "owner")]


@pytest.mark.parametrize("answer", SICK.values(), ids=SICK)
async def test_a_sick_users_service_only_keeps_new_owners_waiting(
    run_with_users_service: ServiceRunner, answer: bytes
) -> None:
    async with _answering(answer) as url, run_with_users_service(url) as client_for:
        refused = await client_for("new").post("/tasks", json={"title": "First"})

        assert (refused.status_code, refused.json()["code"]) == (503, "users-unavailable")
        assert refused.headers["retry-after"] == "1"
        assert (await client_for("new").get("/tasks")).json() == []


async def test_no_users_service_at_all_is_said_in_time(
    run_with_users_service: ServiceRunner,
) -> None:
    async with run_with_users_service(f"http://127.0.0.1:{free_ports(1)[0]}") as client_for:
        answer = await client_for("new").post("/tasks", json={"title": "First"})

    assert (answer.status_code, answer.json()["code"]) == (503, "users-unavailable")


async def test_a_silent_users_service_is_not_waited_for_beyond_its_time(
    run_with_users_service: ServiceRunner,
) -> None:
    async def say_nothing(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with run_with_users_service(url) as client_for:
            answer = await client_for("new").post("/tasks", json={"title": "First"})

    assert (answer.status_code, answer.json()["code"]) == (503, "users-unavailable")
