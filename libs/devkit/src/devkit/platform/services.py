"""Gateway, tasks and users as processes on this machine."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import httpx

from devkit.platform.keys import PassportKeys
from devkit.platform.processes import Process, ProcessGroup

HOST: Final = "127.0.0.1"

PACKAGES: Final = {"gateway": "auth_gateway", "tasks": "tasks", "users": "users"}
"""The Python package of each service."""


@dataclass(frozen=True)
class Service:
    """A started service."""

    name: str
    url: str
    process: Process
    readiness_path: str = "/readyz"
    """Responds with success if the service and what it needs are ready."""

    metrics_url: str = ""
    """Where Prometheus reads its metrics; empty if it shows none."""

    async def wait_until_ready(self) -> None:
        """Wait until the service and what it needs are ready.

        Raises:
            CannotRunError: The service ended before that, or took too long.
        """
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            await self.process.wait_until(_readiness_check(client, self.readiness_path))


@dataclass(frozen=True)
class Platform:
    """The three services."""

    gateway: Service
    tasks: Service
    users: Service

    async def wait_until_ready(self) -> None:
        """Wait until all services are ready.

        Raises:
            CannotRunError: A service ended before that, or took too long.
        """
        await asyncio.gather(
            self.users.wait_until_ready(),
            self.tasks.wait_until_ready(),
            self.gateway.wait_until_ready(),
        )


def start_service(
    group: ProcessGroup, name: str, environment: Mapping[str, str], port: int
) -> Service:
    """Start one service on a port of 127.0.0.1; `name` is a key of `PACKAGES`.

    With `METRICS_PORT` in the environment it shows metrics as well.
    """
    settings = dict(environment)
    settings["HOST"] = HOST
    settings["PORT"] = str(port)
    command = [sys.executable, "-m", f"{PACKAGES[name]}.main"]
    process = group.start(name, command, settings)
    metrics_port = settings.get("METRICS_PORT")
    metrics_url = metrics_url_of(int(metrics_port)) if metrics_port else ""
    return Service(name, local_url(port), process, metrics_url=metrics_url)


def start_platform(
    group: ProcessGroup,
    environment: Mapping[str, str],
    keys: PassportKeys,
    *,
    port: int | None = None,
) -> Platform:
    """Start gateway, tasks and users.

    Args:
        group: Group that the processes belong to.
        environment: Settings of all services, among them the database URLs.
        keys: Only the gateway is given the private key; it signs passports.
        port: Port of the gateway; None for a free one.
    """
    tasks, users = start_data_services(group, environment, keys)
    gateway = start_gateway(group, environment, keys, tasks=tasks, users=users, port=port)
    return Platform(gateway, tasks, users)


def start_data_services(
    group: ProcessGroup, environment: Mapping[str, str], keys: PassportKeys
) -> tuple[Service, Service]:
    """Start tasks and users; the arguments are those of `start_platform`."""
    tasks_port, users_port = free_ports(2)
    settings = dict(environment)
    settings["TASKS_URL"] = local_url(tasks_port)
    settings["USERS_URL"] = local_url(users_port)
    settings["PASSPORT_PUBLIC_KEYS"] = keys.public
    users = start_service(group, "users", settings, users_port)
    tasks = start_service(group, "tasks", settings, tasks_port)
    return tasks, users


def start_gateway(
    group: ProcessGroup,
    environment: Mapping[str, str],
    keys: PassportKeys,
    *,
    tasks: Service,
    users: Service,
    port: int | None = None,
) -> Service:
    """Start the gateway before these services; the arguments are those of `start_platform`."""
    settings = dict(environment)
    settings["TASKS_URL"] = tasks.url
    settings["USERS_URL"] = users.url
    settings["PASSPORT_PRIVATE_KEY"] = keys.private
    (free_port,) = free_ports(1)
    return start_service(group, "gateway", settings, port or free_port)


def local_url(port: int) -> str:
    """Return the URL of a port of 127.0.0.1."""
    return f"http://{HOST}:{port}"


def metrics_url_of(port: int) -> str:
    """Return the URL of the metrics at a port of 127.0.0.1."""
    return f"{local_url(port)}/metrics"


def free_ports(count: int) -> list[int]:
    """Return TCP ports of 127.0.0.1 on which nothing listens now."""
    ports: list[int] = []
    with ExitStack() as stack:
        for _ in range(count):
            probe = stack.enter_context(socket.socket())
            probe.bind((HOST, 0))
            ports.append(probe.getsockname()[1])
    return ports


def _readiness_check(client: httpx.AsyncClient, path: str) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        try:
            response = await client.get(path)
        except httpx.TransportError:
            return False
        return response.is_success

    return is_ready
