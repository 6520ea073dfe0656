"""The platform under attack: one PostgreSQL for all attacks, and services that are started anew for each."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from bench.fairness.client import Attacker
from bench.fairness.dataset import Data, add_owner
from bench.fairness.honest import Honest
from bench.fairness.memory import bounded
from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.postgres import throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports, start_service
from devkit.platform.tokens import DAY_SECONDS, mint_token
from devkit.testing.stub_server import StubServer, json_response, respond_with
from devkit.testing.traefik import start_traefik

HONEST_USERS: Final = 12
"""Half of them with tokens of Better Auth's secret, half with tokens of its key."""

HONEST_TASKS: Final = 20
"""What each of them owns."""

_ATTACKERS_ADDRESS: Final = "127.0.0.2"
"""An edge counts requests by address: an attacker has their own. All of 127.0.0.0/8 is this machine on Linux."""

_KEY_ID: Final = "bench"


@dataclass(frozen=True)
class Services:
    """The processes of one attack; the edge is missing in proxy mode."""

    tasks: Service
    users: Service
    gateway: Service
    edge: Service | None

    @property
    def all(self) -> list[Service]:
        """Return those that there are."""
        services = [self.tasks, self.users, self.gateway]
        return [*services, self.edge] if self.edge else services

    @property
    def url(self) -> str:
        """Where users ask."""
        return (self.edge or self.gateway).url


@dataclass(frozen=True)
class Testbed:
    """Starts services on the one database, and knows their users."""

    folder: Path
    urls: dict[str, str]
    keys_url: str
    traefik: Path | None
    secret: str = field(default_factory=token_urlsafe)
    passport_keys: PassportKeys = field(
        default_factory=lambda: derive_passport_keys(generate_private_key())
    )
    login_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @asynccontextmanager
    async def services(self) -> AsyncGenerator[Services]:
        """Start the services, and stop them afterwards."""
        users, tasks, gateway = free_ports(3)
        shared = database_environment(self.urls, minimal_environment())
        shared |= {
            "TASKS_URL": f"http://127.0.0.1:{tasks}",
            "USERS_URL": f"http://127.0.0.1:{users}",
        }
        service = shared | {"PASSPORT_PUBLIC_KEYS": self.passport_keys.public}
        deciding = shared | self._gateway_settings()
        async with ProcessGroup(self.folder / f"log-{gateway}") as group:
            services = Services(
                tasks=start_service(group, "tasks", service, tasks),
                users=start_service(group, "users", service, users),
                gateway=start_service(group, "gateway", deciding, gateway),
                edge=self._start_edge(group, tasks, users, gateway),
            )
            await asyncio.gather(*(each.wait_until_ready() for each in services.all))
            async with bounded(services.all):
                yield services

    def add_attacker(self, services: Services, data: Data) -> Attacker:
        """Store an attacker with these data."""
        owner_id = uuid4()
        task_ids = add_owner(self.urls["tasks"], owner_id, data)
        return Attacker(
            port=_port(services.url),
            tasks_port=_port(services.tasks.url),
            owner_id=owner_id,
            task_ids=task_ids,
            authorization=f"Bearer {mint_token(self.secret, str(owner_id))}",
            address=_ATTACKERS_ADDRESS if self.traefik else None,
        )

    def add_honest_users(self) -> list[Honest]:
        """Store new users who do nothing wrong."""
        honest: list[Honest] = []
        for number in range(HONEST_USERS):
            owner_id = uuid4()
            task_ids = add_owner(self.urls["tasks"], owner_id, Data.FEW, HONEST_TASKS)
            token = mint_token(self.secret, str(owner_id)) if number % 2 else self._login(owner_id)
            honest.append(Honest(f"Bearer {token}", [str(task_id) for task_id in task_ids]))
        return honest

    def public_keys(self) -> bytes:
        """Write the set of keys as Better Auth shows it."""
        key = OKPAlgorithm.to_jwk(self.login_key.public_key(), as_dict=True)
        return json.dumps({"keys": [key | {"kid": _KEY_ID, "alg": "EdDSA"}]}).encode()

    def _login(self, owner_id: UUID) -> str:
        """Sign a token as Better Auth's own key does."""
        mode = jwt.decode(
            mint_token(self.secret, str(owner_id)), options={"verify_signature": False}
        )
        claims = mode | {
            "iss": self.keys_url,
            "aud": self.keys_url,
            "exp": mode["iat"] + DAY_SECONDS,
        }
        return jwt.encode(claims, self.login_key, "EdDSA", headers={"kid": _KEY_ID})

    def _gateway_settings(self) -> dict[str, str]:
        return {
            "PASSPORT_PRIVATE_KEY": self.passport_keys.private,
            "MODE": "forward-auth" if self.traefik else "proxy",
            "BETTER_AUTH_SECRET": self.secret,
            "BETTER_AUTH_URL": self.keys_url,
        }

    def _start_edge(
        self, group: ProcessGroup, tasks: int, users: int, gateway: int
    ) -> Service | None:
        if self.traefik is None:
            return None
        ports = {"TASKS_URLS": tasks, "USERS_URLS": users, "AUTH_GATEWAY_URLS": gateway}
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        return start_traefik(group, self.traefik, addresses)


@asynccontextmanager
async def set_up(traefik: Path | None) -> AsyncGenerator[Testbed]:
    """Start the database and what stands for Better Auth's key server."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with ProcessGroup(folder / "log") as group, throwaway_postgres(group) as postgres:
            databases = MigratedDatabases(group, postgres)
            urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
            key_server = StubServer()
            await key_server.start()
            testbed = Testbed(folder, urls, f"http://127.0.0.1:{key_server.port}", traefik)
            key_server.behaviour = respond_with(json_response(testbed.public_keys()))
            try:
                yield testbed
            finally:
                await key_server.stop()


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
