"""The platform with sign-in at one URL, for the tests of the TypeScript client."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.node import install_packages
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from devkit.platform.settings import CHECKOUT
from e2e.support.better_auth import BetterAuth, start_better_auth


@dataclass(frozen=True)
class SignInPlatform:
    """A gateway in proxy mode, with a Better Auth server behind the same URL."""

    url: str
    better_auth: BetterAuth


@pytest.fixture(scope="session")
async def sign_in_platform(
    processes: ProcessGroup, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[SignInPlatform]:
    """Run a gateway that shows a Better Auth server at its own URL, as `make run` does."""
    async with AsyncExitStack() as clients:
        [port] = free_ports(1)
        url = f"http://localhost:{port}"
        better_auth = await start_better_auth(processes, clients, BETTER_AUTH_URL=url)
        environment = dict(minimal_environment())
        environment["MODE"] = "proxy"
        environment["TASKS_URL"] = platform.tasks.url
        environment["USERS_URL"] = platform.users.url
        environment["PASSPORT_PRIVATE_KEY"] = keys.private
        environment["EXPLAIN_REFUSALS"] = "true"
        environment["BETTER_AUTH_URL"] = url
        environment["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        environment["BETTER_AUTH_SERVER_URL"] = better_auth.url
        await install_packages(processes, CHECKOUT)
        gateway = start_service(processes, "gateway", environment, port)
        await gateway.wait_until_ready()
        yield SignInPlatform(url, better_auth)
