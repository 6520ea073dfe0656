"""Starts everything that is measured, side by side on one PostgreSQL with the same data."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from bench.baseline import start_baseline
from bench.databases import Databases, start_databases
from bench.dataset import USERS, User
from devkit.platform.databases import database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, free_ports, start_platform, start_service
from devkit.testing.auth_headers import Headers, passport_headers, token_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from devkit.testing.traefik import start_traefik

BASELINE: Final = "baseline"
"""Name of the topology, and of its service, that all others are compared with."""

TASKS_ALONE: Final = "tasks alone"

NO_LIMITS: Final = {
    "TASKS_PER_USER_MAX": "1000000",
    "LIMIT_PER_ADDRESS": "0",
    "LIMIT_PER_USER": "0",
}
"""Settings without the limits that would stop a few clients who do the work of many."""

Authenticate = Callable[[User], Headers]
"""Returns the headers that authenticate a user."""


@dataclass(frozen=True)
class Topology:
    """The services that a request passes."""

    name: str
    services: tuple[Service, ...]
    """The first one gets the request from the client."""

    authenticate: Authenticate

    @property
    def url(self) -> str:
        """The URL for clients."""
        return self.services[0].url


@dataclass(frozen=True)
class Testbed:
    """The started services and the users."""

    topologies: tuple[Topology, ...]
    """For the operations on tasks; the first one is the baseline."""

    decision_topologies: tuple[Topology, ...]
    """For the decision of the gateway."""

    counted_topologies: tuple[Topology, ...]
    """Those whose database is behind the proxy that counts round trips."""

    proxy: FaultProxy
    postgres: Postgres
    database_url: str
    readers: list[User]
    writers: list[User]

    def services(self) -> dict[str, Service]:
        """Return the services whose memory is measured, by the name of their row."""
        services: dict[str, Service] = {}
        for topology in self.topologies:
            for service in topology.services:
                # The tasks service is the same process in all topologies.
                if service.name != "tasks" or topology.name == TASKS_ALONE:
                    services[f"{service.name}, {topology.name}"] = service
        return services


@dataclass(frozen=True)
class _Starter:
    """Starts processes that share secrets and databases."""

    group: ProcessGroup
    second_group: ProcessGroup
    """For the second process of a name: the log of a process has its name."""

    environment: Mapping[str, str]
    secret: str
    keys: PassportKeys

    def authenticate_by_token(self, user: User) -> Headers:
        """Return the headers of a front end."""
        return token_headers(self.secret, str(user.id))

    def authenticate_by_passport(self, user: User) -> Headers:
        """Return the headers of the gateway."""
        return passport_headers(self.keys, str(user.id))

    def start_platform(self) -> Platform:
        """Start the platform in proxy mode."""
        return start_platform(self.group, self.environment, self.keys)

    def start_forward_auth_gateway(self, platform: Platform) -> Service:
        """Start a gateway in forward-auth mode."""
        environment = dict(self.environment)
        environment["TASKS_URL"] = platform.tasks.url
        environment["USERS_URL"] = platform.users.url
        environment["PASSPORT_PRIVATE_KEY"] = self.keys.private
        environment["MODE"] = "forward-auth"
        (port,) = free_ports(1)
        return start_service(self.second_group, "gateway", environment, port)

    def start_edge(self, traefik: Path, platform: Platform, gateway: Service) -> Service:
        """Start Traefik in front of a gateway in forward-auth mode."""
        environment = dict(NO_LIMITS)
        environment["TASKS_URLS"] = platform.tasks.url
        environment["USERS_URLS"] = platform.users.url
        environment["AUTH_GATEWAY_URLS"] = gateway.url
        return start_traefik(self.second_group, traefik, environment)

    def start_baseline_topology(self, group: ProcessGroup, database_url: str) -> Topology:
        """Start the baseline on a database."""
        baseline = start_baseline(group, database_url, self.secret)
        return Topology(BASELINE, (baseline,), self.authenticate_by_token)

    def start_counted_topologies(
        self, platform: Platform, database_url: str
    ) -> tuple[Topology, Topology]:
        """Start another baseline and another tasks service on the database behind the proxy."""
        environment = dict(self.environment)
        environment["PASSPORT_PUBLIC_KEYS"] = self.keys.public
        environment["USERS_URL"] = platform.users.url
        environment["TASKS_DATABASE_URL"] = database_url
        (port,) = free_ports(1)
        tasks = start_service(self.second_group, "tasks", environment, port)
        return (
            self.start_baseline_topology(self.second_group, database_url),
            Topology(TASKS_ALONE, (tasks,), self.authenticate_by_passport),
        )


def traefik_program() -> Path | None:
    """Return the program that the variable TRAEFIK names."""
    traefik = os.environ.get("TRAEFIK")
    if not traefik:
        return None
    return Path(traefik)


@asynccontextmanager
async def start_testbed(traefik: Path | None) -> AsyncGenerator[Testbed]:
    """Start everything, the edge only if its program is given."""
    async with (
        start_databases() as databases,
        run_fault_proxy(databases.urls["tasks"]) as proxy,
        ProcessGroup(databases.folder / "second-log") as second_group,
    ):
        secret = token_urlsafe()
        keys = derive_passport_keys(generate_private_key())
        environment = database_environment(databases.urls, minimal_environment())
        environment.update(NO_LIMITS)
        environment["BETTER_AUTH_SECRET"] = secret
        starter = _Starter(databases.group, second_group, environment, secret, keys)
        yield await _start(starter, databases, proxy, traefik)


async def _start(
    starter: _Starter, databases: Databases, proxy: FaultProxy, traefik: Path | None
) -> Testbed:
    database_url = databases.urls["tasks"]
    platform = starter.start_platform()
    gateway = starter.start_forward_auth_gateway(platform)
    by_token = starter.authenticate_by_token
    by_passport = starter.authenticate_by_passport
    baseline = starter.start_baseline_topology(starter.group, database_url)
    topologies = [
        baseline,
        Topology(TASKS_ALONE, (platform.tasks,), by_passport),
        Topology("proxy mode", (platform.gateway, platform.tasks), by_token),
    ]
    if traefik:
        edge = starter.start_edge(traefik, platform, gateway)
        topologies.append(Topology("forward-auth mode", (edge, gateway, platform.tasks), by_token))
    decision_topologies = (baseline, Topology("gateway", (gateway,), by_token))
    counted_topologies = starter.start_counted_topologies(platform, proxy.url)
    await _wait_until_ready([*topologies, *decision_topologies, *counted_topologies])
    return Testbed(
        topologies=tuple(topologies),
        decision_topologies=decision_topologies,
        counted_topologies=counted_topologies,
        proxy=proxy,
        postgres=databases.postgres,
        database_url=database_url,
        readers=_create_users(database_url),
        writers=_create_users(database_url),
    )


async def _wait_until_ready(topologies: list[Topology]) -> None:
    for topology in topologies:
        for service in topology.services:
            await service.wait_until_ready()


def _create_users(database_url: str) -> list[User]:
    users = [User() for _ in range(USERS)]
    for user in users:
        user.create(database_url)
    return users
