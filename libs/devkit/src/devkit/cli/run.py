"""`make run`: the platform on this machine, until Ctrl-C."""

import argparse
import asyncio
import errno
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from devkit.platform import better_auth
from devkit.platform.databases import (
    SERVICES_WITH_DATABASE,
    database_environment,
    ensure_databases,
    migrate_databases,
)
from devkit.platform.environment import service_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.front_end import FrontEnd, prepare_front_end
from devkit.platform.gateway_record import write_gateway_record
from devkit.platform.keys import load_or_create_passport_keys, load_or_create_secret
from devkit.platform.lockfile import exclusive_lock
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, start_data_services, start_gateway
from devkit.platform.settings import VAR, RunSettings, load_settings
from devkit.platform.tokens import DEVELOPER, development_secret, mint_token

STARTED_AT: Final = time.monotonic()
"""Start of the clock in the progress messages."""

WATCH_SECONDS: Final = 0.25
"""Pause between two checks that all processes run."""

OTHER_BETTER_AUTH_SECONDS: Final = 5.0
"""How long to wait for the keys of another Better Auth server."""

OTHER_BETTER_AUTH_IS_AWAY: Final = (
    "The server of BETTER_AUTH_URL does not answer yet: until it does, only development tokens "
    "are accepted. /readyz says more."
)

WELCOME: Final = """
Open {url} in a browser: {what}

{missing}A development token, good for a day (another one: make token):

{token}

Paste one of these:

curl -i {url}/tasks {bearer} {json} -d '{{"title": "Water the plants"}}'
curl -i {url}/tasks {bearer}
curl -i {url}/users/me {bearer}

What the services say is in {logs}/. Ctrl-C stops everything; the data stay.
"""
"""Printed when everything runs."""

WITH_APP: Final = "sign up, and add a task."
WITHOUT_APP: Final = "it shows how to use the API."


async def run(settings: RunSettings, folder: Path) -> None:
    """Start the platform, then watch it until a signal arrives or a process dies.

    Args:
        settings: Settings of the platform.
        folder: Folder for data, logs and keys.

    Raises:
        CannotRunError: Another run uses the folder, the port is taken, a database does not answer,
            or a process died. May be in an ExceptionGroup.
    """
    _stop_when_asked()
    async with (
        exclusive_lock(folder) as lock,
        ProcessGroup(folder / "log", inherited_fds=[lock]) as group,
    ):
        _require_free(settings.port)
        async with asyncio.TaskGroup() as tasks:
            databases = tasks.create_task(_prepare_databases(group, settings, folder))
            front_end = tasks.create_task(prepare_front_end(group, settings, _report))
        await _start(group, settings, folder, databases.result(), front_end.result())
        while True:
            group.check()
            await asyncio.sleep(WATCH_SECONDS)


async def _prepare_databases(
    group: ProcessGroup, settings: RunSettings, folder: Path
) -> dict[str, str]:
    """Start PostgreSQL if it is needed, migrate the databases, and return their URLs."""
    further: list[str] = []
    if not settings.names_better_auth:
        further.append(better_auth.DATABASE)
    if further or len(settings.configured_databases) < len(SERVICES_WITH_DATABASE):
        _report("Starting PostgreSQL")
    else:
        _report("Using the databases that were named")
    urls = await ensure_databases(group, settings, folder, further)
    await migrate_databases(group, database_environment(urls, service_environment()))
    return urls


async def _start(
    group: ProcessGroup,
    settings: RunSettings,
    folder: Path,
    databases: dict[str, str],
    front_end: FrontEnd,
) -> None:
    """Start everything that serves requests, and say how to use it."""
    secret = development_secret(settings, folder)
    better_auth_database = databases.pop(better_auth.DATABASE, "")
    environment = database_environment(databases, service_environment())
    environment["BETTER_AUTH_SECRET"] = secret
    environment["EXPLAIN_REFUSALS"] = "true"
    environment["METRICS_PORT"] = ""
    environment["APP_FOLDER"] = str(front_end.app_folder or "")
    keys = load_or_create_passport_keys(folder / "keys")
    _report("Starting gateway, tasks and users")
    tasks, users = start_data_services(group, environment, keys)
    if front_end.has_better_auth:
        local_settings = better_auth.local_settings(
            settings, better_auth_database, load_or_create_secret(folder / "keys")
        )
        server = better_auth.start_better_auth(group, local_settings)
        await server.wait_until_ready()
        environment.update(better_auth.gateway_settings(settings, server))
    write_gateway_record(folder, environment)
    gateway = start_gateway(group, environment, keys, tasks=tasks, users=users, port=settings.port)
    missing = front_end.missing + await _wait_until_ready(Platform(gateway, tasks, users), settings)
    _report("Ready")
    token = mint_token(secret, DEVELOPER, email="developer@example.com")
    what = WITH_APP if front_end.app_folder else WITHOUT_APP
    _welcome(settings.url, what, missing, token, group.logs)


async def _wait_until_ready(platform: Platform, settings: RunSettings) -> list[str]:
    """Wait for the platform; return a sentence if another Better Auth server does not answer.

    It may be part of a front end that is started later.
    """
    if not settings.names_better_auth:
        await platform.wait_until_ready()
        return []
    await asyncio.gather(platform.tasks.wait_until_ready(), platform.users.wait_until_ready())
    await replace(platform.gateway, readiness_path="/healthz").wait_until_ready()
    try:
        async with asyncio.timeout(OTHER_BETTER_AUTH_SECONDS):
            await platform.gateway.wait_until_ready()
    except TimeoutError:
        return [OTHER_BETTER_AUTH_IS_AWAY]
    return []


def _stop_when_asked() -> None:
    """Cancel the current task at the first signal, or when the parent is gone.

    A killed `make` cannot pass on its signal. Later signals do not disturb the orderly stop.
    """
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    parent_id = os.getppid()

    def stop() -> None:
        if task and not task.cancelling():
            task.cancel()
            _report("Stopping")

    def watch_parent() -> None:
        if os.getppid() == parent_id:
            loop.call_later(WATCH_SECONDS, watch_parent)
        else:
            stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    watch_parent()


def _require_free(port: int) -> None:
    """Check that nothing listens at what a browser may try for `localhost`."""
    if _is_free(socket.AF_INET, "127.0.0.1", port) and _is_free(socket.AF_INET6, "::1", port):
        return
    raise CannotRunError(
        f"Port {port} is taken. Stop what listens there, or choose another: "
        f"PORT={port + 1} make run"
    )


def _is_free(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        # A machine may have no IPv6.
        return family == socket.AF_INET6 and error.errno != errno.EADDRINUSE
    return True


def _report(step: str) -> None:
    with suppress(OSError):  # the terminal may be gone, which is one of the reasons to stop
        print(f"{time.monotonic() - STARTED_AT:5.1f} s  {step}", flush=True)


def _welcome(url: str, what: str, missing: list[str], token: str, logs: Path) -> None:
    message = WELCOME.format(
        url=url,
        what=what,
        missing="".join(f"{sentence}\n\n" for sentence in missing),
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
    failure = ""
    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(run(load_settings(), folder))
    except* CannotRunError as errors:
        failure = f"\n{errors.exceptions[0]}"
    if failure:
        sys.exit(failure)


if __name__ == "__main__":
    main()
