"""The platform in containers: `make up`, `make renew s=tasks`, `make down`.

Needs Docker and Python 3.9 or newer, and nothing that has to be installed with pip.
"""

import argparse
import errno
import json
import os
import secrets
import socket
import ssl
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from docker_command import (
    ROOT,
    compose,
    docker,
    fail,
    remove_with_log,
    require_docker,
    running_containers,
)

# devkit is not installed here: with containers, nothing has to be.
sys.path.insert(0, str(ROOT / "libs" / "devkit" / "src"))
from devkit.platform.env_file import EnvFileError, read_env_file

ENV_FILE = Path(os.environ.get("COMPOSE_ENV_FILES") or ROOT / ".env")
"""The file that Compose reads as well; environment variables override it."""

SECRETS = (
    "BETTER_AUTH_SECRET",
    "POSTGRES_PASSWORD",
    "TASKS_DATABASE_PASSWORD",
    "USERS_DATABASE_PASSWORD",
    "BETTER_AUTH_DATABASE_PASSWORD",
)
"""Settings that are random text without characters that are special in a URL."""

KEYS = ("PASSPORT_PRIVATE_KEY", "PASSPORT_PUBLIC_KEYS")

REQUIRED = SECRETS + KEYS
"""Settings without a default."""

RENEWABLE = ("auth-gateway", "better-auth", "tasks", "users")
"""Services that the edge finds by name, so that old and new containers can run at the same time."""

ENV_FILE_HEADER = """\
# Written by `make up`, and never again.
# .env.example says what each variable means, and which others there are.
"""

PORTS = 2**16
"""Number of TCP ports."""

HEALTHY_SECONDS = 180
"""How long everything may take to start, on a machine that is busy with other things."""

READY_SECONDS = 30
"""How long it may take from healthy to ready, which a suspended database delays."""

READY_POLL_SECONDS = 0.5

WITHOUT_READINESS = ("better-auth",)
"""Services that are ready when they are healthy."""

CHECK_READINESS = (
    "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000); "
    "c.request('GET', '/readyz'); assert c.getresponse().status == 200"
)
"""Program that fails in the container of a service that is not ready."""

STOP_SECONDS = 20
"""How long an old container may take to finish its requests."""

WELCOME = """
The platform runs: open {url} in a browser, and sign up.

Or from the command line, sign up, fetch a token and create a task:

curl -s -c cookies {url}/api/auth/sign-up/email -H 'Origin: {url}' {json} \\
  -d '{{"name": "Ada", "email": "ada@example.com", "password": "{password}"}}'
TOKEN=$(curl -s -b cookies {url}/api/auth/token | cut -d '"' -f 4)
curl -i {url}/tasks -H "Authorization: Bearer $TOKEN" {json} -d '{{"title": "Water the plants"}}'

The API in a browser: {url}/docs. What everybody says: docker compose logs -f
make down stops everything and keeps the data; make down v=1 forgets them.
"""


def read_settings() -> "dict[str, str]":
    """Return the settings as Compose reads them; stop if a line of the file has two meanings."""
    try:
        if ENV_FILE.exists():
            read_env_file(ENV_FILE)
    except EnvFileError as error:
        fail(str(error))
    listing = docker(
        ["compose", "--file", "-", "config", "--environment"],
        env_file_environment(),
        standard_input="services: {}",
    )
    if listing.returncode:
        fail(f"{ENV_FILE} cannot be read: {listing.stderr.strip()}")
    settings: dict[str, str] = {}
    for line in listing.stdout.splitlines():
        name, equals_sign, value = line.partition("=")
        if equals_sign:
            settings[name] = value
    return settings


def env_file_environment() -> "dict[str, str]":
    """Return the variable that names the env file; an empty file if there is none.

    Compose fails if the named file does not exist.
    """
    file = str(ENV_FILE)
    if not ENV_FILE.exists():
        file = os.devnull
    return {"COMPOSE_ENV_FILES": file}


def placeholder_environment() -> "dict[str, str]":
    """Return a value for each required setting, for commands to which the values do not matter."""
    settings = read_settings()
    environment = env_file_environment()
    for name in REQUIRED:
        environment[name] = settings.get(name) or "unset"
    return environment


def write_env_file() -> None:
    """Write fresh secrets to the env file, readable for its owner only.

    The gateway's image generates the passport keys.
    """
    if docker(["compose", "volumes", "--quiet"], placeholder_environment()).stdout.strip():
        fail(
            f"{ENV_FILE} is gone, and with it the passwords of the data: "
            "put it back, or forget them: make down v=1"
        )
    if not compose(["build", "auth-gateway"], placeholder_environment()):
        fail("The image of the gateway could not be built: the lines above say why.")
    keys = docker(
        [
            "run",
            "--rm",
            "task-platform/auth-gateway",
            "python",
            "-m",
            "auth_gateway.cli.generate_passport_keys",
        ]
    )
    if keys.returncode:
        fail(f"The gateway's image could not make keys: {keys.stderr.strip()}")
    text = ENV_FILE_HEADER
    for name in SECRETS:
        text += f"{name}={secrets.token_urlsafe(32)}\n"
    text += keys.stdout
    descriptor = os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    print(f"Wrote {ENV_FILE} with fresh secrets.")


def require_settings() -> None:
    """Stop if a setting without a default is not set."""
    settings = read_settings()
    missing = [name for name in REQUIRED if not settings.get(name)]
    if missing:
        fail(
            f"Not set in {ENV_FILE}: {', '.join(missing)}. "
            "Fill in, or remove the file and let make up write one."
        )


def require_free_port() -> None:
    """Stop if HOST or PORT is wrong, or if something else listens there."""
    settings = read_settings()
    port = settings.get("PORT") or "8080"
    if not (port.isdecimal() and 0 < int(port) < PORTS):
        fail(f"PORT must be a number from 1 to {PORTS - 1}, and not {port}.")
    host = settings.get("HOST") or "127.0.0.1"
    try:
        IPv4Address(host)
    except AddressValueError:
        fail(f"HOST must be an IPv4 address such as 127.0.0.1 or 0.0.0.0, and not {host}.")
    if published_edge_address(placeholder_environment()).endswith(f":{port}"):
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                fail(
                    f"Port {port} is taken: stop what listens there, "
                    f"or choose another: PORT={int(port) + 1} make up"
                )


def published_edge_address(environment: "dict[str, str] | None" = None) -> str:
    """Return host and port of the running edge; empty if it does not run."""
    return docker(["compose", "port", "traefik", "8080"], environment).stdout.strip()


def wait_for_edge(*, tls: bool) -> None:
    """Wait until `/readyz` of the gateway succeeds through the edge.

    Containers are healthy before they are ready: their health checks ask no database.
    """
    address = published_edge_address()
    reason = "the edge does not lead to it: docker compose logs traefik auth-gateway"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, HTTPException):
            connection = connect_to_edge(address, tls=tls)
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            if response.status == HTTPStatus.OK:
                return
            reason = explain_readiness(response.read()) or reason
        time.sleep(READY_POLL_SECONDS)
    fail(f"Everything runs, but {reason}")


def explain_readiness(body: bytes) -> str:
    """Return what a response of `/readyz` says is unavailable; empty for that of the edge."""
    with suppress(ValueError, AttributeError):
        detail = str(json.loads(body).get("detail", ""))
        if detail.startswith("Not ready"):
            return f"it is {detail[0].lower()}{detail[1:]} docker compose logs SERVICE says why."
    return ""


def connect_to_edge(address: str, *, tls: bool) -> HTTPConnection:
    """Return a connection that does not check the certificate: it is for another host name."""
    if not tls:
        return HTTPConnection(address)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(address, context=context)


def up() -> None:
    """Build and start everything, and wait until it works."""
    require_free_port()
    if not ENV_FILE.exists():
        write_env_file()
    require_settings()
    if not compose(["up", "--build", "--detach", "--wait", "--wait-timeout", str(HEALTHY_SECONDS)]):
        fail(
            "Not everything started: docker compose ps -a says what, "
            "docker compose logs SERVICE says why."
        )
    settings = read_settings()
    wait_for_edge(tls=bool(settings.get("TLS_CERTIFICATE_FILE")))
    port = settings.get("PORT") or "8080"
    welcome = WELCOME.format(
        url=settings.get("BETTER_AUTH_URL") or f"http://localhost:{port}",
        json="-H 'Content-Type: application/json'",
        password=secrets.token_urlsafe(9),
    )
    print(welcome)


def renew(service: str) -> None:
    """Replace a service's containers by new ones; the old ones finish their requests."""
    old_containers = running_containers(service)
    if not old_containers:
        fail(f"There is no running {service}: make up starts everything.")
    scale_up = [
        "up",
        "--detach",
        "--no-deps",
        "--no-recreate",
        "--wait",
        "--wait-timeout",
        str(HEALTHY_SECONDS),
        "--scale",
        f"{service}={2 * len(old_containers)}",
        service,
    ]
    if not compose(["build", service]):
        fail(f"The image of {service} could not be built: the lines above say why.")
    is_healthy = compose(scale_up)
    new_containers = sorted(set(running_containers(service)) - set(old_containers))
    if not is_healthy or not wait_until_ready(service, new_containers):
        remove_with_log(new_containers)
        fail(f"The new {service} does not become ready: its log is above. The old one goes on.")
    for container in old_containers:
        docker(["stop", "--time", str(STOP_SECONDS), container])
        docker(["rm", container])


def wait_until_ready(service: str, containers: "list[str]") -> bool:
    """Wait until `/readyz` of each container succeeds; return whether it does in time."""
    if service in WITHOUT_READINESS:
        return True
    deadline = time.monotonic() + READY_SECONDS
    for container in containers:
        while docker(["exec", container, "python", "-ISc", CHECK_READINESS]).returncode:
            if time.monotonic() > deadline:
                return False
            time.sleep(READY_POLL_SECONDS)
    return True


def down(*, forget: bool) -> None:
    """Stop everything; the data stay unless they are to be forgotten."""
    arguments = ["down"]
    if forget:
        arguments.append("--volumes")
    if not compose(arguments, placeholder_environment()):
        fail("Not everything could be stopped: the lines above say why.")


def main() -> None:
    """Run the command that the first argument names."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help=up.__doc__)
    commands.add_parser("renew", help=renew.__doc__).add_argument("service", choices=RENEWABLE)
    commands.add_parser("down", help=down.__doc__).add_argument("--forget", action="store_true")
    arguments = parser.parse_args()
    require_docker()
    if arguments.command == "up":
        up()
    elif arguments.command == "renew":
        renew(arguments.service)
    else:
        down(forget=arguments.forget)


if __name__ == "__main__":
    main()
