"""Addresses that every service has: alive, ready, which version, and what the edge shows when it refuses."""

from asyncio import Event
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal

from fastapi import APIRouter, Request
from starlette.routing import BaseRoute

from common.problems import NotFound, ProblemError, Unavailable

SHUTTING_DOWN: Final = Event()
"""Whether this process is about to end."""

HealthStatus = Literal["ok", "degraded", "unavailable"]
"""How one thing that a service needs is doing; only `unavailable` makes the service not ready."""


@dataclass(frozen=True, slots=True)
class UnavailableReason:
    """Something is unavailable, and it is known why; everybody may read the reason."""

    reason: str


ReadinessCheck = Callable[[Request], Awaitable[Mapping[str, HealthStatus | UnavailableReason]]]
"""Looks at what a service needs, by name."""


def health_routes(
    distribution: str, ready: ReadinessCheck, *, behind_edge: bool = True
) -> list[BaseRoute]:
    """Make the routes for the service that was installed under this name; an edge also gets its error pages there."""
    router = APIRouter(tags=["operation"])
    router.add_api_route("/healthz", show_health)

    @router.get("/readyz")
    async def show_readiness(request: Request) -> dict[str, HealthStatus]:
        """Say how everything is that is needed; 503 names what is not there."""
        found = dict(await ready(request))
        states: dict[str, HealthStatus] = {
            name: state for name, state in found.items() if not isinstance(state, UnavailableReason)
        }
        away = [name for name, state in states.items() if state == "unavailable"]
        explained = [
            f"{name} ({state.reason})"
            for name, state in found.items()
            if isinstance(state, UnavailableReason)
        ]
        if away or explained:
            raise Unavailable("not-ready", f"Not ready: {', '.join(sorted([*away, *explained]))}.")
        return states

    @router.get("/version")
    async def show_version() -> dict[str, str]:
        """Say what is running."""
        return {"name": distribution, "version": version(distribution)}

    if behind_edge:
        router.add_api_route("/edge-errors/{status}", _show_edge_error, include_in_schema=False)
    return list(router.routes)


async def show_health() -> dict[str, str]:
    """Say that the process is alive, and not about to end."""
    if SHUTTING_DOWN.is_set():
        raise Unavailable("not-ready", "Not ready: about to end.")
    return {"status": "ok"}


async def _show_edge_error(status: str) -> None:
    """Render what the edge refuses as a problem document; no public route leads here."""
    raise {str(kind.status): kind for kind in ProblemError.__subclasses__()}.get(status, NotFound)
