"""Where the users service starts: `python -m users.main`."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from common import app
from common.concurrency import UserLimiter
from common.database import check_database, engine_lifespan
from common.database.checks import DatabaseChecks
from common.health import HealthStatus, health_routes
from common.identity import PassportVerifier
from common.settings import read_settings
from common.uploads import UPLOADS_PER_USER_MAX
from users.peers import tasks_connections
from users.revisions import RELEASE
from users.routes import router
from users.settings import UsersSettings


def create_app(settings: UsersSettings) -> FastAPI:
    """Put the service together; it reaches for the database with its first request."""
    url = settings.users_database_url.get_secret_value()
    checks = DatabaseChecks(RELEASE)

    async def ready(request: Request) -> Mapping[str, HealthStatus]:
        return {"database": await check_database(request.app.state.engine, checks)}

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncGenerator[None]:
        service.state.passports = PassportVerifier(settings.passport_public_keys)
        service.state.limiter = UserLimiter()
        service.state.uploads = UserLimiter(UPLOADS_PER_USER_MAX)
        async with (
            engine_lifespan(url, checks) as service.state.engine,
            tasks_connections(str(settings.tasks_url)) as service.state.tasks,
        ):
            yield

    return app.create_app("users", [*health_routes("users", ready), *router.routes], lifespan)


def main() -> None:
    """Serve until SIGTERM."""
    settings = read_settings(UsersSettings)
    app.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
