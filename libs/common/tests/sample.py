"""A service with every kind of endpoint that the tests need: `python sample.py`."""

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import Field
from sqlalchemy import text
from starlette.middleware import Middleware
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from common import app
from common.authentication import CurrentUser
from common.database import check_database, engine_lifespan, fetch_all
from common.database.url import DatabaseUrl
from common.health import HealthStatus, UnavailableReason, health_routes
from common.identity import PassportVerifier, PublicKeys
from common.middleware import RequestMiddleware
from common.problems import Forbidden
from common.settings import Settings, read_settings
from common.validation import JsonBody, NoParameters, QueryParams, StrictModel

LIMIT_SECONDS = 1.0
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]

router = APIRouter()


class SampleSettings(Settings):
    """Database and passport keys."""

    database_url: DatabaseUrl
    passport_public_keys: PublicKeys


class Thing(StrictModel):
    """A body with rules of several kinds."""

    name: Annotated[str, Field(max_length=5)]
    size: int = 0
    owner: UUID | None = None


class Filters(StrictModel):
    """A query with one rule of the validator."""

    size: int | None = None


class RefusingMiddleware:
    """Rejects requests with the header `X-Refuse: me` before routing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject the request, or call the application."""
        if (b"x-refuse", b"me") in scope.get("headers", ()):
            raise Forbidden("refused-early", "You asked for it.", headers={"X-Early": "yes"})
        await self._app(scope, receive, send)


@router.get("/things", dependencies=[Depends(QueryParams(Filters))])
@router.get("/things/{thing_id}", dependencies=[Depends(QueryParams(NoParameters))])
async def show_who_asks(user: CurrentUser) -> dict[str, str]:
    """Return the subject of the user."""
    return {"subject": user.subject}


@router.post("/things")
async def show_body(thing: Annotated[Thing, Depends(JsonBody(Thing, Filters))]) -> Thing:
    """Return the parsed body."""
    return thing


@router.delete("/things/{thing_id}", status_code=204)
async def delete_nothing(thing_id: UUID) -> None:
    """Parse the path parameter with the framework."""


@router.get("/rows")
async def list_rows(request: Request) -> int:
    """Count the stored names."""
    return len(await fetch_all(request.app.state.engine, text("SELECT name FROM names")))


@router.post("/rows/{name}")
async def add_row(name: str, request: Request) -> None:
    """Store a name; the second time the driver's error message contains it."""
    await fetch_all(
        request.app.state.engine, text("INSERT INTO names VALUES (:name) RETURNING name"), name=name
    )


@router.get("/rows/{name}/later")
@router.post("/rows/{name}/later")
async def add_row_later(name: str, request: Request) -> None:
    """Store a name after a moment."""
    await asyncio.sleep(0.2)
    await add_row(name, request)


@router.post("/numbers/{number}")
async def read_number(number: str, request: Request) -> None:
    """Cast in the database; its error message contains the text."""
    await fetch_all(
        request.app.state.engine,
        text("SELECT CAST(CAST(:number AS text) AS integer)"),
        number=number,
    )


@router.get("/collectable")
async def count_collectable() -> int:
    """Count the objects that a full garbage collection looks at."""
    return len(gc.get_objects())


@router.get("/own-words")
async def say_it_otherwise() -> Response:
    """Return headers that the middleware sets, too."""
    response = Response(
        headers={"Cache-Control": "private, no-cache", "X-Request-ID": "an-upstream-request-id"}
    )
    response.headers.append("Link", "<1>")
    response.headers.append("Link", "<2>")
    return response


@router.api_route("/broken", methods=ANY)
async def break_down() -> None:
    """Raise an error whose message and cause contain user data."""
    raise RuntimeError("what a user wrote") from KeyError("what a user wrote")


@router.get("/impatient")
async def give_up() -> None:
    """Raise a TimeoutError that is not that of the deadline."""
    raise TimeoutError("what a user wrote")


@router.api_route("/slow", methods=ANY)
async def never_answer() -> None:
    """Exceed every deadline."""
    await asyncio.sleep(60)


@router.get("/half/{how}")
async def answer_half(how: str) -> StreamingResponse:
    """Begin a response that is never finished."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.sleep(60 if how == "slow" else 0)
        raise RuntimeError("what a user wrote")

    return StreamingResponse(pieces())


@router.post("/patient")
async def wait_for_body(request: Request) -> None:
    """Wait for the end of the body."""
    await request.body()


def create_app(settings: SampleSettings, limit_seconds: float = LIMIT_SECONDS) -> FastAPI:
    """Create the application."""

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncGenerator[None]:
        service.state.passports = PassportVerifier(settings.passport_public_keys)
        async with engine_lifespan(
            settings.database_url.get_secret_value()
        ) as service.state.engine:
            yield

    around = [Middleware(RequestMiddleware, limit_seconds), Middleware(RefusingMiddleware)]
    return app.create_app(
        "sample", [*health_routes("common", _ready), *router.routes], lifespan, around
    )


async def _ready(request: Request) -> Mapping[str, HealthStatus | UnavailableReason]:
    return {"database": await check_database(request.app.state.engine)}


def main() -> None:
    """Serve until SIGTERM."""
    settings = read_settings(SampleSettings)
    app.serve("sample", create_app(settings), settings)


if __name__ == "__main__":
    main()
