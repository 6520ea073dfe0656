"""`make explain`: say why the gateway of `make run` accepts or rejects a token."""

import argparse
import subprocess
import sys
from pathlib import Path

from devkit.platform.environment import service_environment
from devkit.platform.gateway_record import read_gateway_record
from devkit.platform.settings import VAR, load_settings
from devkit.platform.tokens import development_secret


def main() -> None:
    """Run the gateway's own command with the settings that `make run` gives to the gateway.

    While it runs, these are the settings that it was started with.
    """
    parser = argparse.ArgumentParser(prog="python -m devkit.cli.explain", description=__doc__)
    parser.add_argument("--folder", type=Path, default=VAR, help="the folder of `make run`")
    parser.add_argument("token", nargs="*", help="the token; by default a line of standard input")
    arguments = parser.parse_args()
    settings = load_settings()
    environment = service_environment()
    environment["BETTER_AUTH_SECRET"] = development_secret(settings, arguments.folder)
    if not settings.names_better_auth:
        # The keys of the Better Auth server that `make run` starts are shown by the gateway.
        environment["BETTER_AUTH_URL"] = settings.url
    environment.update(read_gateway_record(arguments.folder))
    command = [sys.executable, "-m", "auth_gateway.cli.explain", *arguments.token]
    sys.exit(subprocess.call(command, env=environment))


if __name__ == "__main__":
    main()
