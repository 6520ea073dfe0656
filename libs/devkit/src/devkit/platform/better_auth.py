"""The Better Auth server of `deploy/better-auth`: sign-up, sign-in, and the tokens of users."""

from collections.abc import Mapping
from typing import Final

from devkit.platform.node import NODE, has_packages, install_packages, node_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import HOST, Service, free_ports, local_url
from devkit.platform.settings import CHECKOUT, RunSettings

FOLDER: Final = CHECKOUT / "deploy" / "better-auth"

DATABASE: Final = "better_auth"
"""Name of its database."""

SIGN_INS_MAX: Final = 100
"""Sign-ins and sign-ups in 10 s: a developer, and tests of a front end, share one address."""


def is_better_auth_installed() -> bool:
    """Tell whether the server can be started without npm."""
    return has_packages(FOLDER)


async def install_better_auth(group: ProcessGroup) -> None:
    """Install the server's packages, unless they are installed.

    Raises:
        CannotRunError: Neither registry nor cache has the packages, or npm failed otherwise.
    """
    await install_packages(group, FOLDER, log_name="better-auth-npm")


def start_better_auth(
    group: ProcessGroup,
    settings: Mapping[str, str],
    *,
    name: str = "better-auth",
    port: int | None = None,
) -> Service:
    """Start a server, whose packages must be installed, on a port of 127.0.0.1.

    Args:
        group: Group that the server belongs to.
        settings: Settings as in the README of `deploy/better-auth`.
        name: Name in messages, and of the log file.
        port: None for a free one.
    """
    port = port or free_ports(1)[0]
    environment = node_environment()
    environment.update(settings)
    environment["HOST"] = HOST
    environment["PORT"] = str(port)
    process = group.start(name, [NODE, FOLDER / "server.mjs"], environment)
    return Service(name, local_url(port), process, readiness_path="/healthz")


def local_settings(settings: RunSettings, database_url: str, secret: str) -> dict[str, str]:
    """Return the settings of a server that the gateway shows on this machine.

    Args:
        settings: Settings of the platform. Pages may call it `localhost` or `127.0.0.1`.
        database_url: The server's own database.
        secret: It encrypts private keys in the database, so it must stay with the data.
    """
    origins = f"{local_url(settings.port)},{settings.cors_origins}"
    return {
        "BETTER_AUTH_URL": settings.url,
        "TRUSTED_ORIGINS": origins,
        "DATABASE_URL": database_url,
        "BETTER_AUTH_SECRET": secret,
        "TOKEN_SECONDS": str(settings.token_seconds),
        "RATE_LIMIT": settings.rate_limit,
        "SIGN_INS_MAX": str(SIGN_INS_MAX),
    }


def gateway_settings(settings: RunSettings, server: Service) -> dict[str, str]:
    """Return the settings of a gateway that shows the server at `/api/auth/` of its URL."""
    return {
        "BETTER_AUTH_URL": settings.url,
        "BETTER_AUTH_SERVER_URL": server.url,
        "BETTER_AUTH_JWKS_URL": f"{server.url}/api/auth/jwks",
        "BETTER_AUTH_ISSUERS": "",
        "BETTER_AUTH_AUDIENCES": "",
    }
