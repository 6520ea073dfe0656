"""What clients talk to: the gateway itself, or an edge with the gateway behind it."""

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
"""Empty: the gateway in proxy mode. `traefik`: the program that `TRAEFIK` names, as `deploy/traefik` sets it up.
`compose`: all of `docker-compose.yml`."""

DIFFERENCES: Final = {
    "test_whoever_is_no_browser_is_told_nothing_of_origins": "Traefik says to everybody which headers a page may read "
    "and that it may send credentials; no page may do anything by that without the origin, which is said to its own",
    "test_the_services_do_what_the_document_says": "Traefik refuses some encoded paths in plain text, before it "
    "routes them: the document speaks of what is routed",
    "test_one_id_leads_through_all_services[gateway-request_line0]": "behind an edge the gateway hands nothing on: it "
    "writes about the decision, and the edge about the request",
}
"""Tests that an edge fails by its nature, with the reason; where we can choose, it does what the proxy mode does."""

_UNLIMITED = {"LIMIT_PER_ADDRESS": "0", "LIMIT_PER_USER": "0"}


def _program() -> Path | None:
    if EDGE != "traefik":
        return None
    named = os.environ.get("TRAEFIK") or "traefik"
    found = shutil.which(named)
    if found is None:
        pytest.exit(
            f"{named} is no program. Name one: make e2e edge=traefik TRAEFIK=/path/to/traefik",
            returncode=2,
        )
    return Path(found).absolute()


TRAEFIK: Final = _program()
"""The program before every gateway that is started here."""

MODE: Final = {"MODE": "forward-auth" if TRAEFIK else "proxy"}
"""What such a gateway is told."""


def start_front(group: ProcessGroup, gateway: Service, environment: Mapping[str, str]) -> Service:
    """Start what is to stand before a gateway; the environment is the gateway's own.

    Nothing is limited: all these tests come from one address, in a hurry.
    """
    if TRAEFIK is None:
        return gateway
    told = {
        "AUTH_GATEWAY_URLS": gateway.url,
        "TASKS_URLS": environment["TASKS_URL"],
        "USERS_URLS": environment["USERS_URL"],
        "CORS_ORIGINS": environment.get("CORS_ORIGINS", ""),
        "CORS_REQUEST_HEADERS": environment.get("CORS_REQUEST_HEADERS", ""),
    }
    return start_traefik(group, TRAEFIK, _UNLIMITED | told)
