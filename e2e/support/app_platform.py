"""The reference app, the platform and a real Better Auth server at one public URL."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Final, Protocol

import httpx

from devkit.platform.better_auth import install_better_auth, start_better_auth
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, free_ports, local_url, start_service
from devkit.platform.web_app import BUILD, build_app, install_app_packages
from e2e.support.compose_project import POLL_SECONDS, RECOVERY_SECONDS, ComposeProject
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint
from e2e.support.kubernetes_release import KubernetesRelease

TOKEN_SECONDS: Final = 900
"""How long a token is valid, unless a test chooses another lifetime."""


class IdentityServer(Protocol):
    """The Better Auth server behind the public URL. It keeps users and sessions when it stops."""

    async def stop(self) -> None:
        """Stop the server."""
        ...

    async def start(self, token_seconds: int) -> None:
        """Start the stopped server, whose tokens are valid that long."""
        ...


@dataclass(frozen=True)
class AppPlatform:
    """A running platform with the app."""

    url: str
    identity_server: IdentityServer

    @asynccontextmanager
    async def identity_server_stopped(self) -> AsyncGenerator[None]:
        """Stop the Better Auth server until the block ends."""
        await self._stop_identity_server()
        try:
            yield
        finally:
            await self._start_identity_server(TOKEN_SECONDS)

    @asynccontextmanager
    async def short_tokens(self, seconds: int) -> AsyncGenerator[None]:
        """Let tokens be valid that long until the block ends."""
        await self._stop_identity_server()
        await self._start_identity_server(seconds)
        try:
            yield
        finally:
            await self._stop_identity_server()
            await self._start_identity_server(TOKEN_SECONDS)

    async def _stop_identity_server(self) -> None:
        await self.identity_server.stop()
        await self._wait_for_identity_server(lambda status: status >= 500)

    async def _start_identity_server(self, token_seconds: int) -> None:
        await self.identity_server.start(token_seconds)
        await self._wait_for_identity_server(lambda status: status == 200)

    async def _wait_for_identity_server(self, is_expected: Callable[[int], bool]) -> None:
        async with (
            asyncio.timeout(RECOVERY_SECONDS),
            httpx.AsyncClient(base_url=self.url) as client,
        ):
            while True:
                response = await client.get("/api/auth/ok")
                if is_expected(response.status_code):
                    return
                await asyncio.sleep(POLL_SECONDS)


@dataclass
class IdentityServerProcess:
    """A Better Auth server as a process, on a port that it keeps when it is started again."""

    group: ProcessGroup
    settings: Mapping[str, str]
    port: int
    server: Service | None = None

    async def stop(self) -> None:
        """Stop the process."""
        assert self.server
        await self.server.process.stop()

    async def start(self, token_seconds: int) -> None:
        """Start a process on the same database."""
        settings = dict(self.settings)
        settings["TOKEN_SECONDS"] = str(token_seconds)
        name = f"better-auth-{token_hex(4)}"
        self.server = start_better_auth(self.group, settings, name=name, port=self.port)
        await self.server.wait_until_ready()


@dataclass(frozen=True)
class IdentityServerContainer:
    """The Better Auth server of a Compose project."""

    project: ComposeProject

    async def stop(self) -> None:
        """Stop the container."""
        await self.project.compose("stop", "better-auth")

    async def start(self, token_seconds: int) -> None:
        """Start a container on the same database."""
        await self.project.update_settings(TOKEN_SECONDS=str(token_seconds))
        await self.project.compose("up", "--detach", "--no-deps", "--wait", "better-auth")


@dataclass(frozen=True)
class IdentityServerDeployment:
    """The Better Auth server of a release in Kubernetes."""

    release: KubernetesRelease

    async def stop(self) -> None:
        """Remove the only pod. Requests find none before it has ended."""
        await self.release.scale("better-auth", 0)

    async def start(self, token_seconds: int) -> None:
        """Start a pod on the same database."""
        deployment = f"deployment/{self.release.part('better-auth')}"
        await self.release.kubectl("set", "env", deployment, f"TOKEN_SECONDS={token_seconds}")
        await self.release.scale("better-auth", 1)


async def start_app_platform(
    group: ProcessGroup, postgres: Postgres, platform: Platform, keys: PassportKeys
) -> AppPlatform:
    """Start what receives the requests of browsers, and a Better Auth server behind it.

    Args:
        group: Stops the processes when it ends.
        postgres: Holds the database of the Better Auth server.
        platform: Its services of tasks and users are used.
        keys: Those of the passports that these services accept.
    """
    await install_app_packages(group)
    await build_app(group)
    public_port, gateway_port, identity_port = free_ports(3)
    url = local_url(public_port)
    identity_url = local_url(identity_port)
    identity_settings = {
        "BETTER_AUTH_URL": url,
        "BETTER_AUTH_SECRET": token_hex(32),
        "DATABASE_URL": await postgres.create_database("better-auth-of-app"),
        "RATE_LIMIT": "off",
    }
    await install_better_auth(group)
    identity_server = IdentityServerProcess(group, identity_settings, identity_port)
    await identity_server.start(TOKEN_SECONDS)
    environment = dict(minimal_environment()) | GATEWAY_MODE
    environment["TASKS_URL"] = platform.tasks.url
    environment["USERS_URL"] = platform.users.url
    environment["PASSPORT_PRIVATE_KEY"] = keys.private
    environment["BETTER_AUTH_URL"] = url
    environment["BETTER_AUTH_JWKS_URL"] = f"{identity_url}/api/auth/jwks"
    environment["BETTER_AUTH_SERVER_URL"] = identity_url
    environment["APP_FOLDER"] = str(BUILD)
    is_proxy = GATEWAY_MODE["MODE"] == "proxy"
    gateway = start_service(
        group, "gateway", environment, public_port if is_proxy else gateway_port
    )
    entrypoint = start_entrypoint(group, gateway, environment, port=public_port)
    await entrypoint.wait_until_ready()
    return AppPlatform(url, identity_server)
