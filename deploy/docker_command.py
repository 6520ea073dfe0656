"""Docker and Docker Compose as `deploy/compose.py` calls them, in the folder of this checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]

FOREIGN_VARIABLES = (
    "COMPOSE_FILE",
    "COMPOSE_PATH_SEPARATOR",
    "COMPOSE_PROFILES",
    "COMPOSE_DISABLE_ENV_FILE",
)
"""What a shell may have for another project's Compose.

Project name, env file and Docker engine can be chosen by variables.
"""

LOG_LINES = 8
"""How much of the log of a container that does not become ready is shown: its beginning."""


def fail(message: str) -> NoReturn:
    """Stop with one line that says what to do."""
    sys.exit(message)


def docker_environment(additions: "dict[str, str] | None" = None) -> "dict[str, str]":
    """Return the environment of Docker: ours without what is meant for other projects."""
    environment = dict(os.environ)
    for name in FOREIGN_VARIABLES:
        environment.pop(name, None)
    environment.update(additions or {})
    return environment


def docker(
    arguments: "list[str]",
    environment: "dict[str, str] | None" = None,
    standard_input: str = "",
) -> "subprocess.CompletedProcess[str]":
    """Run Docker and return its output.

    Args:
        arguments: Arguments of the command.
        environment: Variables that are added to the environment.
        standard_input: Text for its standard input.
    """
    return subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env=docker_environment(environment),
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
    )


def compose(arguments: "list[str]", environment: "dict[str, str] | None" = None) -> bool:
    """Run Docker Compose with its output on the terminal; return whether it succeeded."""
    command = ["docker", "compose", *arguments]
    process = subprocess.run(command, cwd=ROOT, env=docker_environment(environment), check=False)
    return process.returncode == 0


def require_docker() -> None:
    """Stop if Docker or Compose is missing or does not answer."""
    if not shutil.which("docker"):
        fail(
            "Docker is not installed: https://docs.docker.com/get-docker says how. "
            "Without it, make run starts all."
        )
    if docker(["compose", "version"]).returncode:
        fail("Docker has no Compose: https://docs.docker.com/compose/install says how to add it.")
    if docker(["info"]).returncode:
        fail(
            "Docker does not answer: start it, and see that you may use it "
            "(docker info says what is wrong)."
        )


def running_containers(service: str) -> "list[str]":
    """Return the ids of a service's containers."""
    return docker(["compose", "ps", "--quiet", service]).stdout.split()


def remove_with_log(containers: "list[str]") -> None:
    """Print how the containers' logs begin, and remove them: the edge would use them."""
    for container in containers:
        log = docker(["logs", container])
        lines = (log.stdout + log.stderr).splitlines()[:LOG_LINES]
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        docker(["rm", "--force", container])
