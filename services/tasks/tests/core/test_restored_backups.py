"""After a backup is restored, devices synchronize anew and no change is overwritten unseen."""

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

from ..support.service import run_service

Restore = Callable[[Postgres, str, Path], str]
"""Restores a backup of the database at a URL, and returns the URL of the restored database."""

SELECT_VERSIONS = "SELECT version FROM tasks UNION ALL SELECT version FROM task_tombstones"
SELECT_HISTORY = "SELECT place, written_by FROM served_history"


def run_program(name: str, arguments: list[str | Path]) -> None:
    command = [PROGRAMS / name, *arguments]
    subprocess.run(command, check=True, capture_output=True, env=minimal_environment())


def execute(url: str, query: sql.SQL | sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(query)


def create_database(postgres: Postgres, name: str) -> None:
    query = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    execute(postgres.url(), query)


def drop_database(postgres: Postgres, name: str) -> None:
    query = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    execute(postgres.url(), query)


def database_name(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def dump(url: str, folder: Path) -> Path:
    file = folder / f"{token_hex(8)}.dump"
    run_program("pg_dump", ["--format=custom", f"--file={file}", url])
    return file


def restore_dump(url: str, file: Path, options: list[str]) -> None:
    run_program("pg_restore", [f"--dbname={url}", *options, file])


def restore_into_another_database(postgres: Postgres, _: str, file: Path) -> str:
    name = f"tasks-{token_hex(8)}"
    create_database(postgres, name)
    restore_dump(postgres.url(name), file, ["--exit-on-error"])
    return postgres.url(name)


def restore_over_the_database(_: Postgres, url: str, file: Path) -> str:
    restore_dump(url, file, ["--clean", "--if-exists", "--single-transaction"])
    return url


def restore_data_over_the_database(_: Postgres, url: str, file: Path) -> str:
    execute(url, sql.SQL("TRUNCATE owners, served_history, alembic_version CASCADE"))
    restore_dump(url, file, ["--data-only", "--single-transaction", "--disable-triggers"])
    return url


def replace_the_database(postgres: Postgres, url: str, file: Path) -> str:
    drop_database(postgres, database_name(url))
    create_database(postgres, database_name(url))
    restore_dump(url, file, ["--exit-on-error"])
    return url


async def wait_until_ready(client: AsyncClient) -> None:
    """Wait for the service, which raises the versions of all owners before it is ready."""
    for _ in range(100):
        if (await client.get("/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


class Device:
    """A client that stores its sync token, and the ETags of the tasks that it has seen."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.sync_token = ""
        self.etags: dict[str, str] = {}

    async def create_task(self, title: str) -> str:
        """Create a task with its title as the idempotency key, and return its URL."""
        response = await self.client.post(
            "/tasks", json={"title": title}, headers={"Idempotency-Key": title}
        )
        assert response.status_code == 201, response.text
        return response.headers["location"]

    async def synchronize(self) -> int:
        """Fetch the changes, and return the status."""
        query_params: dict[str, str] = {}
        if self.sync_token:
            query_params["since"] = self.sync_token
        response = await self.client.get("/tasks/changes", params=query_params)
        if response.status_code == 200:
            changes = response.json()
            self.sync_token = changes["next"]
            for task in changes["tasks"]:
                self.etags[task["id"]] = f'"{task["version"]}"'
        return response.status_code

    async def change_title(self, url: str, title: str) -> int:
        """Change a task if it is still as it was seen, and return the status."""
        task_id = url.rpartition("/")[2]
        headers = {"If-Match": self.etags[task_id]}
        response = await self.client.patch(url, json={"title": title}, headers=headers)
        return response.status_code

    async def list_titles(self) -> list[str]:
        """Return the titles of all tasks, sorted."""
        tasks = (await self.client.get("/tasks")).json()
        return sorted(task["title"] for task in tasks)


def get_versions(url: str) -> set[int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(SELECT_VERSIONS).fetchall()
    return {cast("int", version) for (version,) in rows}


def get_history(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(SELECT_HISTORY).fetchall()


@pytest.mark.parametrize(
    "restore",
    [
        restore_into_another_database,
        restore_over_the_database,
        restore_data_over_the_database,
        replace_the_database,
    ],
)
async def test_devices_synchronize_anew_after_a_backup_was_restored(
    databases: MigratedDatabases,
    platform: Platform,
    keys: PassportKeys,
    tmp_path: Path,
    restore: Restore,
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        kept_url = await device.create_task("Kept")
        backup = dump(url, tmp_path)
        lost_url = await device.create_task("Lost")
        response = await device.client.patch(kept_url, json={"title": "Lost edit"})
        assert response.status_code == 200
        await Device(service.client_for("new owner")).create_task("Lost-owner")
        assert await device.synchronize() == 200
        versions_before = get_versions(url)

    restored_url = restore(databases.postgres, url, backup)

    async with run_service(restored_url, platform.users.url, keys) as service:
        device.client = service.client_for("owner")
        device_of_lost_owner = Device(service.client_for("new owner"))
        device_of_lost_owner.sync_token = device.sync_token
        await wait_until_ready(device.client)
        assert await device.synchronize() == 410
        assert await device_of_lost_owner.synchronize() == 410
        assert await device.change_title(kept_url, "Unseen") == 412
        assert await device.change_title(lost_url, "Unseen") == 404
        await device.create_task("Kept")  # its key is in the backup: this creates nothing
        await device.create_task("Lost")  # its key is not: this creates it once more
        await device.create_task("New")
        device.sync_token = ""
        assert await device.synchronize() == 200
        assert await device.change_title(kept_url, "Seen") == 200
        assert await device.list_titles() == ["Lost", "New", "Seen"]
    versions_after = get_versions(restored_url)
    assert max(versions_before) < max(versions_after)
    assert versions_before.isdisjoint(versions_after)


async def test_a_database_that_was_not_restored_keeps_its_history(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, processes: ProcessGroup
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        task_url = await device.create_task("Kept")
        assert await device.synchronize() == 200
        history_before = get_history(url)
        execute(url, sql.SQL("VACUUM FULL FREEZE served_history"))
        await migrate_database(
            processes, "tasks", database_environment({"tasks": url}, minimal_environment())
        )
        service.proxy.close_connections()

        assert await device.synchronize() == 200
        assert await device.change_title(task_url, "Changed") == 200
    assert get_history(url) == history_before


async def test_a_restore_under_a_running_service_is_noticed(
    databases: MigratedDatabases,
    platform: Platform,
    keys: PassportKeys,
    tmp_path: Path,
    postgres: Postgres,
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        await device.create_task("Kept")
        backup = dump(url, tmp_path)
        await device.create_task("Lost")
        assert await device.synchronize() == 200

        replace_the_database(postgres, url, backup)

        assert await device.synchronize() == 410


async def test_concurrent_requests_to_a_copy_start_one_new_history(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, postgres: Postgres
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        await device.create_task("Kept")
        etag_before = (await device.client.get("/tasks")).headers["etag"]
    copy_url = await postgres.create_database(f"tasks-{token_hex(8)}", template=database_name(url))

    async with (
        run_service(copy_url, platform.users.url, keys) as first,
        run_service(copy_url, platform.users.url, keys) as second,
    ):
        clients = [first.client_for("owner"), second.client_for("owner")]
        requests = [client.get("/tasks") for client in clients * 8]
        responses = await asyncio.gather(*requests)
    etags = {response.headers["etag"] for response in responses}
    assert len(etags) == 1
    assert etag_before not in etags


async def test_a_copied_disk_can_be_declared_restored_by_hand(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, processes: ProcessGroup
) -> None:
    url = await databases.create("tasks")
    async with run_service(url, platform.users.url, keys) as service:
        device = Device(service.client_for("owner"))
        await device.create_task("Kept")
        assert await device.synchronize() == 200

        output = await declare_restored(
            processes, database_environment({"tasks": url}, minimal_environment())
        )

        assert "The versions of 1 owners were raised" in output
        assert await device.synchronize() == 410
        history_before = get_history(url)
        service.proxy.close_connections()
        device.sync_token = ""
        assert await device.synchronize() == 200
    assert get_history(url) == history_before
