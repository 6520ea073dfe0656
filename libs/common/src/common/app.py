"""What every service is made of: an application, and the server that runs it."""

from collections.abc import Sequence
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan

from common.errors import BadRequest, MethodNotAllowed, NotFound, Refusal
from common.frame import Frame, refuse
from common.settings import Settings
from common.telemetry import configure_logging

DEADLINE_SECONDS: Final = 5.0
"""How long a service works on one request before it answers 503."""

KEEP_ALIVE_SECONDS: Final = 120
"""Longer than any client of ours keeps an idle connection, or a reused one dies under a request."""

SHUTDOWN_SECONDS: Final = 15
"""How long requests in flight may take after SIGTERM."""


def create_app(
    service: str,
    routes: Sequence[BaseRoute],
    *,
    lifespan: Lifespan[FastAPI],
    explain: bool = False,
    deadline_seconds: float | None = DEADLINE_SECONDS,
    middleware: Sequence[Middleware] = (),
) -> FastAPI:
    """Put a service together; its routes are searched in the order given, its middleware runs inside the frame."""
    frame = Middleware(Frame, service=service, deadline_seconds=deadline_seconds, explain=explain)
    app = FastAPI(
        title=service,
        routes=list(routes),
        middleware=[frame, *middleware],
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.explain = explain
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    return app


def serve(app: ASGIApp, settings: Settings) -> None:
    """Run a service until SIGTERM; requests in flight are then finished."""
    configure_logging()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _refuse(request: Request, error: Exception) -> Response:
    refusal = _refusal(request, error)
    if isinstance(refusal, MethodNotAllowed) and request.method == "OPTIONS":
        return Response(status_code=204, headers=refusal.headers)
    return refuse(refusal, request.scope, explain=request.app.state.explain)


def _refusal(request: Request, error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return BadRequest("invalid-request", "The request cannot be read.")
    if isinstance(error, HTTPException) and error.status_code == MethodNotAllowed.status:
        allow = {"Allow": _allowed_verbs(request)}
        return MethodNotAllowed("method-not-allowed", "This address has no such verb.", headers=allow)
    return NotFound("not-found", "There is nothing at this address.")


def _allowed_verbs(request: Request) -> str:
    """Return the verbs of all routes of the path, as `Allow` lists them.

    Source: RFC 9110, 10.2.1.
    """
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    verbs = {verb for route in routes if route.path_regex.match(request.scope["path"]) for verb in route.methods or ()}
    return ", ".join(sorted(verbs | {"OPTIONS"} | ({"HEAD"} if "GET" in verbs else set())))
