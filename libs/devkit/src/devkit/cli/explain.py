"""`make explain`: say why the gateway of `make run` takes or refuses a token."""

import subprocess
import sys

from devkit.platform.environment import service_environment
from devkit.platform.settings import VAR, load_settings
from devkit.platform.tokens import development_secret


def main() -> None:
    """Run the gateway's own tool, with the settings that `make run` would give the gateway."""
    secret = development_secret(load_settings(), VAR)
    command = [sys.executable, "-m", "auth_gateway.cli.explain", *sys.argv[1:]]
    sys.exit(subprocess.call(command, env=service_environment() | {"BETTER_AUTH_SECRET": secret}))


if __name__ == "__main__":
    main()
