"""Shared by `make migrate` and `make restored`: one operation on databases that are not in use."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

from devkit.platform.databases import database_environment, ensure_databases
from devkit.platform.environment import service_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.lockfile import exclusive_lock
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import VAR, RunSettings, load_settings

DatabaseOperation = Callable[[ProcessGroup, Mapping[str, str]], Awaitable[str]]
"""Works on the databases that the environment names; returns its output."""


def run_database_command(operation: DatabaseOperation) -> str:
    """Run an operation on the configured databases, or on those of `make run`; return its output.

    Raises:
        SystemExit: `make run` uses its data now, a database does not answer, or the operation
            failed.
    """
    try:
        return asyncio.run(_run(operation, load_settings()))
    except CannotRunError as error:
        sys.exit(str(error))


async def _run(operation: DatabaseOperation, settings: RunSettings) -> str:
    async with (
        exclusive_lock(VAR) as lock,
        ProcessGroup(VAR / "log", inherited_fds=[lock]) as group,
    ):
        urls = await ensure_databases(group, settings, VAR)
        return await operation(group, database_environment(urls, service_environment()))
