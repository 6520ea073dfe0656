"""The tasks service in the test's process, with a proxy between it and its database."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import HttpUrl, Secret

from devkit.platform.keys import PassportKeys
from devkit.testing.auth_headers import ClientFactory, passport_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from tasks.main import create_app
from tasks.settings import TasksSettings

TASKS_MAX = 5
"""Low enough for a test to reach the quota."""

ServiceRunner = Callable[[str], AbstractAsyncContextManager[ClientFactory]]
"""Runs the service with the users service at a URL, and yields a factory of clients."""


@dataclass(frozen=True)
class Service:
    """A running service: its database proxy, and a factory of clients that are signed in."""

    proxy: FaultProxy
    client_for: ClientFactory
    app: FastAPI


@asynccontextmanager
async def run_service(
    database_url: str,
    users_url: str,
    keys: PassportKeys,
    pooled_url: str | None = None,
    tasks_max: int = TASKS_MAX,
) -> AsyncGenerator[Service]:
    """Run the service on this database, perhaps through a pooler, and with this users service."""
    async with run_fault_proxy(database_url, pooled_url) as proxy:
        settings = TasksSettings(
            tasks_database_url=Secret(proxy.url),
            passport_public_keys=(keys.public,),
            users_url=HttpUrl(users_url),
            tasks_per_user_max=tasks_max,
        )
        app = create_app(settings)

        def client_for(name: str) -> AsyncClient:
            headers = passport_headers(keys, name)
            transport = ASGITransport(app)
            return AsyncClient(transport=transport, base_url="http://tasks", headers=headers)

        async with app.router.lifespan_context(app):
            yield Service(proxy, client_for, app)
