"""The embedded PostgreSQL: real, private, and none the worse for being killed."""

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
    """Make a folder with a name that is short enough for a socket in it."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


async def ask(postgres: Postgres, question: str) -> str:
    async with await AsyncConnection.connect(postgres.url()) as connection:
        row = await (await connection.execute(question.encode())).fetchone()
    return str(row and row[0])


async def test_it_is_postgresql_18_in_utf_8_and_sorts_by_code_point(postgres: Postgres) -> None:
    assert (await ask(postgres, "SHOW server_version")).startswith("18.")
    assert await ask(postgres, "SHOW server_encoding") == "UTF8"
    assert await ask(postgres, "SELECT 'Z' < 'a'") == "True"


async def test_it_listens_on_no_network(postgres: Postgres) -> None:
    assert await ask(postgres, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.socket_directory.stat().st_mode) == 0o700


async def test_what_was_written_is_there_after_the_next_start(folder: Path) -> None:
    async with ProcessGroup(folder) as group:
        await (await start_postgres(group, folder / "data")).create_database("kept")
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / "data")

        assert await ask(postgres, "SELECT count(*) FROM pg_database WHERE datname = 'kept'") == "1"
        assert await postgres.create_database("kept") == postgres.url("kept")


async def test_what_was_written_survives_a_kill(folder: Path) -> None:
    held_by_all, held = os.pipe()
    async with ProcessGroup(folder, inherited_fds=[held]) as group:
        postgres = await start_postgres(group, folder / "data")
        async with await AsyncConnection.connect(postgres.url(), autocommit=True) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            postgres.process.popen.kill()
    os.close(held)
    assert select.select([held_by_all], [], [], 10)[0], "the server's own processes outlived it"
    os.close(held_by_all)

    async with ProcessGroup(folder) as group:
        assert (
            await ask(await start_postgres(group, folder / "data"), "SELECT answer FROM kept")
            == "42"
        )


async def test_a_lock_with_somebody_elses_process_number_is_no_obstacle(folder: Path) -> None:
    async with ProcessGroup(folder) as group:
        await start_postgres(group, folder / "data")
    (folder / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n")
    async with ProcessGroup(folder) as group:
        assert await ask(await start_postgres(group, folder / "data"), "SELECT 1") == "1"


@pytest.mark.parametrize("name", ["with space", "with, comma", "with 'quote'", "deep/" * 40])
async def test_any_folder_will_do(name: str, folder: Path) -> None:
    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, folder / name / "data", durable=False)
        assert await ask(postgres, "SELECT 1") == "1"

    assert not [*postgres.socket_directory.glob(".s.*")]
    assert (
        postgres.socket_directory.is_relative_to(folder) or not postgres.socket_directory.exists()
    )


async def test_an_interrupted_first_start_is_begun_again(folder: Path) -> None:
    (folder / "data.unfinished").mkdir()
    (folder / "data.unfinished" / "PG_VERSION").write_text("18")
    async with ProcessGroup(folder) as group:
        assert (
            await ask(await start_postgres(group, folder / "data", durable=False), "SELECT 1")
            == "1"
        )


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9.6")
    async with ProcessGroup(folder) as group:
        with pytest.raises(
            CannotRunError, match=r"(?s)postgres ended with code 2.*postgresql\.conf"
        ):
            await start_postgres(group, folder / "data")


async def test_it_runs_in_a_folder_that_is_closed_to_others_and_opens_none(folder: Path) -> None:
    closed = folder / "closed" / "checkout"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    before = {path: path.stat() for path in [*PROGRAMS.parents, closed, *closed.parents]}

    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, closed / "data")
        assert await ask(postgres, "SHOW data_directory") == str(closed / "data")

    for path, stat_before in before.items():
        stat_after = path.stat()
        assert (stat_after.st_mode, stat_after.st_uid) == (
            stat_before.st_mode,
            stat_before.st_uid,
        ), path


async def test_its_socket_has_a_short_name_where_all_folders_have_long_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = folder / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))

    async with ProcessGroup(folder) as group:
        postgres = await start_postgres(group, long / "data")
        assert await ask(postgres, "SELECT 1") == "1"

    assert not postgres.socket_directory.exists()
