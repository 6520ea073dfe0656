"""Where the gateway starts: `python -m auth_gateway.main`."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Lifespan

from auth_gateway import routes
from auth_gateway.authentication import Gatekeeper
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.cors import Cors
from auth_gateway.forward_auth import RememberedDecision
from auth_gateway.passport import PassportSigner
from auth_gateway.proxy.middleware import Proxy
from auth_gateway.proxy.upstream import Service, connections, services_of, state_of
from auth_gateway.settings import GatewaySettings
from common import app
from common.health import HealthStatus, ReadinessCheck, UnavailableReason, health_routes
from common.middleware import RequestMiddleware
from common.settings import load

NAME = "auth-gateway"
"""The distribution, and the service's name in logs."""


def create_app(settings: GatewaySettings) -> ASGIApp:
    """Put the gateway together, in the mode that the settings name; both decide by the same gatekeeper."""
    keys = KeyCache(
        settings.keys_address,
        max_age_seconds=settings.keys_max_age_seconds,
        fetch_seconds=settings.keys_fetch_seconds,
    )
    gatekeeper = Gatekeeper(settings, keys, PassportSigner(settings.passport_key))
    services, lifespan = services_of(settings), _lifespan(keys)
    ready = _readiness(keys, services)
    if settings.mode == "forward-auth":
        decision = [*health_routes(NAME, ready), routes.decision(gatekeeper), *routes.documents]
        frame = Middleware(RequestMiddleware, explain=settings.explain_refusals)
        return RememberedDecision(app.create_app(NAME, decision, lifespan, frame), gatekeeper)
    own = [*health_routes(NAME, ready, behind_edge=False), *routes.documents]
    frame = Middleware(RequestMiddleware, limit_seconds=None, explain=settings.explain_refusals)
    proxy = Middleware(Proxy, gatekeeper=gatekeeper, services=services)
    return Cors(
        app.create_app(NAME, own, lifespan, frame, proxy),
        settings.cors_origins,
        settings.cors_request_headers,
    )


def _lifespan(keys: KeyCache) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(gateway: FastAPI) -> AsyncGenerator[None]:
        async with keys, connections() as gateway.state.connections:
            yield

    return lifespan


def _readiness(keys: KeyCache, services: Sequence[Service]) -> ReadinessCheck:
    async def ready(request: Request) -> Mapping[str, HealthStatus | UnavailableReason]:
        session = request.app.state.connections
        named = {service.name: service for service in services}
        states = await asyncio.gather(*(state_of(session, service) for service in named.values()))
        found: dict[str, HealthStatus | UnavailableReason] = dict(zip(named, states, strict=True))
        state = keys.state
        if state.status == "unavailable" and state.reason is not None:
            found["keys"] = UnavailableReason(f"the key server {state.reason}")
        elif state.status != "off":
            found["keys"] = state.status
        return found

    return ready


def main() -> None:
    """Serve until SIGTERM."""
    settings = load(GatewaySettings)
    app.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
