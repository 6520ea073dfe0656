"""Starts the platform for attacks: one PostgreSQL for all, and new services for each attack."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from bench.databases import start_databases
from bench.fairness.client import Attacker
from bench.fairness.dataset import Dataset, add_owner
from bench.fairness.honest import HonestUser
from bench.fairness.memory import memory_guard
from devkit.platform.databases import database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, local_url, start_platform
from devkit.platform.tokens import DAY_SECONDS, mint_token
from devkit.testing.stub_server import StubServer, json_response, respond_with
from devkit.testing.traefik import start_traefik

HONEST_USERS: Final = 12
"""Half of them have tokens signed with Better Auth's secret, half with its key."""

HONEST_TASKS: Final = 20
"""Tasks of each honest user."""

_ATTACKER_ADDRESS: Final = "127.0.0.2"
"""An IP address for the attacker only, because the edge limits requests by address.

On Linux all of 127.0.0.0/8 is this machine.
"""

_KEY_ID: Final = "bench"


@dataclass(frozen=True)
class Services:
    """The processes of one attack."""

    platform: Platform
    edge: Service | None
    """None in proxy mode."""

    @property
    def all(self) -> list[Service]:
        """All processes."""
        services = [self.platform.tasks, self.platform.users, self.platform.gateway]
        if self.edge:
            services.append(self.edge)
        return services

    @property
    def url(self) -> str:
        """The URL for clients."""
        if self.edge:
            return self.edge.url
        return self.platform.gateway.url


def _generate_passport_keys() -> PassportKeys:
    return derive_passport_keys(generate_private_key())


@dataclass(frozen=True)
class Testbed:
    """Starts services on the databases, and adds users to them."""

    folder: Path
    """For logs."""

    urls: dict[str, str]
    """Database URL of each service."""

    better_auth_url: str
    """URL of the server with Better Auth's public keys."""

    traefik: Path | None
    """Traefik's program; None for proxy mode."""

    secret: str = field(default_factory=token_urlsafe)
    passport_keys: PassportKeys = field(default_factory=_generate_passport_keys)
    login_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    """The key with which Better Auth signs tokens."""

    @asynccontextmanager
    async def services(self) -> AsyncGenerator[Services]:
        """Start the services, and stop them afterwards."""
        environment = database_environment(self.urls, minimal_environment())
        environment["BETTER_AUTH_SECRET"] = self.secret
        environment["BETTER_AUTH_URL"] = self.better_auth_url
        environment["MODE"] = "proxy"
        if self.traefik:
            environment["MODE"] = "forward-auth"
        async with ProcessGroup(self.folder / f"log-{uuid4()}") as group:
            platform = start_platform(group, environment, self.passport_keys)
            services = Services(platform, self._start_edge(group, platform))
            for service in services.all:
                await service.wait_until_ready()
            async with memory_guard(services.all):
                yield services

    def add_attacker(self, services: Services, data: Dataset) -> Attacker:
        """Create a user with these data."""
        owner_id = uuid4()
        address = None
        if self.traefik:
            address = _ATTACKER_ADDRESS
        return Attacker(
            port=_port_of(services.url),
            tasks_port=_port_of(services.platform.tasks.url),
            owner_id=owner_id,
            task_ids=add_owner(self.urls["tasks"], owner_id, data),
            authorization=f"Bearer {mint_token(self.secret, str(owner_id))}",
            address=address,
        )

    def add_honest_users(self) -> list[HonestUser]:
        """Create new users who do nothing wrong."""
        users: list[HonestUser] = []
        for number in range(HONEST_USERS):
            owner_id = uuid4()
            task_ids = add_owner(self.urls["tasks"], owner_id, Dataset.FEW, HONEST_TASKS)
            token = mint_token(self.secret, str(owner_id))
            if number % 2 == 0:
                token = self._sign_with_login_key(owner_id)
            users.append(HonestUser(f"Bearer {token}", [str(task_id) for task_id in task_ids]))
        return users

    def key_set(self) -> bytes:
        """Return the public keys as Better Auth serves them (a JSON Web Key Set)."""
        key = OKPAlgorithm.to_jwk(self.login_key.public_key(), as_dict=True)
        key["kid"] = _KEY_ID
        key["alg"] = "EdDSA"
        return json.dumps({"keys": [key]}).encode()

    def _sign_with_login_key(self, owner_id: UUID) -> str:
        """Return a token like those that Better Auth issues."""
        now = int(time.time())
        claims: dict[str, object] = {
            "sub": str(owner_id),
            "iat": now,
            "exp": now + DAY_SECONDS,
            "iss": self.better_auth_url,
            "aud": self.better_auth_url,
        }
        return jwt.encode(claims, self.login_key, "EdDSA", headers={"kid": _KEY_ID})

    def _start_edge(self, group: ProcessGroup, platform: Platform) -> Service | None:
        if self.traefik is None:
            return None
        environment = {
            "TASKS_URLS": platform.tasks.url,
            "USERS_URLS": platform.users.url,
            "AUTH_GATEWAY_URLS": platform.gateway.url,
        }
        return start_traefik(group, self.traefik, environment)


@asynccontextmanager
async def start_testbed(traefik: Path | None) -> AsyncGenerator[Testbed]:
    """Start the databases and a server with Better Auth's public keys."""
    async with start_databases() as databases:
        key_server = StubServer()
        await key_server.start()
        url = local_url(key_server.port)
        testbed = Testbed(databases.folder, databases.urls, url, traefik)
        key_server.behaviour = respond_with(json_response(testbed.key_set()))
        try:
            yield testbed
        finally:
            await key_server.stop()


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        raise ValueError(url)
    return port
