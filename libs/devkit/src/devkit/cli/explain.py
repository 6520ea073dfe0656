"""`make explain`: say why the gateway of `make run` accepts or rejects a token."""

import subprocess
import sys

from devkit.platform.environment import service_environment
from devkit.platform.settings import VAR, load_settings
from devkit.platform.tokens import development_secret


def main() -> None:
    """Run the gateway's own command with the settings that `make run` gives to the gateway."""
    settings = load_settings()
    environment = service_environment()
    environment["BETTER_AUTH_SECRET"] = development_secret(settings, VAR)
    if not settings.names_better_auth:
        # The keys of the Better Auth server that `make run` starts are shown by the gateway.
        environment["BETTER_AUTH_URL"] = settings.url
    command = [sys.executable, "-m", "auth_gateway.cli.explain", *sys.argv[1:]]
    sys.exit(subprocess.call(command, env=environment))


if __name__ == "__main__":
    main()
