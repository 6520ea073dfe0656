"""The embedded PostgreSQL: a real server, private, and safe to kill."""

import os
import select
import stat
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from psycopg import AsyncConnection

from devkit.platform.errors import CannotRunError
from devkit.platform.postgres import PROGRAMS, Postgres, start_postgres
from devkit.platform.processes import ProcessGroup


@pytest.fixture
def folder() -> Generator[Path]:
    """Return a folder whose path is short enough for a socket in it."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


async def fetch_value(postgres: Postgres, query: str) -> str:
    async with await AsyncConnection.connect(postgres.url()) as connection:
        cursor = await connection.execute(query.encode())
        row = await cursor.fetchone()
    assert row is not None
    return str(row[0])


async def test_it_is_postgresql_18_with_utf_8_and_sorts_by_code_point(postgres: Postgres) -> None:
    assert (await fetch_value(postgres, "SHOW server_version")).startswith("18.")
    assert await fetch_value(postgres, "SHOW server_encoding") == "UTF8"
    assert await fetch_value(postgres, "SELECT 'Z' < 'a'") == "True"


async def test_it_listens_on_no_network(postgres: Postgres) -> None:
    assert await fetch_value(postgres, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.socket_directory.stat().st_mode) == 0o700


async def test_data_are_there_after_the_next_start(folder: Path) -> None:
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / "data")
        await postgres.create_database("kept")
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / "data")

        count = "SELECT count(*) FROM pg_database WHERE datname = 'kept'"
        assert await fetch_value(postgres, count) == "1"
        assert await postgres.create_database("kept") == postgres.url("kept")


async def test_data_survive_a_kill(folder: Path) -> None:
    ended_fd, alive_fd = os.pipe()
    async with ProcessGroup(folder, inherited_fds=[alive_fd]) as group:
        postgres = await start_postgres(group, folder / "data")
        async with await AsyncConnection.connect(postgres.url(), autocommit=True) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            postgres.process.popen.kill()
    os.close(alive_fd)
    assert select.select([ended_fd], [], [], 10)[0], "a process of the server is left"
    os.close(ended_fd)

    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / "data")
        assert await fetch_value(postgres, "SELECT answer FROM kept") == "42"


async def test_a_lock_file_with_the_id_of_another_process_is_removed(folder: Path) -> None:
    async with ProcessGroup(folder) as group:
        await start_postgres(group, folder / "data")
    (folder / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n")
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / "data")
        assert await fetch_value(postgres, "SELECT 1") == "1"


@pytest.mark.parametrize("name", ["with space", "with, comma", "with 'quote'", "deep/" * 40])
async def test_it_runs_in_any_folder(name: str, folder: Path) -> None:
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / name / "data", durable=False)
        assert await fetch_value(postgres, "SELECT 1") == "1"

    socket_directory = postgres.socket_directory
    assert list(socket_directory.glob(".s.*")) == []
    assert socket_directory.is_relative_to(folder) or not socket_directory.exists()


async def test_an_interrupted_first_start_is_repeated(folder: Path) -> None:
    (folder / "data.unfinished").mkdir()
    (folder / "data.unfinished" / "PG_VERSION").write_text("18")
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / "data", durable=False)
        assert await fetch_value(postgres, "SELECT 1") == "1"


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9.6")
    async with ProcessGroup(folder) as group:
        with pytest.raises(
            CannotRunError, match=r"(?s)postgres ended with code 2.*postgresql\.conf"
        ):
            await start_postgres(group, folder / "data")


async def test_it_runs_below_a_folder_that_others_cannot_enter_and_changes_no_permissions(
    folder: Path,
) -> None:
    closed = folder / "closed" / "checkout"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    paths = [closed, *PROGRAMS.parents, *closed.parents]
    stats_before = {path: path.stat() for path in paths}

    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, closed / "data")
        assert await fetch_value(postgres, "SHOW data_directory") == str(closed / "data")

    for path, stat_before in stats_before.items():
        stat_after = path.stat()
        assert stat_after.st_mode == stat_before.st_mode, path
        assert stat_after.st_uid == stat_before.st_uid, path


async def test_its_socket_has_a_short_path_if_all_folders_have_long_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = folder / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))

    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, long / "data")
        assert await fetch_value(postgres, "SELECT 1") == "1"

    assert not postgres.socket_directory.exists()
