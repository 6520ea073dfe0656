"""`make run` starts everything with one command, and leaves no process when it ends."""

import os
import shlex
import signal
import socket
from collections.abc import Generator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from devkit.testing import run_command
from devkit.testing.run_command import (
    Run,
    output_until_end,
    output_until_started,
    wait_until_all_processes_ended,
)


@pytest.fixture
def folder() -> Generator[Path]:
    """Return a folder for the data of a run, apart from those of the developer."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def running(folder: Path, **environment: str) -> AbstractContextManager[Run]:
    """Start a run without the app: e2e/whitebox builds it."""
    return run_command.running(folder, {"APP": "off"} | environment)


def printed_commands(run: Run) -> list[str]:
    """Return the printed curl commands: create a task, list tasks, get the profile."""
    lines = output_until_started(run).splitlines()
    return [line for line in lines if line.startswith("curl ")]


def stop(run: Run, signal_number: signal.Signals) -> None:
    run.send_signal(signal_number)
    output_until_end(run)


def execute(command: str) -> httpx.Response:
    """Send the request of a curl command; curl may not be installed."""
    _, _, url, *options = shlex.split(command)
    headers: dict[str, str] = {}
    content: str | None = None
    for option, value in pairwise(options):
        if option == "-H":
            name, _, header_value = value.partition(": ")
            headers[name] = header_value
        if option == "-d":
            content = value
    method = "GET"
    if content:
        method = "POST"
    return httpx.request(method, url, headers=headers, content=content, trust_env=False)


def test_the_printed_commands_work_and_the_next_run_has_their_data(folder: Path) -> None:
    with running(folder) as run:
        create, list_tasks, get_profile = printed_commands(run)
        created = execute(create)
        tasks = execute(list_tasks)
        profile = execute(get_profile)
        stop(run, signal.SIGTERM)

    assert created.status_code == 201
    assert tasks.json() == [created.json()]
    assert profile.status_code == 200
    assert run.returncode == 0
    wait_until_all_processes_ended(folder)

    with running(folder) as run:
        _, list_tasks, _ = printed_commands(run)
        tasks = execute(list_tasks)
        stop(run, signal.SIGINT)

    assert tasks.json() == [created.json()]
    assert run.returncode == 0
    wait_until_all_processes_ended(folder)


def test_variables_for_other_programs_have_no_effect(folder: Path) -> None:
    foreign = {
        "PGPORT": "1",
        "PGHOST": "nowhere.invalid",
        "PGUSER": "somebody",
        "PGOPTIONS": "-c no_such_setting=1",
        "PGSERVICE": "nothing",
        "PGSSLMODE": "verify-full",
        "PGPASSFILE": "/nowhere",
        "PGCLIENTENCODING": "SQL_ASCII",
        "http_proxy": "http://127.0.0.1:1",
        "all_proxy": "http://127.0.0.1:1",
        "LC_ALL": "C",
        "TZ": "Nowhere/Else",
        "TMPDIR": "/nowhere",
    }

    with running(folder, **foreign) as run:
        create, _, _ = printed_commands(run)
        assert execute(create).status_code == 201
        stop(run, signal.SIGTERM)

    assert run.returncode == 0


def test_after_a_kill_no_process_is_left_and_the_next_run_starts_at_once(folder: Path) -> None:
    with running(folder) as run:
        output_until_started(run)
        run.kill()
    with running(folder) as run:
        output_until_started(run)
        run.kill()

    wait_until_all_processes_ended(folder)


def test_a_second_run_in_the_same_checkout_fails_and_disturbs_nothing(folder: Path) -> None:
    with running(folder) as run:
        _, _, get_profile = printed_commands(run)
        with running(folder) as second:
            assert f"is running already, as process {run.pid}" in output_until_end(second)
        assert second.returncode == 1
        assert execute(get_profile).status_code == 200


def test_a_process_that_dies_is_named_and_ends_the_run(folder: Path) -> None:
    with running(folder) as run:
        output_until_started(run)
        lock_file = folder / "postgres" / "postmaster.pid"
        postgres_id = int(lock_file.read_text().split()[0])
        os.kill(postgres_id, signal.SIGKILL)
        output = output_until_end(run)

    assert "postgres ended by SIGKILL; last lines of" in output
    assert run.returncode == 1
    wait_until_all_processes_ended(folder)


def test_a_port_in_use_is_named_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(folder, PORT=str(port)) as run:
            output = output_until_end(run)

    assert output.strip() == (
        f"Port {port} is taken. Stop what listens there, or choose another: "
        f"PORT={port + 1} make run"
    )
    assert run.returncode == 1


def test_a_configured_database_that_does_not_answer_is_named_and_not_replaced(
    folder: Path,
) -> None:
    unreachable_url = "postgresql://somebody:secret-word@127.0.0.1:1/nothing"
    with running(
        folder,
        TASKS_DATABASE_URL=unreachable_url,
        USERS_DATABASE_URL=unreachable_url,
        BETTER_AUTH_URL="http://localhost:1",
    ) as run:
        output = output_until_end(run)

    assert "The database of tasks does not answer" in output
    assert "secret-word" not in output
    assert run.returncode == 1
    assert not (folder / "postgres").exists()


def test_a_database_url_that_cannot_be_parsed_is_named_without_its_password(
    folder: Path,
) -> None:
    malformed_url = "postgresql://somebody:secret%zzword@127.0.0.1/tasks"
    with running(folder, TASKS_DATABASE_URL=malformed_url, USERS_DATABASE_URL=malformed_url) as run:
        output = output_until_end(run)

    assert "TASKS_DATABASE_URL: holds a %" in output
    assert "word" not in output
    assert run.returncode == 2


def test_a_dangerous_setting_stops_the_start_with_the_message_of_the_service(folder: Path) -> None:
    settings = {"BETTER_AUTH_SECRET": "short"}
    with running(folder, **settings) as run:
        output = output_until_end(run)

    assert "gateway ended with code 2" in output
    assert "BETTER_AUTH_SECRET: must have at least 32 bytes" in output
    assert run.returncode == 1


def test_settings_that_cannot_be_parsed_are_named(folder: Path) -> None:
    with running(folder, PORT="http") as run:
        output = output_until_end(run)

    assert "PORT: Input should be a valid integer" in output
    assert "Traceback" not in output
