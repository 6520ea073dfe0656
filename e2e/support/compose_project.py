"""The platform in containers, started by `make up` as a Compose project with a name of its own."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

import httpx
import pytest
from dotenv import dotenv_values

from devkit.platform.environment import minimal_environment
from devkit.platform.services import free_ports
from devkit.platform.settings import CHECKOUT

UP_SECONDS: Final = 600
"""How long a command may take: `make up` builds images and starts containers."""

RECOVERY_SECONDS: Final = 60
"""How long the platform may take to become ready again.

Far longer than the platform promises, because test machines are busy.
"""

POLL_SECONDS: Final = 0.1

SAME_SITE_ORIGIN: Final = "http://localhost:23117"
"""A front end on a developer's machine: another origin, but the same site for cookies.

The system gives no connection such a low port (below 32768), so that the port is free.
"""

SERVICES: Final = ("auth-gateway", "better-auth", "tasks", "users")
"""Services whose images are built here, and which `make renew` replaces."""


@dataclass(frozen=True)
class ComposeProject:
    """A project with its own port and secrets."""

    environment: Mapping[str, str]

    checkout: Path
    """A copy of this checkout that only its owner can read, as with a strict umask."""

    @property
    def url(self) -> str:
        """The public URL."""
        return f"http://localhost:{self.environment['PORT']}"

    @property
    def env_file(self) -> Path:
        """The file with the settings of the project."""
        return Path(self.environment["COMPOSE_ENV_FILES"])

    @property
    def settings(self) -> dict[str, str]:
        """The settings in that file."""
        return {name: value or "" for name, value in dotenv_values(self.env_file).items()}

    async def make(self, *arguments: str) -> None:
        """Run make."""
        await self.run("make", f"PYTHON={sys.executable}", *arguments)

    async def compose(self, *arguments: str, stdin: str = "") -> str:
        """Run Docker Compose and return its output."""
        return await self.run("docker", "compose", *arguments, stdin=stdin)

    async def psql(self, *arguments: str, stdin: str = "") -> str:
        """Run psql as superuser in the container of PostgreSQL and return its output."""
        return await self.compose(
            "exec", "-T", "postgres", "psql", "--username=postgres", *arguments, stdin=stdin
        )

    async def run(self, *command: str, stdin: str = "") -> str:
        """Run a command in the project and return its output.

        Raises:
            RuntimeError: The exit status is not 0.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.checkout,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(UP_SECONDS):
            stdout, _ = await process.communicate(stdin.encode())
        output = stdout.decode()
        if process.returncode:
            message = f"{' '.join(command)}: {output[-3000:]}"
            raise RuntimeError(message)
        return output

    async def update_settings(self, **settings: str) -> None:
        """Change settings in the file; they hold for containers that start afterwards."""
        merged = self.settings | settings
        text = "".join(f"{name}={value}\n" for name, value in merged.items())
        await asyncio.to_thread(self.env_file.write_text, text)

    async def inspect(self, service: str, template: str) -> str:
        """Inspect the only container of a service.

        Args:
            service: The name of the service.
            template: What to return, as a template of `docker inspect --format`.
        """
        output = await self.compose("ps", "--all", "--quiet", service)
        [container] = output.split()
        return (await self.run("docker", "inspect", "--format", template, container)).strip()

    async def wait_until_ready(self) -> None:
        """Wait until the platform is ready."""
        async with (
            asyncio.timeout(RECOVERY_SECONDS),
            httpx.AsyncClient(base_url=self.url) as client,
        ):
            while True:
                if await _is_ready(client):
                    return
                await asyncio.sleep(POLL_SECONDS)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        response = await client.get("/readyz")
    except httpx.TransportError:
        return False
    return response.is_success


def copy_checkout(folder: Path) -> Path:
    """Copy the checkout without generated files, readable for its owner only."""
    ignored = shutil.ignore_patterns(
        ".git", ".venv*", ".env", "var", "node_modules", "__pycache__", ".*_cache"
    )
    shutil.copytree(CHECKOUT, folder, ignore=ignored)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    return folder


@asynccontextmanager
async def run_compose_project(folder: Path, **settings: str) -> AsyncGenerator[ComposeProject]:
    """Run the containers until the block ends; then remove everything but the images.

    Args:
        folder: An empty folder for the copy of the checkout and the settings.
        settings: Further settings as in `docker-compose.yml`.
    """
    [port] = free_ports(1)
    docker_settings = {
        name: value for name, value in os.environ.items() if name.startswith("DOCKER_")
    }
    environment = minimal_environment() | docker_settings
    environment["COMPOSE_BAKE"] = "false"
    environment["COMPOSE_ENV_FILES"] = str(folder / ".env")
    environment["COMPOSE_PROJECT_NAME"] = f"e2e-{token_hex(4)}"
    environment["LIMIT_PER_ADDRESS"] = "0"
    environment["LIMIT_PER_USER"] = "0"
    environment["RATE_LIMIT"] = "off"
    environment["PORT"] = str(port)
    environment |= settings
    checkout = await asyncio.to_thread(copy_checkout, folder / "checkout")
    project = ComposeProject(environment, checkout)
    try:
        await project.make("up")
    except RuntimeError as error:
        with suppress(RuntimeError):
            await project.make("down", "v=1")
        pytest.exit(f"The containers do not start. {error}", returncode=2)
    try:
        yield project
    finally:
        await project.make("down", "v=1")
