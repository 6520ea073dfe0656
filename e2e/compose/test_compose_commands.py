"""What `make up`, `make renew` and `make down` print when they fail: one line with a remedy."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from devkit.platform.env_file import read_env_file
from devkit.platform.services import free_ports
from devkit.platform.settings import CHECKOUT
from e2e.support.compose_project import ComposeProject

Environment = dict[str, str]


def error_of(command: str, environment: Mapping[str, str], **changes: str) -> str:
    """Run a command of `deploy/compose.py`, check that it fails, and return what it prints.

    Args:
        command: The command with its arguments, such as `renew tasks`.
        environment: The environment of the process.
        changes: Variables that differ from the environment.
    """
    process = subprocess.run(
        [sys.executable, "deploy/compose.py", *command.split()],
        cwd=CHECKOUT,
        env=dict(environment) | changes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert process.stdout == ""
    return process.stderr


@pytest.fixture
def new_project(compose_project: ComposeProject, tmp_path: Path) -> Environment:
    """Return the environment of a project that does not exist yet.

    Variables that a developer has set for another project must not matter.
    """
    [port] = free_ports(1)
    environment = dict(compose_project.environment)
    environment["COMPOSE_FILE"] = "/nowhere/docker-compose.yml"
    environment["COMPOSE_PROFILES"] = "other"
    environment["COMPOSE_PROJECT_NAME"] = "e2e-nothing"
    environment["COMPOSE_ENV_FILES"] = str(tmp_path / ".env")
    environment["PORT"] = str(port)
    return environment


@pytest.mark.parametrize("port", ["0", "65536", "80a", "-1"])
def test_an_invalid_port(new_project: Environment, port: str) -> None:
    error = error_of("up", new_project, PORT=port)

    assert error == f"PORT must be a number from 1 to 65535, and not {port}.\n"


def test_a_port_in_use(new_project: Environment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        error = error_of("up", new_project, PORT=str(port))

    assert error.startswith(f"Port {port} is taken: ")
    assert f"PORT={port + 1} make up" in error


def test_missing_secrets(new_project: Environment, tmp_path: Path) -> None:
    example = (CHECKOUT / ".env.example").read_text()
    text = example.replace("\nPOSTGRES_PASSWORD=", "\nPOSTGRES_PASSWORD=given")
    (tmp_path / ".env").write_text(text)

    error = error_of("up", new_project)

    assert error.count("\n") == 1
    assert "BETTER_AUTH_SECRET, TASKS_DATABASE_PASSWORD" in error
    assert "POSTGRES_PASSWORD" not in error


@pytest.mark.parametrize(
    "text",
    [
        "A=1\r\nB=2",
        "\ufeffA=1",
        "export A=1",
        "A=two words # three",
        "A='a$b ${c} # d'",
        'A="a # b"',
        "A=1#2\nA=3",
    ],
)
async def test_an_accepted_file_has_the_same_meaning_for_compose(
    compose_project: ComposeProject, tmp_path: Path, text: str
) -> None:
    file = tmp_path / ".env"
    file.write_text(text, "utf-8", newline="")

    output = await compose_project.compose(
        "--env-file",
        str(file),
        "--file",
        "-",
        "config",
        "--environment",
        stdin="services: {}",
    )

    settings: dict[str, str] = {}
    for line in output.splitlines():
        name, _, value = line.partition("=")
        if name in {"A", "B"}:
            settings[name] = value
    assert settings == read_env_file(file)


@pytest.mark.parametrize("line", ["BETTER_AUTH_SECRET=secret$word", 'PORT="80', "PORT = 80"])
def test_an_ambiguous_file(new_project: Environment, tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# Settings\n{line}\n")

    error = error_of("up", new_project)

    assert error.startswith(f"{file}, line 2: ")
    assert "word" not in error


def test_an_invalid_host(new_project: Environment) -> None:
    error = error_of("up", new_project, HOST="my-laptop")

    assert error.startswith("HOST must be an IPv4 address ")


def test_a_lost_file_of_a_project_with_data(
    compose_project: ComposeProject, tmp_path: Path
) -> None:
    file = tmp_path / ".env"

    error = error_of("up", compose_project.environment, COMPOSE_ENV_FILES=str(file))

    assert "make down v=1" in error
    assert not file.exists()


@pytest.mark.parametrize("command", ["up", "renew tasks", "down"])
def test_docker_is_missing(new_project: Environment, command: str) -> None:
    not_installed = error_of(command, new_project, PATH="")
    not_running = error_of(command, new_project, DOCKER_HOST="unix:///nowhere")

    assert not_installed.startswith("Docker is not installed: ")
    assert not_running.startswith("Docker does not answer: ")


def test_nothing_to_renew(new_project: Environment) -> None:
    error = error_of("renew tasks", new_project)

    assert error == "There is no running tasks: make up starts everything.\n"


async def test_a_second_start_changes_nothing(compose_project: ComposeProject) -> None:
    before = await compose_project.compose("ps", "--quiet")

    await compose_project.make("up")

    assert await compose_project.compose("ps", "--quiet") == before


async def test_a_new_container_that_does_not_become_ready_is_removed(
    compose_project: ComposeProject,
) -> None:
    before = await compose_project.compose("ps", "--quiet", "users")
    settings = compose_project.settings
    await compose_project.update_settings(
        USERS_DATABASE_URL="postgresql://users:wrong@postgres/users"
    )

    try:
        with pytest.raises(RuntimeError, match="new users does not become ready") as failure:
            await compose_project.make("renew", "s=users")
    finally:
        await compose_project.update_settings(
            USERS_DATABASE_URL=settings.get("USERS_DATABASE_URL", "")
        )

    assert "password authentication failed" in str(failure.value)
    assert await compose_project.compose("ps", "--quiet", "users") == before
