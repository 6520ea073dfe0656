"""Every service's FastAPI application, and the server that runs it."""

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
from common.tracing.middleware import TracingMiddleware

KEEP_ALIVE_SECONDS: Final = 120
"""Longer than our clients keep idle connections, or requests on reused ones would fail."""

SHUTDOWN_SECONDS: Final = 15
"""How long requests in flight may take when the service ends."""

_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
}
"""FastAPI's own would record what users send; ours is in `logging`, `metrics` and `tracing`."""


def create_app(
    service: str,
    routes: Sequence[BaseRoute],
    lifespan: Lifespan[FastAPI],
    middleware: Sequence[Middleware] | None = None,
) -> FastAPI:
    """Create the application of a service.

    Args:
        service: The name of the service, as the log shows it.
        routes: The routes, in the order in which they are matched.
        lifespan: What runs around the application.
        middleware: The middleware, the outermost first; default: `RequestMiddleware` alone.
    """
    if middleware is None:
        middleware = [Middleware(RequestMiddleware)]
    app = FastAPI(
        title=service, lifespan=lifespan, middleware=list(middleware), telemetry=_NO_TELEMETRY
    )
    app.router.routes = list(routes)
    app.router.redirect_slashes = False
    app.add_exception_handler(ProblemError, _reraise)
    app.add_exception_handler(RequestValidationError, _raise_bad_request)
    app.add_exception_handler(HTTPException, _raise_no_route)
    return app


def serve(service: str, app: ASGIApp, settings: Settings) -> None:
    """Run a service until SIGTERM or SIGINT; requests in flight are then finished."""
    configure_logging()
    if settings.otel_exporter_otlp_endpoint is None:
        _run(app, settings)
        return
    from common.tracing.export import exported_spans  # noqa: PLC0415 - it loads a large SDK

    with exported_spans(settings.otel_service_name or service):
        _run(TracingMiddleware(app), settings)


def _run(app: ASGIApp, settings: Settings) -> None:
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port, settings.host)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    memory.tune()
    Server(config).run()


async def _reraise(_: Request, error: Exception) -> Response:
    """Leave the problem to `RequestMiddleware`, the only place that renders problems."""
    raise error


async def _raise_bad_request(_: Request, __: Exception) -> Response:
    """Replace FastAPI's error, which would repeat what the client sent."""
    raise BadRequest


async def _raise_no_route(request: Request, _: Exception) -> Response:
    """Respond with 404, 405 or, to OPTIONS, with the methods of the path.

    Source: RFC 9110, 9.3.7 and 10.2.1.
    """
    methods: set[str] = set()
    for route in request.app.routes:
        if route.path_regex.match(request["path"]):
            methods.update(route.methods)
    if not methods:
        raise NotFound
    methods.add("OPTIONS")
    if "GET" in methods:
        methods.add("HEAD")
    headers = {"Allow": ", ".join(sorted(methods))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    raise MethodNotAllowed(headers=headers)
