"""What receives the requests of clients: the gateway itself, or an edge in front of it."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service
from devkit.testing.traefik import start_traefik

EDGE: Final = os.environ.get("E2E_EDGE", "")
"""Which edge the suites use.

- empty: none, the gateway runs in proxy mode
- `traefik`: the program that `TRAEFIK` names, configured by `deploy/traefik`
- `compose`: all containers of `docker-compose.yml`
- `kubernetes`: a release of the chart in the cluster of `KUBECONFIG`
"""

EDGE_DIFFERENCES: Final = {
    "test_without_an_origin_responses_have_no_cors_headers": (
        "Traefik sends Access-Control-Expose-Headers and -Allow-Credentials in every response; a "
        "page can use them only with Access-Control-Allow-Origin, which only its own origin gets"
    ),
    "test_the_platform_conforms_to_the_openapi_document": (
        "Traefik rejects some encoded paths in plain text before routing; the document describes "
        "routed requests only"
    ),
    "test_every_service_logs_the_request_id[gateway-request_line0]": (
        "in forward-auth mode the gateway forwards nothing: it logs the decision, and the edge "
        "logs the request"
    ),
}
"""Tests that fail behind an edge by its nature, with the reason.

Wherever the edge can be configured it does what the proxy mode does.
"""

_NO_LIMITS: Final = {"LIMIT_PER_ADDRESS": "0", "LIMIT_PER_USER": "0"}


def _find_traefik() -> Path | None:
    if EDGE != "traefik":
        return None
    name = os.environ.get("TRAEFIK") or "traefik"
    program = shutil.which(name)
    if program is None:
        pytest.exit(
            f"{name} is no program. Name one: make e2e edge=traefik TRAEFIK=/path/to/traefik",
            returncode=2,
        )
    return Path(program).absolute()


def _gateway_mode(traefik: Path | None) -> dict[str, str]:
    if traefik is None:
        return {"MODE": "proxy"}
    return {"MODE": "forward-auth"}


TRAEFIK: Final = _find_traefik()
"""The edge in front of every gateway that the suites start; None without an edge."""

GATEWAY_MODE: Final = _gateway_mode(TRAEFIK)
"""The setting of every gateway that the suites start."""


def start_entrypoint(
    group: ProcessGroup,
    gateway: Service,
    environment: Mapping[str, str],
    *,
    port: int | None = None,
) -> Service:
    """Start the edge if there is one, without rate limits: all tests share one IP address.

    Args:
        group: Stops the edge when it ends.
        gateway: The running gateway.
        environment: The settings of the gateway.
        port: The edge's public port; None for a free one.
    """
    if TRAEFIK is None:
        return gateway
    settings = _NO_LIMITS | {
        "AUTH_GATEWAY_URLS": gateway.url,
        "TASKS_URLS": environment["TASKS_URL"],
        "USERS_URLS": environment["USERS_URL"],
        "CORS_ORIGINS": environment.get("CORS_ORIGINS", ""),
        "CORS_REQUEST_HEADERS": environment.get("CORS_REQUEST_HEADERS", ""),
        "BETTER_AUTH_SERVER_URL": environment.get("BETTER_AUTH_SERVER_URL", ""),
    }
    for name in environment:
        if name.startswith("OTEL_"):
            settings[name] = environment[name]
    return start_traefik(group, TRAEFIK, settings, port=port)
