"""Entry point of the users service: `python -m users.main`."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from common import app
from common.concurrency import UserLimiter
from common.database import check_database, engine_lifespan
from common.database.checks import DatabaseChecks
from common.health import HealthStatus, UnavailableReason, health_routes
from common.identity import PassportVerifier
from common.settings import read_settings
from common.uploads import UPLOADS_PER_USER_MAX
from users.clients import open_tasks_connections
from users.endpoints import router
from users.revisions import RELEASE
from users.settings import UsersSettings


def create_app(settings: UsersSettings) -> FastAPI:
    """Create the application. Its lifespan opens the database."""
    url = settings.users_database_url.get_secret_value()
    checks = DatabaseChecks(RELEASE)

    async def check_readiness(request: Request) -> Mapping[str, HealthStatus | UnavailableReason]:
        return {"database": await check_database(request.app.state.engine, checks)}

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncGenerator[None]:
        service.state.passports = PassportVerifier(settings.passport_public_keys)
        service.state.limiter = UserLimiter()
        service.state.uploads = UserLimiter(UPLOADS_PER_USER_MAX)
        async with (
            engine_lifespan(
                url, checks, settings.database_prepared_statements
            ) as service.state.engine,
            open_tasks_connections(str(settings.tasks_url)) as service.state.tasks,
        ):
            yield

    routes = health_routes("users", check_readiness) + router.routes
    return app.create_app("users", routes, lifespan)


def main() -> None:
    """Serve until SIGTERM."""
    settings = read_settings(UsersSettings)
    app.serve("users", create_app(settings), settings)


if __name__ == "__main__":
    main()
