"""Run a platform that can be broken, with its metrics: services, an edge if there is one."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import AsyncClient
from jwt.algorithms import OKPAlgorithm

from devkit.platform.databases import MigratedDatabases
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports, start_service
from devkit.testing.stub_server import StubServer, json_response, respond_with
from e2e.support.isolated_platform import (
    IsolatedPlatform,
    IsolatedPostgres,
    run_isolated_platform,
    run_isolated_postgres,
)
from e2e.support.scrapes import Scrape, Target, scrape

JOBS: Final = {"gateway": "auth-gateway", "tasks": "tasks", "users": "users"}
"""The last part of the name of the job that scrapes a service."""

KEYS_MAX_AGE_SECONDS: Final = 2
KEY_ID: Final = "1"


@dataclass
class MonitoredPlatform:
    """A platform, what it needs, and what Prometheus scrapes of it."""

    platform: IsolatedPlatform
    server: IsolatedPostgres
    key_server: StubServer
    gateway_with_keys: Service
    """A replica of the gateway that fetches keys from this server."""

    key: Ed25519PrivateKey
    """Signs tokens that this replica accepts."""

    async def use_keys(self) -> None:
        """Send a token to this replica: keys that nobody uses are hardly fetched."""
        issuer = f"http://127.0.0.1:{self.key_server.port}"
        claims = {"iss": issuer, "aud": issuer, "sub": "ann-with-keys", "jti": token_urlsafe()}
        times = {"iat": int(time.time()), "exp": int(time.time()) + 60}
        token = jwt.encode(claims | times, self.key, "EdDSA", headers={"kid": KEY_ID})
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Uri": "/users/me",
        }
        async with AsyncClient(base_url=self.gateway_with_keys.url, headers=headers) as client:
            response = await client.get("/decide")
        assert response.is_success, response.text

    def targets(self) -> list[Target]:
        """Return everything that Prometheus scrapes."""
        targets = [
            Target(f"task-platform/{JOBS[name]}", service.metrics_url)
            for name, service in self.platform.services.items()
        ]
        targets.append(Target("task-platform/auth-gateway", self.gateway_with_keys.metrics_url))
        edge = self.platform.entrypoint
        assert edge
        targets.append(Target("task-platform/edge", edge.metrics_url))
        return targets

    async def scrape(self) -> Scrape:
        """Scrape all targets."""
        return await scrape(self.targets())


@pytest.fixture(scope="session")
async def group(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[ProcessGroup]:
    """Start processes with a log folder of their own."""
    async with ProcessGroup(tmp_path_factory.mktemp("log")) as group:
        yield group


@pytest.fixture(scope="session")
async def monitored(group: ProcessGroup) -> AsyncGenerator[MonitoredPlatform]:
    """Run a platform for all suites of this folder."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(run_isolated_postgres(group))
        databases = MigratedDatabases(group, server.server)
        urls = {service: await databases.create(service) for service in ("tasks", "users")}
        platform = await stack.enter_async_context(run_isolated_platform(urls))
        key = Ed25519PrivateKey.generate()
        key_server = StubServer()
        key_server.behaviour = respond_with(json_response(_key_set(key)))
        await key_server.start()
        stack.push_async_callback(key_server.stop)
        gateway = await _start_gateway_with_keys(group, platform, key_server)
        yield MonitoredPlatform(platform, server, key_server, gateway, key)


async def _start_gateway_with_keys(
    group: ProcessGroup, platform: IsolatedPlatform, key_server: StubServer
) -> Service:
    port, metrics_port = free_ports(2)
    settings = dict(platform.environment)
    settings["METRICS_PORT"] = str(metrics_port)
    settings["BETTER_AUTH_URL"] = f"http://127.0.0.1:{key_server.port}"
    settings["KEYS_MAX_AGE_SECONDS"] = str(KEYS_MAX_AGE_SECONDS)
    gateway = start_service(group, "gateway", settings, port)
    await gateway.wait_until_ready()
    return gateway


def _key_set(key: Ed25519PrivateKey) -> bytes:
    jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return json.dumps({"keys": [jwk | {"kid": KEY_ID, "alg": "EdDSA"}]}).encode()
