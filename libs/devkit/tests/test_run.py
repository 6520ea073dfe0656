"""`make run` as a developer meets it: one command starts everything, and nothing is left when it ends."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.services import free_ports
from devkit.platform.settings import RunSettings

UNSET = {name.upper(): "" for name in RunSettings.model_fields}
"""So that a developer's own `.env` has no say."""


@pytest.fixture
def folder() -> Generator[Path]:
    """Keep what these runs keep apart from what the developer's own runs do."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def running(folder: Path, **environment: str) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "devkit.cli.run", "--folder", str(folder)]
    port = str(*free_ports(1))
    settings = minimal_environment() | UNSET | {"PORT": port} | environment
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def said_at_start(run: "subprocess.Popen[str]") -> str:
    assert run.stdout is not None
    said = ""
    for line in run.stdout:
        said += line
        if "Ctrl-C stops everything" in line:
            return said
    raise AssertionError(said)


def said_until_end(run: "subprocess.Popen[str]") -> str:
    said, _ = run.communicate(timeout=60)
    return said


def paste(line: str) -> httpx.Response:
    """Do what curl would; it may not be there."""
    _, _, url, *options = shlex.split(line)
    given = list(pairwise(options))
    headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
    content = next((value for name, value in given if name == "-d"), None)
    return httpx.request(
        "POST" if content else "GET", url, headers=headers, content=content, trust_env=False
    )


def until_nothing_is_left(folder: Path) -> None:
    """Every process of a run holds this lock."""
    with (folder / "processes.lock").open() as lock:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
    raise AssertionError("some process is left")


def test_the_lines_to_paste_work_and_the_next_start_finds_what_they_made(folder: Path) -> None:
    with running(folder) as run:
        create, listing, profile = [
            line for line in said_at_start(run).splitlines() if line.startswith("curl ")
        ]
        made, listed, who = paste(create), paste(listing), paste(profile)
        run.send_signal(signal.SIGTERM)
        said_until_end(run)

    assert (made.status_code, listed.json(), who.status_code) == (201, [made.json()], 200)
    assert run.returncode == 0
    until_nothing_is_left(folder)

    with running(folder) as run:
        _, listing, _ = [
            line for line in said_at_start(run).splitlines() if line.startswith("curl ")
        ]
        listed = paste(listing)
        run.send_signal(signal.SIGINT)
        said_until_end(run)

    assert listed.json() == [made.json()]
    assert run.returncode == 0
    until_nothing_is_left(folder)


def test_what_a_shell_holds_for_other_programs_has_no_say(folder: Path) -> None:
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
        create, *_ = [line for line in said_at_start(run).splitlines() if line.startswith("curl ")]
        assert paste(create).status_code == 201
        run.send_signal(signal.SIGTERM)
        said_until_end(run)

    assert run.returncode == 0


def test_after_a_kill_nothing_is_left_and_the_next_run_starts_at_once(folder: Path) -> None:
    with running(folder) as run:
        said_at_start(run)
        run.kill()
    with running(folder) as run:
        said_at_start(run)
        run.kill()

    until_nothing_is_left(folder)


def test_a_second_run_in_the_same_checkout_is_refused_and_harms_nothing(folder: Path) -> None:
    with running(folder) as run:
        said = said_at_start(run)
        with running(folder) as second:
            assert f"is running already, as process {run.pid}" in said_until_end(second)
        assert second.returncode == 1
        profile = [line for line in said.splitlines() if line.startswith("curl ")][-1]
        assert paste(profile).status_code == 200


def test_what_dies_is_named_and_takes_the_rest_with_it(folder: Path) -> None:
    with running(folder) as run:
        said_at_start(run)
        os.kill(
            int((folder / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL
        )
        said = said_until_end(run)

    assert "postgres ended by SIGKILL; last lines of" in said
    assert run.returncode == 1
    until_nothing_is_left(folder)


def test_a_port_that_is_taken_is_named_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(folder, PORT=str(port)) as run:
            said = said_until_end(run)

    assert (
        said.strip()
        == f"Port {port} is taken. Stop what listens there, or choose another: PORT={port + 1} make run"
    )
    assert run.returncode == 1


def test_a_named_database_that_does_not_answer_is_named_and_none_is_started_instead(
    folder: Path,
) -> None:
    nowhere = "postgresql://somebody:secret-word@127.0.0.1:1/nothing"
    with running(folder, TASKS_DATABASE_URL=nowhere, USERS_DATABASE_URL=nowhere) as run:
        said = said_until_end(run)

    assert "The database of tasks does not answer" in said
    assert "secret-word" not in said
    assert run.returncode == 1
    assert not (folder / "postgres").exists()


def test_a_named_database_whose_url_cannot_be_read_is_named_without_its_password(
    folder: Path,
) -> None:
    broken = "postgresql://somebody:secret%zzword@127.0.0.1/tasks"
    with running(folder, TASKS_DATABASE_URL=broken, USERS_DATABASE_URL=broken) as run:
        said = said_until_end(run)

    assert "TASKS_DATABASE_URL: holds a %" in said
    assert "word" not in said
    assert run.returncode == 2


def test_a_dangerous_setting_stops_the_start_in_the_services_own_words(folder: Path) -> None:
    weak = {"BETTER_AUTH_SECRET": "short"}
    with running(folder, **weak) as run:
        said = said_until_end(run)

    assert "gateway ended with code 2" in said
    assert "BETTER_AUTH_SECRET: must have at least 32 bytes" in said
    assert run.returncode == 1


def test_settings_that_cannot_be_read_are_named(folder: Path) -> None:
    with running(folder, PORT="http") as run:
        said = said_until_end(run)

    assert "PORT: Input should be a valid integer" in said
    assert "Traceback" not in said
