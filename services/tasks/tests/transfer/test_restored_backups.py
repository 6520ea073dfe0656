"""After a backup was restored nobody is told that they have everything, and nothing is overwritten unseen."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import cast

import psycopg
import pytest
from httpx import AsyncClient
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from devkit.platform.databases import (
    MigratedDatabases,
    database_environment,
    declare_restored,
    migrate_database,
)
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import PROGRAMS, Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform
from devkit.testing.auth_headers import ClientFactory

from ..support.service import run_service

Restore = Callable[[Postgres, str, Path], str]

VERSIONS = "SELECT version FROM tasks UNION ALL SELECT version FROM task_tombstones"
HISTORY = "SELECT place, written_by FROM served_history"


def run_program(name: str, *arguments: str | Path) -> None:
    subprocess.run(
        [PROGRAMS / name, *arguments], check=True, capture_output=True, env=minimal_environment()
    )


def execute(url: str, statement: sql.SQL | sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def dump(url: str, folder: Path) -> Path:
    file = folder / f"{token_hex(8)}.dump"
    run_program("pg_dump", "--format=custom", f"--file={file}", url)
    return file


def into_another_database(postgres: Postgres, _: str, file: Path) -> str:
    name = f"tasks-{token_hex(8)}"
    execute(
        postgres.url(),
        sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)),
    )
    run_program("pg_restore", f"--dbname={postgres.url(name)}", "--exit-on-error", file)
    return postgres.url(name)


def over_the_database(_: Postgres, url: str, file: Path) -> str:
    run_program(
        "pg_restore", f"--dbname={url}", "--clean", "--if-exists", "--single-transaction", file
    )
    return url


def data_over_the_database(_: Postgres, url: str, file: Path) -> str:
    execute(url, sql.SQL("TRUNCATE owners, served_history, alembic_version CASCADE"))
    run_program(
        "pg_restore",
        f"--dbname={url}",
        "--data-only",
        "--single-transaction",
        "--disable-triggers",
        file,
    )
    return url


def in_place_of_the_database(postgres: Postgres, url: str, file: Path) -> str:
    name = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
    execute(postgres.url(), sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    execute(postgres.url(), sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    run_program("pg_restore", f"--dbname={url}", "--exit-on-error", file)
    return url


async def until_ready(client: AsyncClient) -> None:
    """Wait for a service that raises the versions of its owners first."""
    for _ in range(100):
        if (await client.get("/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


class Device:
    """A client that keeps what it was told."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.next = ""
        self.tags: dict[str, str] = {}

    async def add(self, title: str) -> str:
        """Make a task, whose title is the key, and return its address."""
        made = await self.client.post(
            "/tasks", json={"title": title}, headers={"Idempotency-Key": title}
        )
        assert made.status_code == 201, made.text
        return made.headers["location"]

    async def catch_up(self) -> int:
        """Ask for what was changed, and return the status."""
        answer = await self.client.get(
            "/tasks/changes", params={"since": self.next} if self.next else {}
        )
        if answer.status_code == 200:
            self.next = answer.json()["next"]
            self.tags |= {task["id"]: f'"{task["version"]}"' for task in answer.json()["tasks"]}
        return answer.status_code

    async def change(self, address: str, title: str) -> int:
        """Change what was seen as it was seen, and return the status."""
        tag = self.tags[address.rpartition("/")[2]]
        answer = await self.client.patch(address, json={"title": title}, headers={"If-Match": tag})
        return answer.status_code


def versions(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [cast("int", version) for (version,) in connection.execute(VERSIONS).fetchall()]


def history(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(HISTORY).fetchall()


@pytest.mark.parametrize(
    "restore",
    [into_another_database, over_the_database, data_over_the_database, in_place_of_the_database],
)
async def test_what_a_restored_backup_does_not_have_is_not_taken_for_known(
    databases: MigratedDatabases,
    platform: Platform,
    keys: PassportKeys,
    tmp_path: Path,
    restore: Restore,
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        kept = await device.add("Kept")
        backup = dump(url, tmp_path)
        lost = await device.add("Lost")
        edited = await device.client.patch(kept, json={"title": "Lost edit"})
        assert edited.status_code == 200
        await Device(service.client_for("later")).add("Lost-owner")
        assert await device.catch_up() == 200
        given_before = versions(url)

    restored = restore(databases.postgres, url, backup)

    async with run_service(restored, platform.users.url, keys) as service:
        device.client = service.client_for("owner")
        later = Device(service.client_for("later"))
        later.next = device.next
        await until_ready(device.client)
        assert [await device.catch_up(), await later.catch_up()] == [410, 410]
        assert await device.change(kept, "Unseen") == 412
        assert await device.change(lost, "Unseen") == 404
        await device.add("Kept")  # a retry of before is still one
        await device.add("Lost")  # what the backup does not have is done again
        await device.add("New")
        device.next = ""
        assert await device.catch_up() == 200
        assert await device.change(kept, "Seen") == 200
        titles = sorted(task["title"] for task in (await device.client.get("/tasks")).json())
        assert titles == ["Lost", "New", "Seen"]
    given_after = versions(restored)
    assert max(given_before) < max(given_after)
    assert not set(given_after) & set(given_before)


async def test_a_database_that_stays_what_it_was_keeps_its_history(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, processes: ProcessGroup
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        address = await device.add("Kept")
        assert await device.catch_up() == 200
        before = history(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM FULL FREEZE served_history")
        await migrate_database(
            processes, "tasks", database_environment({"tasks": url}, minimal_environment())
        )
        service.proxy.close_connections()

        assert await device.catch_up() == 200
        assert await device.change(address, "Changed") == 200
    assert history(url) == before


async def test_a_backup_that_is_restored_under_a_running_service_is_noticed(
    databases: MigratedDatabases,
    platform: Platform,
    keys: PassportKeys,
    tmp_path: Path,
    postgres: Postgres,
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        await device.add("Kept")
        backup = dump(url, tmp_path)
        await device.add("Lost")
        assert await device.catch_up() == 200

        in_place_of_the_database(postgres, url, backup)

        assert await device.catch_up() == 410


async def test_many_who_come_at_once_begin_another_history_once(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, postgres: Postgres
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        await device.add("Kept")
        tag = (await device.client.get("/tasks")).headers["etag"]
    name = f"tasks-{token_hex(8)}"
    copy = await postgres.create_database(name, template=str(conninfo_to_dict(url)["dbname"]))

    async with (
        run_service(copy, platform.users.url, keys) as first,
        run_service(copy, platform.users.url, keys) as second,
    ):
        people: list[ClientFactory] = [first.client_for, second.client_for]
        reads = [client_for("owner").get("/tasks") for client_for in people * 8]
        tags = {answer.headers["etag"] for answer in await asyncio.gather(*reads)}
    assert len(tags) == 1
    assert tag not in tags


async def test_a_copy_of_a_disk_is_said_to_be_one_by_hand(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, processes: ProcessGroup
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        await device.add("Kept")
        assert await device.catch_up() == 200

        said = await declare_restored(
            processes, database_environment({"tasks": url}, minimal_environment())
        )

        assert "The versions of 1 owners were raised" in said
        assert await device.catch_up() == 410
        before = history(url)
        service.proxy.close_connections()
        device.next = ""
        assert await device.catch_up() == 200
    assert history(url) == before
