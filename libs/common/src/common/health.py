"""Endpoints that every service has: health, readiness, version and the edge's error pages."""

from asyncio import Event
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal

from fastapi import APIRouter, Request
from starlette.routing import BaseRoute

from common.problems import NotFound, ProblemError, Unavailable

SHUTTING_DOWN: Final = Event()
"""Set when this process is about to end."""

HealthStatus = Literal["ok", "degraded", "unavailable"]
"""The status of something that a service needs; only `unavailable` makes it not ready."""


@dataclass(frozen=True, slots=True)
class UnavailableReason:
    """The status `unavailable`, with a reason that everybody may read."""

    reason: str


ReadinessCheck = Callable[[Request], Awaitable[Mapping[str, HealthStatus | UnavailableReason]]]
"""Returns the status of everything that a service needs, by name."""


def health_routes(
    distribution: str,
    check: ReadinessCheck,
    *,
    is_starting: Callable[[], bool] = lambda: False,
    behind_edge: bool = True,
) -> list[BaseRoute]:
    """Create the routes.

    Args:
        distribution: The name under which the service is installed.
        check: The readiness check.
        is_starting: Whether another instance should still be preferred to this one.
        behind_edge: Whether an edge gets its error pages here.
    """
    router = APIRouter(tags=["operation"])

    @router.get("/healthz")
    async def show_health() -> dict[str, str]:
        """Show that the process runs, has started, and is not about to end."""
        if SHUTTING_DOWN.is_set():
            raise Unavailable("not-ready", "Not ready: about to end.")
        if is_starting():
            raise Unavailable("not-ready", "Not ready: starting.")
        return {"status": "ok"}

    @router.get("/readyz")
    async def show_readiness(request: Request) -> dict[str, HealthStatus]:
        """Show the status of everything that is needed; 503 names what is unavailable."""
        return _require_available(await check(request))

    @router.get("/version")
    async def show_version() -> dict[str, str]:
        """Show name and version of the service."""
        return {"name": distribution, "version": version(distribution)}

    if behind_edge:
        router.add_api_route("/edge-errors/{status}", _show_edge_error, include_in_schema=False)
    return list(router.routes)


def _require_available(
    results: Mapping[str, HealthStatus | UnavailableReason],
) -> dict[str, HealthStatus]:
    statuses: dict[str, HealthStatus] = {}
    unavailable: list[str] = []
    for name, result in results.items():
        if isinstance(result, UnavailableReason):
            unavailable.append(f"{name} ({result.reason})")
            continue
        statuses[name] = result
        if result == "unavailable":
            unavailable.append(name)
    if unavailable:
        raise Unavailable("not-ready", f"Not ready: {', '.join(sorted(unavailable))}.")
    return statuses


async def _show_edge_error(status: str) -> None:
    """Render an error of the edge as a problem document; no public route leads here."""
    for problem_class in ProblemError.__subclasses__():
        if str(problem_class.status) == status:
            raise problem_class
    raise NotFound
