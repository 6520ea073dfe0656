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
"""What the times of the steps are counted from."""

WATCH_SECONDS: Final = 0.25
"""How often is looked whether all still run."""

INVITATION: Final = """
The platform runs at {url}

A development token, good for a day (another one: make token):

{token}

Paste one of these:

curl -i {url}/tasks {bearer} {json} -d '{{"title": "Water the plants"}}'
curl -i {url}/tasks {bearer}
curl -i {url}/users/me {bearer}

What the services say is in {logs}/. Ctrl-C stops everything; the data stay.
"""
"""What a developer needs once everything runs."""


async def run(settings: RunSettings, folder: Path) -> None:
    """Start everything, then wait until something dies or somebody wants it to stop; the folder keeps its data.

    Raises:
        CannotRunError: Another run uses this checkout, the port is taken, a database does not answer, something died.
    """
    _stop_on_signals()
    async with (
        exclusive_lock(folder) as lock,
        ProcessGroup(folder / "log", inherited_fds=[lock]) as group,
    ):
        _require_free(settings.port)
        named = settings.named_databases
        _say(
            "Using the databases that were named"
            if len(named) == len(SERVICES_WITH_DATABASE)
            else "Starting PostgreSQL"
        )
        environment = database_environment(
            await ensure_databases(group, settings, folder), service_environment()
        )
        secret = development_secret(settings, folder)
        _say("Starting gateway, tasks and users, and migrating their databases")
        environment |= {
            "BETTER_AUTH_SECRET": secret,
            "EXPLAIN_REFUSALS": "true",
            "METRICS_PORT": "",
        }
        platform = start_platform(
            group, environment, load_or_create_passport_keys(folder / "keys"), port=settings.port
        )
        await migrate_databases(group, environment)
        await platform.wait_until_ready()
        _say("Ready")
        _invite(
            platform.gateway.url,
            mint_token(secret, DEVELOPER, email="developer@example.com"),
            group.logs,
        )
        await _watch(group)


async def _watch(group: ProcessGroup) -> None:
    """Look after everything, until whoever started us is gone: a killed `make` cannot pass its signal on."""
    starter = os.getppid()
    while os.getppid() == starter:
        group.check()
        await asyncio.sleep(WATCH_SECONDS)


def _stop_on_signals() -> None:
    """Let the first signal end the run in order, and later ones not disturb that."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def stop() -> None:
        if task and not task.cancelling():
            task.cancel()
            _say("Stopping")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            message = f"Port {port} is taken. Stop what listens there, or choose another: PORT={port + 1} make run"
            raise CannotRunError(message) from None


def _say(step: str) -> None:
    with suppress(OSError):  # the terminal may be gone, which is one of the reasons to stop
        print(f"{time.monotonic() - STARTED_AT:5.1f} s  {step}", flush=True)


def _invite(url: str, token: str, logs: Path) -> None:
    bearer, json = f"-H 'Authorization: Bearer {token}'", "-H 'Content-Type: application/json'"
    print(
        INVITATION.format(
            url=url, token=token, bearer=bearer, json=json, logs=os.path.relpath(logs)
        ),
        flush=True,
    )


def main() -> None:
    """Run until told to stop; what went wrong is said in one message, without a traceback."""
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
