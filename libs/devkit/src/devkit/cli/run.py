"""`make run`: the platform on this machine, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from devkit.platform.databases import (
    SERVICES_WITH_DATABASE,
    database_environment,
    ensure_databases,
    migrate_databases,
)
from devkit.platform.environment import service_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.keys import load_or_create_passport_keys
from devkit.platform.lockfile import exclusive_lock
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import start_platform
from devkit.platform.settings import VAR, RunSettings, load_settings
from devkit.platform.tokens import DEVELOPER, development_secret, mint_token

STARTED_AT: Final = time.monotonic()
"""Start of the clock in the progress messages."""

WATCH_SECONDS: Final = 0.25
"""Pause between two checks that all processes run."""

WELCOME: Final = """
The platform runs at {url}

A development token, good for a day (another one: make token):

{token}

Paste one of these:

curl -i {url}/tasks {bearer} {json} -d '{{"title": "Water the plants"}}'
curl -i {url}/tasks {bearer}
curl -i {url}/users/me {bearer}

What the services say is in {logs}/. Ctrl-C stops everything; the data stay.
"""
"""Printed when everything runs."""


async def run(settings: RunSettings, folder: Path) -> None:
    """Start the platform, then watch it until a signal arrives or a process dies.

    Args:
        settings: Settings of the platform.
        folder: Folder for data, logs and keys.

    Raises:
        CannotRunError: Another run uses the folder, the port is taken, a database does not answer,
            or a process died.
    """
    _stop_on_signals()
    async with (
        exclusive_lock(folder) as lock,
        ProcessGroup(folder / "log", inherited_fds=[lock]) as group,
    ):
        _require_free(settings.port)
        if len(settings.configured_databases) == len(SERVICES_WITH_DATABASE):
            _report("Using the databases that were named")
        else:
            _report("Starting PostgreSQL")
        urls = await ensure_databases(group, settings, folder)
        _report("Starting gateway, tasks and users, and migrating their databases")
        secret = development_secret(settings, folder)
        environment = database_environment(urls, service_environment())
        environment["BETTER_AUTH_SECRET"] = secret
        environment["EXPLAIN_REFUSALS"] = "true"
        environment["METRICS_PORT"] = ""
        keys = load_or_create_passport_keys(folder / "keys")
        platform = start_platform(group, environment, keys, port=settings.port)
        await migrate_databases(group, environment)
        await platform.wait_until_ready()
        _report("Ready")
        token = mint_token(secret, DEVELOPER, email="developer@example.com")
        _welcome(platform.gateway.url, token, group.logs)
        await _watch(group)


async def _watch(group: ProcessGroup) -> None:
    """Check the processes until the parent is gone: a killed `make` cannot pass on its signal."""
    parent_id = os.getppid()
    while os.getppid() == parent_id:
        group.check()
        await asyncio.sleep(WATCH_SECONDS)


def _stop_on_signals() -> None:
    """Cancel the current task at the first signal; later ones do not disturb the orderly stop."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if task and not task.cancelling():
            task.cancel()
            _report("Stopping")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            message = (
                f"Port {port} is taken. Stop what listens there, or choose another: "
                f"PORT={port + 1} make run"
            )
            raise CannotRunError(message) from None


def _report(step: str) -> None:
    with suppress(OSError):  # the terminal may be gone, which is one of the reasons to stop
        print(f"{time.monotonic() - STARTED_AT:5.1f} s  {step}", flush=True)


def _welcome(url: str, token: str, logs: Path) -> None:
    message = WELCOME.format(
        url=url,
        token=token,
        bearer=f"-H 'Authorization: Bearer {token}'",
        json="-H 'Content-Type: application/json'",
        logs=os.path.relpath(logs),
    )
    print(message, flush=True)


def main() -> None:
    """Run until a signal arrives; an error is one message without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m devkit.cli.run", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=VAR, help="where data, logs and keys are kept"
    )
    folder = parser.parse_args().folder.absolute()
    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(run(load_settings(), folder))
    except CannotRunError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
