"""The platform with sign-in at one URL, for the tests of the TypeScript client."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.node import install_packages, node_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from devkit.platform.settings import CHECKOUT
from e2e.support.better_auth import BetterAuth, start_better_auth

SHORT_TOKEN_SECONDS: Final = 3
"""The lifetime of tokens where tests wait for the end of one."""


@dataclass(frozen=True)
class SignInPlatform:
    """A gateway in proxy mode, with a Better Auth server behind the same URL."""

    url: str
    better_auth: BetterAuth


@dataclass(frozen=True)
class SignInTestbed:
    """Starts platforms with sign-in, which share the services behind the gateway."""

    group: ProcessGroup
    clients: AsyncExitStack
    services: Platform
    keys: PassportKeys

    async def start(self, **better_auth_settings: str) -> SignInPlatform:
        """Start a gateway that shows a Better Auth server at its own URL, as `make run` does."""
        [port] = free_ports(1)
        url = f"http://localhost:{port}"
        better_auth = await start_better_auth(
            self.group, self.clients, BETTER_AUTH_URL=url, **better_auth_settings
        )
        environment = dict(minimal_environment())
        environment["MODE"] = "proxy"
        environment["TASKS_URL"] = self.services.tasks.url
        environment["USERS_URL"] = self.services.users.url
        environment["PASSPORT_PRIVATE_KEY"] = self.keys.private
        environment["EXPLAIN_REFUSALS"] = "true"
        environment["BETTER_AUTH_URL"] = url
        environment["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        environment["BETTER_AUTH_SERVER_URL"] = better_auth.url
        gateway = start_service(self.group, "gateway", environment, port)
        await gateway.wait_until_ready()
        return SignInPlatform(url, better_auth)


@pytest.fixture(scope="session")
async def client_environment(
    processes: ProcessGroup, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[dict[str, str]]:
    """Run what the tests of the client need, and return the environment that names it."""
    await install_packages(processes, CHECKOUT)
    async with AsyncExitStack() as clients:
        testbed = SignInTestbed(processes, clients, platform, keys)
        usual = await testbed.start()
        short = await testbed.start(TOKEN_SECONDS=str(SHORT_TOKEN_SECONDS))
        environment = node_environment()
        environment["PLATFORM_URL"] = usual.url
        environment["SHORT_TOKENS_URL"] = short.url
        yield environment
