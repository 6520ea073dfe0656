"""The platform with sign-in at one URL, for the tests of the TypeScript client."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final

import pytest

from devkit.platform.keys import PassportKeys
from devkit.platform.node import install_packages, node_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform
from devkit.platform.settings import CHECKOUT
from e2e.support.sign_in_platform import SignInTestbed

SHORT_TOKEN_SECONDS: Final = 3
"""The lifetime of tokens where tests wait for the end of one."""


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
