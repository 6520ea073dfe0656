"""The first write of a user, for which the tasks service calls the users service."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
import pytest

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service

from ..support.service import ServiceRunner

FAILING_RESPONSES = {
    "hangs up": b"",
    "speaks no HTTP": b"\x00\xff\r\n\r\n",
    "fails": b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    "refuses": b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
    "redirects": (
        b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    ),
}


@asynccontextmanager
async def _respond_with(response_bytes: bytes) -> AsyncGenerator[str]:
    """Run a server that sends the same bytes to every request, and yield its URL."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(4096)
        writer.write(response_bytes)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_only_the_first_task_of_a_user_creates_a_profile(
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
            users_rows = connection.execute("SELECT id::text, auth_subject FROM users").fetchall()
        await users.process.stop()
        assert (await owner.post("/tasks", json={"title": "Second"})).status_code == 201

    assert users_rows == [(owner.headers["x-user-id"], "owner")]


@pytest.mark.parametrize("response_bytes", FAILING_RESPONSES.values(), ids=FAILING_RESPONSES)
async def test_a_failing_users_service_affects_only_the_first_write(
    run_with_users_service: ServiceRunner, response_bytes: bytes
) -> None:
    async with _respond_with(response_bytes) as url, run_with_users_service(url) as client_for:
        response = await client_for("new").post("/tasks", json={"title": "First"})

        assert (response.status_code, response.json()["code"]) == (503, "users-unavailable")
        assert response.headers["retry-after"] == "1"
        assert (await client_for("new").get("/tasks")).json() == []


async def test_a_missing_users_service_is_reported(
    run_with_users_service: ServiceRunner,
) -> None:
    async with run_with_users_service(f"http://127.0.0.1:{free_ports(1)[0]}") as client_for:
        response = await client_for("new").post("/tasks", json={"title": "First"})

    assert (response.status_code, response.json()["code"]) == (503, "users-unavailable")


async def test_a_silent_users_service_times_out(
    run_with_users_service: ServiceRunner,
) -> None:
    async def never_respond(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never_respond, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with run_with_users_service(url) as client_for:
            response = await client_for("new").post("/tasks", json={"title": "First"})

    assert (response.status_code, response.json()["code"]) == (503, "users-unavailable")
