"""Start the gateway: `python -m auth_gateway.main`."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan

from auth_gateway import docs_pages
from auth_gateway.authentication import Authenticator
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.cors import StrictCORSMiddleware
from auth_gateway.forward_auth import DecisionCacheMiddleware, forward_auth_route
from auth_gateway.passport import PassportSigner
from auth_gateway.proxy.middleware import ProxyMiddleware
from auth_gateway.proxy.upstream import (
    UpstreamService,
    better_auth_servers,
    check_readiness,
    client_session,
    upstream_services,
)
from auth_gateway.settings import GatewaySettings
from auth_gateway.web_app import web_app_routes
from common import app
from common.health import HealthStatus, ReadinessCheck, UnavailableReason, health_routes
from common.middleware import RequestMiddleware
from common.settings import read_settings

NAME: Final = "auth-gateway"
"""The distribution, and the service's name in logs."""


def create_app(settings: GatewaySettings) -> ASGIApp:
    """Create the gateway in the mode of the settings; both modes share the authenticator."""
    keys = KeyCache(
        settings.jwks_url,
        max_age_seconds=settings.keys_max_age_seconds,
        fetch_seconds=settings.keys_fetch_seconds,
    )
    authenticator = Authenticator(settings, keys, PassportSigner(settings.passport_key))
    if settings.mode == "forward-auth":
        return _create_forward_auth_app(settings, keys, authenticator)
    return _create_proxy_app(settings, keys, authenticator)


def _create_forward_auth_app(
    settings: GatewaySettings, keys: KeyCache, authenticator: Authenticator
) -> ASGIApp:
    routes = _health_routes(settings, keys)
    routes.append(forward_auth_route(authenticator))
    routes += docs_pages.routes
    routes += web_app_routes(settings.shown_app_folder)
    gateway = app.create_app(
        NAME,
        routes,
        _lifespan(keys),
        [Middleware(RequestMiddleware, explain=settings.explain_refusals)],
    )
    return DecisionCacheMiddleware(gateway, authenticator)


def _create_proxy_app(
    settings: GatewaySettings, keys: KeyCache, authenticator: Authenticator
) -> ASGIApp:
    routes = _health_routes(settings, keys)
    routes += docs_pages.routes
    routes += web_app_routes(settings.shown_app_folder)
    gateway = app.create_app(
        NAME,
        routes,
        _lifespan(keys),
        [
            Middleware(RequestMiddleware, deadline_seconds=None, explain=settings.explain_refusals),
            Middleware(
                ProxyMiddleware,
                authenticator=authenticator,
                services=upstream_services(settings) + better_auth_servers(settings),
            ),
        ],
    )
    return StrictCORSMiddleware(gateway, settings.cors_origins, settings.cors_request_headers)


def _lifespan(keys: KeyCache) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(gateway: FastAPI) -> AsyncGenerator[None]:
        async with keys, client_session() as session:
            gateway.state.client_session = session
            yield

    return lifespan


def _health_routes(settings: GatewaySettings, keys: KeyCache) -> list[BaseRoute]:
    return health_routes(
        NAME,
        _readiness_check(keys, upstream_services(settings)),
        is_starting=lambda: keys.is_starting,
        behind_edge=settings.mode == "forward-auth",
    )


def _readiness_check(keys: KeyCache, services: Sequence[UpstreamService]) -> ReadinessCheck:
    services_by_name = {service.name: service for service in services}

    async def check(request: Request) -> Mapping[str, HealthStatus | UnavailableReason]:
        session = request.app.state.client_session
        checks = [check_readiness(session, service) for service in services_by_name.values()]
        statuses = await asyncio.gather(*checks)
        states: dict[str, HealthStatus | UnavailableReason] = dict(
            zip(services_by_name, statuses, strict=True)
        )
        key_state = keys.state
        if key_state.status == "unavailable" and key_state.reason is not None:
            states["keys"] = UnavailableReason(f"the key server {key_state.reason}")
        elif key_state.status != "off":
            states["keys"] = key_state.status
        return states

    return check


def main() -> None:
    """Serve until SIGTERM."""
    settings = read_settings(GatewaySettings)
    app.serve(NAME, create_app(settings), settings)


if __name__ == "__main__":
    main()
