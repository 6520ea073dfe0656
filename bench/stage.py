"""Everything that is measured, started beside each other on one PostgreSQL with the same data."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Final

from bench.floor import start_floor
from bench.people import OWNERS, Owner
from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.postgres import Postgres, throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, free_ports, start_platform, start_service
from devkit.testing.auth_headers import Headers, passport_headers, token_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from devkit.testing.traefik import start_traefik

UNLIMITED: Final = {
    "TASKS_PER_USER_MAX": "1000000",
    "LIMIT_PER_ADDRESS": "0",
    "LIMIT_PER_USER": "0",
}
"""What would stop a few clients who do the work of many."""

Identify = Callable[[Owner], Headers]


@dataclass(frozen=True)
class Way:
    """One way to an answer: the services on it, the first of which is asked, and how to say who asks."""

    name: str
    services: tuple[Service, ...]
    identify: Identify

    @property
    def url(self) -> str:
        """Where to ask."""
        return self.services[0].url


@dataclass(frozen=True)
class Stage:
    """All that was started; the first of several ways is the floor of the others."""

    ways: tuple[Way, ...]
    decisions: tuple[Way, ...]
    counted: tuple[Way, ...]
    """Those before the proxy that counts round trips."""

    proxy: FaultProxy
    postgres: Postgres
    database_url: str
    readers: list[Owner]
    writers: list[Owner]

    def services(self) -> dict[str, Service]:
        """Return everything that is measured, by a name of its own."""
        named = {
            f"{service.name}, {way.name}": service for way in self.ways for service in way.services
        }
        return {
            name: service
            for name, service in named.items()
            if service.name != "tasks" or "alone" in name
        }


@dataclass(frozen=True)
class _Starter:
    """Starts processes that believe each other. Two groups, because a process has its log under its name."""

    group: ProcessGroup
    beside: ProcessGroup
    environment: Mapping[str, str]
    secret: str
    keys: PassportKeys

    def token(self, owner: Owner) -> Headers:
        """Speak as a front end does."""
        return token_headers(self.secret, str(owner.id))

    def passport(self, owner: Owner) -> Headers:
        """Speak as the gateway does."""
        return passport_headers(self.keys, str(owner.id))

    def platform(self) -> Platform:
        """Start the platform in its proxy mode."""
        return start_platform(self.group, self.environment, self.keys)

    def decider(self, platform: Platform) -> Service:
        """Start a gateway for an edge."""
        addresses = {"TASKS_URL": platform.tasks.url, "USERS_URL": platform.users.url}
        believed = {"PASSPORT_PRIVATE_KEY": self.keys.private, "MODE": "forward-auth"}
        return start_service(
            self.beside, "gateway", {**self.environment, **addresses, **believed}, *free_ports(1)
        )

    def edge(self, traefik: Path, platform: Platform, decider: Service) -> Service:
        """Start an edge that asks this gateway."""
        addresses = {"TASKS_URLS": platform.tasks.url, "USERS_URLS": platform.users.url}
        return start_traefik(
            self.beside, traefik, {**UNLIMITED, **addresses, "AUTH_GATEWAY_URLS": decider.url}
        )

    def counted(self, platform: Platform, database_url: str) -> tuple[Way, Way]:
        """Start the floor and the service once more, on a database that counts its round trips."""
        told = {"PASSPORT_PUBLIC_KEYS": self.keys.public, "USERS_URL": platform.users.url}
        database = {"TASKS_DATABASE_URL": database_url}
        tasks = start_service(
            self.beside, "tasks", {**self.environment, **told, **database}, *free_ports(1)
        )
        floor = start_floor(self.beside, database_url, self.secret)
        return Way("floor", (floor,), self.token), Way("tasks alone", (tasks,), self.passport)


@asynccontextmanager
async def set_up(traefik: Path | None) -> AsyncGenerator[Stage]:
    """Start everything, the edge only if a program for it is named."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with ProcessGroup(folder / "log") as group, throwaway_postgres(group) as postgres:
            databases = MigratedDatabases(group, postgres)
            urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
            async with (
                run_fault_proxy(urls["tasks"]) as proxy,
                ProcessGroup(folder / "beside") as beside,
            ):
                secret, keys = token_urlsafe(), derive_passport_keys(generate_private_key())
                environment = database_environment(urls, minimal_environment())
                environment |= {**UNLIMITED, "BETTER_AUTH_SECRET": secret}
                starter = _Starter(group, beside, environment, secret, keys)
                yield await _start(starter, postgres, proxy, urls["tasks"], traefik)


async def _start(
    starter: _Starter, postgres: Postgres, proxy: FaultProxy, url: str, traefik: Path | None
) -> Stage:
    platform, floor = starter.platform(), start_floor(starter.group, url, starter.secret)
    decider, counted = starter.decider(platform), starter.counted(platform, proxy.url)
    tasks, gateway, bare = platform.tasks, platform.gateway, Way("floor", (floor,), starter.token)
    ways = [bare, Way("tasks alone", (tasks,), starter.passport)]
    ways.append(Way("proxy mode", (gateway, tasks), starter.token))
    if traefik:
        edge = starter.edge(traefik, platform, decider)
        ways.append(Way("forward-auth mode", (edge, decider, tasks), starter.token))
    decisions = bare, Way("gateway", (decider,), starter.token)
    everything = (service for way in (*ways, *decisions, *counted) for service in way.services)
    await asyncio.gather(*(service.wait_until_ready() for service in everything))
    readers, writers = ([Owner() for _ in range(OWNERS)] for _ in range(2))
    for owner in (*readers, *writers):
        owner.meet(url)
    return Stage(tuple(ways), decisions, counted, proxy, postgres, url, readers, writers)
