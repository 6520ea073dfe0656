"""What every service is made of: an application, and the server that runs it."""

from collections.abc import Sequence
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from prometheus_client import start_http_server
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan

from common import memory
from common.http_protocol import HttpProtocol
from common.logging import configure_logging
from common.middleware import RequestMiddleware
from common.problems import BadRequest, MethodNotAllowed, NotFound, ProblemError
from common.server import Server
from common.settings import Settings

KEEP_ALIVE_SECONDS: Final = 120
"""Longer than any client of ours keeps an idle connection, or a reused one dies under a request."""

_SILENT: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
}
"""The framework's own, which would write down what users send; ours is in `telemetry`."""


def create_app(
    service: str, routes: Sequence[BaseRoute], lifespan: Lifespan[FastAPI], *around: Middleware
) -> FastAPI:
    """Put a service together; its routes are searched in the order given, and around it there is usually a frame."""
    app = FastAPI(
        title=service,
        lifespan=lifespan,
        middleware=around or [Middleware(RequestMiddleware)],
        telemetry=_SILENT,
    )
    app.router.routes, app.router.redirect_slashes = list(routes), False
    app.exception_handlers |= {
        ProblemError: _refuse,
        HTTPException: _unrouted,
        RequestValidationError: _refuse,
    }
    return app


def serve(app: ASGIApp, settings: Settings) -> None:
    """Run a service until SIGTERM; requests in flight are then finished."""
    configure_logging()
    if settings.metrics_port:
        start_http_server(settings.metrics_port, settings.host)
    config = uvicorn.Config(
        app, settings.host, settings.port, ws="none", log_config=None, access_log=False
    )
    config.loop, config.http, config.server_header, config.proxy_headers = (
        "uvloop",
        HttpProtocol,
        False,
        False,
    )
    config.timeout_keep_alive, config.timeout_graceful_shutdown = (
        KEEP_ALIVE_SECONDS,
        15,
    )  # for requests in flight
    memory.tune()
    Server(config).run()


async def _refuse(_: Request, error: Exception) -> Response:
    """Leave it to the frame, which alone renders refusals; the framework's own words would repeat what was sent."""
    raise error if isinstance(error, ProblemError) else BadRequest


async def _unrouted(request: Request, _: Exception) -> Response:
    """Tell an address that nobody knows from one that knows other verbs, and list those.

    Source: RFC 9110, 9.3.7 and 10.2.1.
    """
    verbs = {
        verb
        for route in request.app.routes
        if route.path_regex.match(request["path"])
        for verb in route.methods
    }
    if not verbs:
        raise NotFound
    allow = {
        "Allow": ", ".join(sorted(verbs | ({"OPTIONS", "HEAD"} if "GET" in verbs else {"OPTIONS"})))
    }
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    raise MethodNotAllowed(headers=allow)
