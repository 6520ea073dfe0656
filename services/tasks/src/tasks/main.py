"""The entry point of the tasks service: `python -m tasks.main`."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from common import app
from common.database import check_database, engine_lifespan
from common.database.checks import DatabaseChecks
from common.health import HealthStatus, UnavailableReason, health_routes
from common.identity import PassportVerifier
from common.settings import read_settings
from tasks.clients import users_connections
from tasks.core.concurrency import ConcurrencyLimits
from tasks.revisions import RELEASE
from tasks.routes import router
from tasks.settings import TasksSettings
from tasks.transfer.concurrency import ImportLimits


def create_app(settings: TasksSettings) -> FastAPI:
    """Build the ASGI application. Its lifespan opens the connections."""
    database_url = settings.tasks_database_url.get_secret_value()
    users_url = str(settings.users_url)
    checks = DatabaseChecks(RELEASE)

    async def check_readiness(request: Request) -> Mapping[str, HealthStatus | UnavailableReason]:
        database_status = await check_database(request.app.state.engine, checks)
        return {"database": database_status}

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncGenerator[None]:
        service.state.settings = settings
        service.state.passports = PassportVerifier(settings.passport_public_keys)
        service.state.concurrency = ConcurrencyLimits()
        service.state.imports = ImportLimits()
        async with (
            engine_lifespan(
                database_url, checks, settings.database_prepared_statements
            ) as service.state.engine,
            users_connections(users_url) as service.state.users,
        ):
            yield

    routes = list(health_routes("tasks", check_readiness))
    routes.extend(router.routes)
    return app.create_app("tasks", routes, lifespan)


def main() -> None:
    """Serve until SIGTERM."""
    settings = read_settings(TasksSettings)
    app.serve("tasks", create_app(settings), settings)


if __name__ == "__main__":
    main()
