"""The platform in containers: `make up`, `make renew s=tasks`, `make down`. Needs Docker, and nothing but Python."""

import argparse
import errno
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]

sys.path.insert(
    0, str(ROOT / "libs" / "devkit" / "src")
)  # not installed: nothing is, where containers do all the work
from devkit.platform.env_file import EnvFileError, read_env_file  # noqa: E402

ENV_FILE = Path(os.environ.get("COMPOSE_ENV_FILES") or ROOT / ".env")
"""What Compose reads as well; the environment comes before it."""

SECRETS = (
    "BETTER_AUTH_SECRET",
    "POSTGRES_PASSWORD",
    "TASKS_DATABASE_PASSWORD",
    "USERS_DATABASE_PASSWORD",
    "BETTER_AUTH_DATABASE_PASSWORD",
)
"""Any random text will do for these, if a URL can hold it."""

KEYS = ("PASSPORT_PRIVATE_KEY", "PASSPORT_PUBLIC_KEYS")

RENEWABLE = ("auth-gateway", "better-auth", "tasks", "users")
"""What the edge finds by its name, so that two may run at once."""

WRITTEN = """\
# Written by `make up`, and never again. .env.example says what each variable means, and which others there are.
"""

NOT_OURS = (
    "COMPOSE_FILE",
    "COMPOSE_PATH_SEPARATOR",
    "COMPOSE_PROFILES",
    "COMPOSE_DISABLE_ENV_FILE",
)
"""What a shell may hold for another project's Compose. Project name, file of settings and engine may be chosen."""

PORTS = 2**16
"""How many TCP ports there are."""

HEALTHY_SECONDS = 180
"""How long everything may take to start, on a machine that is busy with other things."""

EDGE_SECONDS = 30
"""How long the edge may take to find the gateway once both are healthy."""

INVITATION = """
The platform runs at {url}

Sign up, fetch a token and create a task:

curl -s -c cookies {url}/api/auth/sign-up/email -H 'Origin: {url}' {json} \\
  -d '{{"name": "Ada", "email": "ada@example.com", "password": "{password}"}}'
TOKEN=$(curl -s -b cookies {url}/api/auth/token | cut -d '"' -f 4)
curl -i {url}/tasks -H "Authorization: Bearer $TOKEN" {json} -d '{{"title": "Water the plants"}}'

The API in a browser: {url}/docs. What everybody says: docker compose logs -f
make down stops everything and keeps the data; make down v=1 forgets them.
"""


def fail(message: str) -> NoReturn:
    """Stop with one line that says what to do."""
    sys.exit(message)


def docker_environment(additions: "dict[str, str]") -> "dict[str, str]":
    """Return what Docker is told: the environment without what is meant for other projects."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    return {**inherited, **additions}


def docker(
    *arguments: str, said: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Ask Docker something, and return what it answers."""
    command = ["docker", *arguments]
    told = docker_environment(environment)
    return subprocess.run(
        command, cwd=ROOT, env=told, input=said, capture_output=True, text=True, check=False
    )


def compose(*arguments: str, **environment: str) -> bool:
    """Let Compose do something before everybody's eyes, and return whether it could."""
    command = ["docker", "compose", *arguments]
    return (
        subprocess.run(
            command, cwd=ROOT, env=docker_environment(environment), check=False
        ).returncode
        == 0
    )


def require_docker() -> None:
    """Stop if there is nobody to run containers."""
    if not shutil.which("docker"):
        fail(
            "Docker is not installed: https://docs.docker.com/get-docker says how. Without it, make run starts all."
        )
    if docker("compose", "version").returncode:
        fail("Docker has no Compose: https://docs.docker.com/compose/install says how to add it.")
    if docker("info").returncode:
        fail(
            "Docker does not answer: start it, and see that you may use it (docker info says what is wrong)."
        )


def settings() -> "dict[str, str]":
    """Return what is set, as Compose itself reads it; what `make run` would read otherwise is refused."""
    try:
        if ENV_FILE.exists():
            read_env_file(ENV_FILE)
    except EnvFileError as error:
        fail(str(error))
    known = docker(
        "compose", "--file", "-", "config", "--environment", said="services: {}", **existing_file()
    )
    if known.returncode:
        fail(f"{ENV_FILE} cannot be read: {known.stderr.strip()}")
    return dict(line.split("=", 1) for line in known.stdout.splitlines() if "=" in line)


def existing_file() -> "dict[str, str]":
    """Name the file, or an empty one: Compose stumbles over one that is not there."""
    return {"COMPOSE_ENV_FILES": str(ENV_FILE if ENV_FILE.exists() else os.devnull)}


def placeholders() -> "dict[str, str]":
    """Return something for everything that must be set, for commands that do not care what it is."""
    given = settings()
    return {**existing_file(), **{name: given.get(name) or "unset" for name in (*SECRETS, *KEYS)}}


def write_secrets() -> None:
    """Make the file, readable for its owner alone; the gateway's image makes the keys."""
    if docker("compose", "volumes", "--quiet", **placeholders()).stdout.strip():
        fail(
            f"{ENV_FILE} is gone, and with it the passwords of the data: put it back, or forget them: make down v=1"
        )
    if not compose("build", "auth-gateway", **placeholders()):
        fail("The image of the gateway could not be built: the lines above say why.")
    made = docker(
        "run",
        "--rm",
        "task-platform/auth-gateway",
        "python",
        "-m",
        "auth_gateway.cli.generate_passport_keys",
    )
    if made.returncode:
        fail(f"The gateway's image could not make keys: {made.stderr.strip()}")
    lines = [f"{name}={secrets.token_urlsafe(32)}" for name in SECRETS]
    with os.fdopen(os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(WRITTEN + "\n".join(lines) + "\n" + made.stdout)
    print(f"Wrote {ENV_FILE} with fresh secrets.")


def require_secrets() -> None:
    """Stop if something is unset that has no default."""
    given = settings()
    if missing := [name for name in (*SECRETS, *KEYS) if not given.get(name)]:
        fail(
            f"Not set in {ENV_FILE}: {', '.join(missing)}. Fill in, or remove the file and let make up write one."
        )


def require_free_port() -> None:
    """Stop if the edge could not listen where it shall."""
    given = settings()
    port = given.get("PORT") or "8080"
    if not (port.isdecimal() and 0 < int(port) < PORTS):
        fail(f"PORT must be a number from 1 to {PORTS - 1}, and not {port}.")
    host = given.get("HOST") or "127.0.0.1"
    try:
        IPv4Address(host)
    except AddressValueError:
        fail(f"HOST must be an IPv4 address such as 127.0.0.1 or 0.0.0.0, and not {host}.")
    if (
        docker("compose", "port", "traefik", "8080", **placeholders())
        .stdout.strip()
        .endswith(f":{port}")
    ):
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                fail(
                    f"Port {port} is taken: stop what listens there, or choose another: PORT={int(port) + 1} make up"
                )


def wait_for_edge(*, tls: bool) -> None:
    """Return as soon as a client of the edge finds the gateway ready."""
    published = docker("compose", "port", "traefik", "8080").stdout.strip()
    whoever = ssl.create_default_context()
    whoever.check_hostname, whoever.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + EDGE_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, HTTPException):
            edge = HTTPSConnection(published, context=whoever) if tls else HTTPConnection(published)
            edge.request("GET", "/readyz")
            if edge.getresponse().status == HTTPStatus.OK:
                return
        time.sleep(0.5)
    fail(
        "Everything runs, but the edge does not lead to it: docker compose logs traefik auth-gateway"
    )


def up() -> None:
    """Build, start, and wait until everything works."""
    require_free_port()
    if not ENV_FILE.exists():
        write_secrets()
    require_secrets()
    if not compose("up", "--build", "--detach", "--wait", "--wait-timeout", str(HEALTHY_SECONDS)):
        fail(
            "Not everything started: docker compose ps -a says what, docker compose logs SERVICE says why."
        )
    given = settings()
    wait_for_edge(tls=bool(given.get("TLS_CERTIFICATE_FILE")))
    url = given.get("BETTER_AUTH_URL") or f"http://localhost:{given.get('PORT') or 8080}"
    content = "-H 'Content-Type: application/json'"
    print(INVITATION.format(url=url, json=content, password=secrets.token_urlsafe(9)))


def renew(service: str) -> None:
    """Put new containers in the place of a service's old ones, which finish what they have begun."""
    old = docker("compose", "ps", "--quiet", service).stdout.split()
    if not old:
        fail(f"There is no running {service}: make up starts everything.")
    scale = f"{service}={2 * len(old)}"
    doubled = (
        "up",
        "--detach",
        "--no-deps",
        "--no-recreate",
        "--wait",
        "--wait-timeout",
        str(HEALTHY_SECONDS),
    )
    if not compose("build", service) or not compose(*doubled, "--scale", scale, service):
        fail(
            f"The new {service} does not become healthy, the old one goes on: docker compose logs {service}"
        )
    for container in old:
        docker("stop", "--time", "20", container)
        docker("rm", container)


def down(*, forget: bool) -> None:
    """Stop everything; the data stay unless they are to be forgotten."""
    if not compose("down", *(["--volumes"] if forget else []), **placeholders()):
        fail("Not everything could be stopped: the lines above say why.")


def main() -> None:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help=up.__doc__)
    verbs.add_parser("renew", help=renew.__doc__).add_argument("service", choices=RENEWABLE)
    verbs.add_parser("down", help=down.__doc__).add_argument("--forget", action="store_true")
    chosen = parser.parse_args()
    require_docker()
    if chosen.verb == "up":
        up()
    elif chosen.verb == "renew":
        renew(chosen.service)
    else:
        down(forget=chosen.forget)


if __name__ == "__main__":
    main()
