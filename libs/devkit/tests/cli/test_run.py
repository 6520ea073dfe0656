"""`make run` says what is wrong with its settings, and starts nothing."""

import socket
from pathlib import Path

from devkit.testing.run_command import output_until_end, running_without_app


def test_a_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_without_app(tmp_path, PORT=str(port)) as run:
            output = output_until_end(run)

    assert output.strip() == (
        f"Port {port} is taken. Stop what listens there, or choose another: "
        f"PORT={port + 1} make run"
    )
    assert run.returncode == 1


def test_a_configured_database_that_does_not_answer_is_named_and_not_replaced(
    tmp_path: Path,
) -> None:
    unreachable_url = "postgresql://somebody:secret-word@127.0.0.1:1/nothing"
    with running_without_app(
        tmp_path,
        TASKS_DATABASE_URL=unreachable_url,
        USERS_DATABASE_URL=unreachable_url,
        BETTER_AUTH_URL="http://localhost:1",
    ) as run:
        output = output_until_end(run)

    assert "The database of tasks does not answer" in output
    assert "secret-word" not in output
    assert run.returncode == 1
    assert not (tmp_path / "postgres").exists()


def test_a_database_url_that_cannot_be_parsed_is_named_without_its_password(
    tmp_path: Path,
) -> None:
    malformed_url = "postgresql://somebody:secret%zzword@127.0.0.1/tasks"
    with running_without_app(
        tmp_path, TASKS_DATABASE_URL=malformed_url, USERS_DATABASE_URL=malformed_url
    ) as run:
        output = output_until_end(run)

    assert "TASKS_DATABASE_URL: holds a %" in output
    assert "word" not in output
    assert run.returncode == 2


def test_settings_that_cannot_be_parsed_are_named(tmp_path: Path) -> None:
    with running_without_app(tmp_path, PORT="http") as run:
        output = output_until_end(run)

    assert "PORT: Input should be a valid integer" in output
    assert "Traceback" not in output
