"""Gateway, tasks and users as processes on this machine, started and watched together."""

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

PACKAGES: Final = {"gateway": "auth_gateway", "tasks": "tasks", "users": "users"}
"""What each service is started from."""


@dataclass(frozen=True)
class Service:
    """A service that was started, and the address it answers at."""

    name: str
    url: str
    process: Process

    async def wait_until_ready(self) -> None:
        """Wait until it can do its work, with what stands behind it."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            await self.process.wait_until(_asking(client))


@dataclass(frozen=True)
class Platform:
    """All services."""

    gateway: Service
    tasks: Service
    users: Service

    async def wait_until_ready(self) -> None:
        """Wait until all can do their work."""
        await asyncio.gather(
            *(service.wait_until_ready() for service in (self.users, self.tasks, self.gateway))
        )


def start_service(
    group: ProcessGroup, name: str, environment: Mapping[str, str], port: int
) -> Service:
    """Start one service on this port."""
    address = {"HOST": "127.0.0.1", "PORT": str(port)}
    process = group.start(
        name, [sys.executable, "-m", f"{PACKAGES[name]}.main"], {**environment, **address}
    )
    return Service(name, f"http://127.0.0.1:{port}", process)


def start_platform(
    group: ProcessGroup,
    environment: Mapping[str, str],
    keys: PassportKeys,
    *,
    port: int | None = None,
) -> Platform:
    """Start all services, the gateway on this port; the environment says where their databases are.

    Only the gateway is given the key that signs passports.
    """
    users, tasks, gateway = free_ports(3)
    shared = {
        **environment,
        "TASKS_URL": f"http://127.0.0.1:{tasks}",
        "USERS_URL": f"http://127.0.0.1:{users}",
    }
    believing, signing = (
        {"PASSPORT_PUBLIC_KEYS": keys.public},
        {"PASSPORT_PRIVATE_KEY": keys.private},
    )
    return Platform(
        users=start_service(group, "users", shared | believing, users),
        tasks=start_service(group, "tasks", shared | believing, tasks),
        gateway=start_service(group, "gateway", shared | signing, port or gateway),
    )


def free_ports(count: int) -> list[int]:
    """Return TCP ports of 127.0.0.1 that nobody listens on at this moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _asking(client: httpx.AsyncClient) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        try:
            return (await client.get("/readyz")).is_success
        except httpx.TransportError:
            return False

    return is_ready
