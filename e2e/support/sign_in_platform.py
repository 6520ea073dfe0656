"""A gateway in proxy mode with sign-in at the same URL."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from e2e.support.better_auth import BetterAuth, start_better_auth


@dataclass(frozen=True)
class SignInPlatform:
    """A gateway in proxy mode, with a Better Auth server behind the same URL."""

    url: str
    better_auth: BetterAuth


@dataclass(frozen=True)
class SignInTestbed:
    """Starts platforms with sign-in, which share the services behind the gateway."""

    group: ProcessGroup
    clients: AsyncExitStack
    services: Platform
    keys: PassportKeys

    async def start(
        self, *, app_folder: Path | None = None, **better_auth_settings: str
    ) -> SignInPlatform:
        """Start a gateway that shows a Better Auth server at its own URL, as `make run` does.

        Args:
            app_folder: The built app to show at `/`; None for no app.
            better_auth_settings: As in the README of `deploy/better-auth`.
        """
        [port] = free_ports(1)
        url = f"http://localhost:{port}"
        better_auth = await start_better_auth(
            self.group, self.clients, BETTER_AUTH_URL=url, **better_auth_settings
        )
        environment = dict(minimal_environment())
        environment["MODE"] = "proxy"
        environment["TASKS_URL"] = self.services.tasks.url
        environment["USERS_URL"] = self.services.users.url
        environment["PASSPORT_PRIVATE_KEY"] = self.keys.private
        environment["EXPLAIN_REFUSALS"] = "true"
        environment["BETTER_AUTH_URL"] = url
        environment["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        environment["BETTER_AUTH_SERVER_URL"] = better_auth.url
        environment["APP_FOLDER"] = str(app_folder or "")
        gateway = start_service(self.group, "gateway", environment, port)
        await gateway.wait_until_ready()
        return SignInPlatform(url, better_auth)
