"""What `make up` says when it cannot start anything: one line, and what to do."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from devkit.platform.env_file import read_env_file
from devkit.platform.services import free_ports
from devkit.platform.settings import CHECKOUT
from e2e.support.compose_project import Composition


def said_by(verb: str, environment: Mapping[str, str]) -> str:
    """Run the program behind `make`, which must refuse, and return what it says."""
    command = [sys.executable, "deploy/compose.py", *verb.split()]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.fixture
def elsewhere(composed_platform: Composition, tmp_path: Path) -> dict[str, str]:
    """Speak of a project that does not exist yet."""
    [port] = free_ports(1)
    foreign = {"COMPOSE_FILE": "/nowhere/docker-compose.yml", "COMPOSE_PROFILES": "other"}
    project = {
        "COMPOSE_PROJECT_NAME": "e2e-nothing",
        "COMPOSE_ENV_FILES": str(tmp_path / ".env"),
        "PORT": str(port),
    }
    return {**composed_platform.environment, **foreign, **project}


@pytest.mark.parametrize("port", ["0", "65536", "80a", "-1"])
def test_a_port_that_is_none(elsewhere: dict[str, str], port: str) -> None:
    assert (
        said_by("up", {**elsewhere, "PORT": port})
        == f"PORT must be a number from 1 to 65535, and not {port}.\n"
    )


def test_a_port_that_is_taken(elsewhere: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = said_by("up", {**elsewhere, "PORT": str(port)})

    assert said.startswith(f"Port {port} is taken: ")
    assert f"PORT={port + 1} make up" in said


def test_a_secret_that_is_unset(elsewhere: dict[str, str], tmp_path: Path) -> None:
    example = (CHECKOUT / ".env.example").read_text()
    (tmp_path / ".env").write_text(
        example.replace("\nPOSTGRES_PASSWORD=", "\nPOSTGRES_PASSWORD=given")
    )

    said = said_by("up", elsewhere)

    assert said.count("\n") == 1
    assert "BETTER_AUTH_SECRET, TASKS_DATABASE_PASSWORD" in said
    assert "POSTGRES_PASSWORD" not in said


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
async def test_a_file_that_is_read_means_the_same_to_compose(
    composed_platform: Composition, tmp_path: Path, text: str
) -> None:
    file = tmp_path / ".env"
    file.write_text(text, "utf-8", newline="")
    asked = ["docker", "compose", "--env-file", str(file), "--file", "-", "config", "--environment"]

    shown = await composed_platform.run(*asked, stdin="services: {}")

    settings = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    assert {name: value for name, value in settings.items() if name in {"A", "B"}} == read_env_file(
        file
    )


@pytest.mark.parametrize("line", ["BETTER_AUTH_SECRET=secret$word", 'PORT="80', "PORT = 80"])
def test_a_file_that_could_be_read_in_two_ways(
    elsewhere: dict[str, str], tmp_path: Path, line: str
) -> None:
    (tmp_path / ".env").write_text(f"# Settings\n{line}\n")

    said = said_by("up", elsewhere)

    assert said.startswith(f"{tmp_path / '.env'}, line 2: ")
    assert "word" not in said


def test_an_address_that_is_none(elsewhere: dict[str, str]) -> None:
    assert said_by("up", {**elsewhere, "HOST": "my-laptop"}).startswith(
        "HOST must be an IPv4 address "
    )


def test_a_file_that_is_lost_while_the_data_are_not(
    composed_platform: Composition, tmp_path: Path
) -> None:
    lost = {**composed_platform.environment, "COMPOSE_ENV_FILES": str(tmp_path / ".env")}

    assert "make down v=1" in said_by("up", lost)
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("verb", ["up", "renew tasks", "down"])
def test_no_docker(elsewhere: dict[str, str], verb: str) -> None:
    assert said_by(verb, {**elsewhere, "PATH": ""}).startswith("Docker is not installed: ")
    assert said_by(verb, {**elsewhere, "DOCKER_HOST": "unix:///nowhere"}).startswith(
        "Docker does not answer: "
    )


def test_nothing_to_renew(elsewhere: dict[str, str]) -> None:
    assert (
        said_by("renew tasks", elsewhere)
        == "There is no running tasks: make up starts everything.\n"
    )


async def test_a_second_start_changes_nothing(composed_platform: Composition) -> None:
    before = await composed_platform.compose("ps", "--quiet")

    await composed_platform.make("up")

    assert await composed_platform.compose("ps", "--quiet") == before
