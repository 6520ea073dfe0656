"""Addresses that every service has: alive, ready, which version, and what the edge shows when it refuses."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.routing import BaseRoute

from common.errors import (
    BadGateway,
    BodyTooLarge,
    GatewayTimeout,
    NotFound,
    Refusal,
    TooManyRequests,
    Unavailable,
    problem,
)

State = Literal["ok", "degraded", "unavailable"]
"""How one thing that a service needs is doing; only `unavailable` makes the service not ready."""

Ready = Callable[[Request], Awaitable[Mapping[str, State]]]
"""Looks at what a service needs, by name."""

_SOON: Final = {"Retry-After": "1"}

EDGE_REFUSALS: Final[Mapping[str, Callable[[], Refusal]]] = {
    "404": partial(NotFound, "not-found", "There is nothing at this address."),
    "413": partial(BodyTooLarge, "body-too-large", "The body is longer than is accepted here."),
    "429": partial(TooManyRequests, "too-many-requests", "Too many requests at once; wait a moment.", headers=_SOON),
    "502": partial(BadGateway, "bad-gateway", "The service behind the gateway did not answer properly."),
    "503": partial(Unavailable, "unavailable", "This cannot be answered at the moment.", headers=_SOON),
    "504": partial(GatewayTimeout, "gateway-timeout", "The service behind the gateway did not answer in time."),
}
"""What an edge says for itself, in our words: by status."""


def edge_refusal(status: str) -> Refusal:
    """Make what an edge says with this status."""
    return EDGE_REFUSALS.get(status, EDGE_REFUSALS["404"])()


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """What the service needs is there."""

    status: Literal["ready"]
    checks: dict[str, State]


class Version(BaseModel):
    """What is running."""

    name: str
    version: str


def pages(distribution: str, ready: Ready, *, behind_edge: bool = True) -> list[BaseRoute]:
    """Make the routes for the service that was installed under this name; an edge also gets its error pages there."""
    router = APIRouter(tags=["operation"])
    running = Version(name=distribution, version=version(distribution))

    @router.get("/healthz")
    async def show_health() -> Health:
        """Say that the process is alive."""
        return Health(status="ok")

    @router.get("/readyz")
    async def show_readiness(request: Request) -> Readiness:
        """Say whether everything that is needed is there; 503 names what is not."""
        checks = await ready(request)
        away = sorted(name for name, state in checks.items() if state == "unavailable")
        if away:
            raise Unavailable("not-ready", f"Not ready: {', '.join(away)}.", headers=_SOON)
        return Readiness(status="ready", checks=dict(checks))

    @router.get("/version")
    async def show_version() -> Version:
        """Say what is running."""
        return running

    if behind_edge:
        router.add_api_route("/edge-errors/{status}", _show_edge_error, include_in_schema=False)
    return list(router.routes)


async def _show_edge_error(request: Request, status: str) -> Response:
    """Render what the edge refuses as a problem document; no public route leads here."""
    return problem(edge_refusal(status), request.scope["request_id"])
