"""Fixtures that run the service on a database of the test's choice, and migrate it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from devkit.platform.databases import database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform
from devkit.testing.auth_headers import ClientFactory

from ..support.service import run_service
from ..support.unfit_databases import Logged, Migrate, Run


@pytest.fixture
def run(platform: Platform, keys: PassportKeys) -> Run:
    """Return a context manager that runs the service on a database."""

    @asynccontextmanager
    async def run(url: str) -> AsyncGenerator[ClientFactory]:
        async with run_service(url, platform.users.url, keys) as service:
            yield service.client_for

    return run


@pytest.fixture
def migrate(processes: ProcessGroup) -> Migrate:
    """Return a function that runs an Alembic command on a database, by default `upgrade head`."""

    async def migrate(url: str, *arguments: str) -> None:
        environment = database_environment({"tasks": url}, minimal_environment())
        await run_alembic(processes, "tasks", environment, *(arguments or ("upgrade", "head")))

    return migrate


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Logged:
    """Return the log lines about the database since the last call."""

    def database_lines() -> list[str]:
        output = capfd.readouterr().out
        return [line for line in output.splitlines() if "The database of tasks" in line]

    return database_lines
