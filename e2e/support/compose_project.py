"""The platform in containers, as `make up` starts it, beside any other that runs here."""

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
"""How long images may take to build and containers to start, on a machine that has neither."""

RECOVERY_SECONDS: Final = 60
"""How long everything may take to work again: far more than is promised, because test machines are busy."""

SAME_SITE: Final = "http://localhost:43117"
"""Where a front end on a developer's machine may be served from: another origin, but cookies reach it."""

SERVICES: Final = ("auth-gateway", "better-auth", "tasks", "users")
"""What is built here, and can be renewed."""


@dataclass(frozen=True)
class Composition:
    """A project of its own, with a port and secrets of its own."""

    environment: Mapping[str, str]

    checkout: Path
    """A copy of this one that only its owner may read, as a clone is where `umask` says so."""

    @property
    def url(self) -> str:
        """The one URL that a client knows."""
        return f"http://localhost:{self.environment['PORT']}"

    @property
    def file(self) -> Path:
        """What Compose reads, and an operator writes."""
        return Path(self.environment["COMPOSE_ENV_FILES"])

    @property
    def settings(self) -> dict[str, str]:
        """What the file says."""
        return {name: value or "" for name, value in dotenv_values(self.file).items()}

    async def make(self, *goals: str) -> None:
        """Do what an operator does."""
        await self.run("make", f"PYTHON={sys.executable}", *goals)

    async def compose(self, *arguments: str, stdin: str = "") -> str:
        """Ask Compose for something, and return what it says."""
        return await self.run("docker", "compose", *arguments, stdin=stdin)

    async def run(self, *command: str, stdin: str = "") -> str:
        """Run a command in this project, and return what it says.

        Raises:
            RuntimeError: It failed.
        """
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.checkout,
            env=self.environment,
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(UP_SECONDS):
            said, _ = await process.communicate(stdin.encode())
        if process.returncode:
            message = f"{' '.join(command)}: {said.decode()[-3000:]}"
            raise RuntimeError(message)
        return said.decode()

    async def set(self, **settings: str) -> None:
        """Write into the file what shall hold from now on, for whatever is started anew."""
        merged = {**self.settings, **settings}
        await asyncio.to_thread(
            self.file.write_text, "".join(f"{name}={value}\n" for name, value in merged.items())
        )

    async def inspect(self, service: str, template: str) -> str:
        """Look at the container of a service; the template is Docker's."""
        [container] = (await self.compose("ps", "--all", "--quiet", service)).split()
        return (await self.run("docker", "inspect", "--format", template, container)).strip()

    async def until_ready(self) -> None:
        """Wait until everything works."""
        async with (
            asyncio.timeout(RECOVERY_SECONDS),
            httpx.AsyncClient(base_url=self.url) as client,
        ):
            while True:
                try:
                    if (await client.get("/readyz")).is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)


def closed_copy(folder: Path) -> Path:
    """Copy what is committed or will be, for nobody else to read."""
    ignored = shutil.ignore_patterns(
        ".git", ".venv*", ".env", "var", "node_modules", "__pycache__", ".*_cache"
    )
    shutil.copytree(CHECKOUT, folder, ignore=ignored)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    return folder


@asynccontextmanager
async def composition(folder: Path, **environment: str) -> AsyncGenerator[Composition]:
    """Bring it up, until the block ends; nothing of it is left then but the images."""
    [port] = free_ports(1)
    engine = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    project = {
        "COMPOSE_BAKE": "false",
        "COMPOSE_ENV_FILES": str(folder / ".env"),
        "COMPOSE_PROJECT_NAME": f"e2e-{token_hex(4)}",
        "LIMIT_PER_ADDRESS": "0",
        "LIMIT_PER_USER": "0",
        "PORT": str(port),
    }
    copy = await asyncio.to_thread(closed_copy, folder / "checkout")
    made = Composition({**minimal_environment(), **engine, **project, **environment}, copy)
    try:
        await made.make("up")
    except RuntimeError as error:
        with suppress(RuntimeError):
            await made.make("down", "v=1")
        pytest.exit(f"The containers do not start. {error}", returncode=2)
    try:
        yield made
    finally:
        await made.make("down", "v=1")
