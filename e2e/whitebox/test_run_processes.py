"""`make run` starts everything with one command, and leaves no process when it ends."""

import os
import shlex
import signal
from itertools import pairwise
from pathlib import Path

import httpx

from devkit.testing.run_command import (
    Run,
    output_until_end,
    output_until_started,
    running_without_app,
    wait_until_all_processes_ended,
)


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


def test_the_printed_commands_work_and_the_next_run_has_their_data(tmp_path: Path) -> None:
    with running_without_app(tmp_path) as run:
        create, list_tasks, get_profile = printed_commands(run)
        created = execute(create)
        tasks = execute(list_tasks)
        profile = execute(get_profile)
        stop(run, signal.SIGTERM)

    assert created.status_code == 201
    assert tasks.json() == [created.json()]
    assert profile.status_code == 200
    assert run.returncode == 0
    wait_until_all_processes_ended(tmp_path)

    with running_without_app(tmp_path) as run:
        _, list_tasks, _ = printed_commands(run)
        tasks = execute(list_tasks)
        stop(run, signal.SIGINT)

    assert tasks.json() == [created.json()]
    assert run.returncode == 0
    wait_until_all_processes_ended(tmp_path)


def test_variables_for_other_programs_have_no_effect(tmp_path: Path) -> None:
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

    with running_without_app(tmp_path, **foreign) as run:
        create, _, _ = printed_commands(run)
        assert execute(create).status_code == 201
        stop(run, signal.SIGTERM)

    assert run.returncode == 0


def test_after_a_kill_no_process_is_left_and_the_next_run_starts_at_once(tmp_path: Path) -> None:
    with running_without_app(tmp_path) as run:
        output_until_started(run)
        run.kill()
    with running_without_app(tmp_path) as run:
        output_until_started(run)
        run.kill()

    wait_until_all_processes_ended(tmp_path)


def test_a_second_run_in_the_same_checkout_fails_and_disturbs_nothing(tmp_path: Path) -> None:
    with running_without_app(tmp_path) as run:
        _, _, get_profile = printed_commands(run)
        with running_without_app(tmp_path) as second:
            assert f"is running already, as process {run.pid}" in output_until_end(second)
        assert second.returncode == 1
        assert execute(get_profile).status_code == 200


def test_a_process_that_dies_is_named_and_ends_the_run(tmp_path: Path) -> None:
    with running_without_app(tmp_path) as run:
        output_until_started(run)
        lock_file = tmp_path / "postgres" / "postmaster.pid"
        postgres_id = int(lock_file.read_text().split()[0])
        os.kill(postgres_id, signal.SIGKILL)
        output = output_until_end(run)

    assert "postgres ended by SIGKILL; last lines of" in output
    assert run.returncode == 1
    wait_until_all_processes_ended(tmp_path)


def test_a_dangerous_setting_stops_the_start_with_the_message_of_the_service(
    tmp_path: Path,
) -> None:
    settings = {"BETTER_AUTH_SECRET": "short"}
    with running_without_app(tmp_path, **settings) as run:
        output = output_until_end(run)

    assert "gateway ended with code 2" in output
    assert "BETTER_AUTH_SECRET: must have at least 32 bytes" in output
    assert run.returncode == 1
