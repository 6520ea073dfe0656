"""What each container may do, and what is in it."""

import asyncio
import re
from typing import Final

import httpx
import pytest

from e2e.support.compose_project import SERVICES, ComposeProject
from e2e.support.statement_log import LOG_AS_BEFORE, LOG_EVERYTHING

CONTAINERS: Final = (*SERVICES, "postgres", "traefik")

PRIVILEGES: Final = (
    "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} "
    "{{.HostConfig.SecurityOpt}}"
)

LIMITS: Final = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"

NETWORK_NAMES: Final = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"

LIST_WRITABLE_FOLDERS: Final = """
for folder in / /app /service /etc /usr /var /home; do
    touch $folder/written 2>/dev/null && echo $folder
done
id -u
"""
"""Prints the folders in which a file can be created, and the id of the account."""

LIST_DATABASE_DRIVERS: Final = """
import importlib.util
names = ("psycopg", "sqlalchemy", "sqlmodel", "alembic")
print([name for name in names if importlib.util.find_spec(name)])
"""

LIST_BUILD_TOOLS: Final = """
for tool in cc gcc g++ clang make ld cargo hatchling; do command -v $tool; done
true
"""

LIST_APP_AND_NODE: Final = """
for path in /web/index.html /web/sw.js /web/assets; do test -e $path && echo $path; done
command -v node npm npx
true
"""

SECRET_ENDINGS: Final = ("_SECRET", "_PASSWORD", "_PRIVATE_KEY")

HEALTH_CHECKS_SECONDS: Final = 11
"""Two rounds of the health checks, which are 5 s apart."""

OWN_SECRETS: Final = {
    "auth-gateway": {"BETTER_AUTH_SECRET", "PASSPORT_PRIVATE_KEY"},
    "better-auth": {"BETTER_AUTH_SECRET", "BETTER_AUTH_DATABASE_PASSWORD"},
    "tasks": {"TASKS_DATABASE_PASSWORD"},
    "users": {"USERS_DATABASE_PASSWORD"},
}


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_container_can_write_nothing_but_its_data(
    compose_project: ComposeProject, container: str
) -> None:
    output = await compose_project.compose(
        "exec", "-T", container, "sh", "-c", LIST_WRITABLE_FOLDERS
    )
    privileges = await compose_project.inspect(container, PRIVILEGES)

    [account_id] = output.split()
    assert int(account_id) > 0
    assert privileges == "true [ALL] [] [no-new-privileges:true]"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_container_has_limits_and_is_restarted(
    compose_project: ComposeProject, container: str
) -> None:
    limits = await compose_project.inspect(container, LIMITS)
    restart_policy = await compose_project.inspect(container, "{{.HostConfig.RestartPolicy.Name}}")
    health = await compose_project.inspect(container, "{{.State.Health.Status}}")

    for limit in limits.split():
        assert int(limit) > 0
    assert restart_policy == "unless-stopped"
    assert health == "healthy"


async def test_only_the_edge_can_be_reached_from_outside(compose_project: ComposeProject) -> None:
    published_ports: dict[str, str] = {}
    outside_containers: set[str] = set()
    for container in CONTAINERS:
        ports = await compose_project.inspect(container, "{{.HostConfig.PortBindings}}")
        if ports != "map[]":
            published_ports[container] = ports
        networks = await compose_project.inspect(container, NETWORK_NAMES)
        if "_outside" in networks:
            outside_containers.add(container)

    port = compose_project.environment["PORT"]
    assert published_ports == {"traefik": f"map[8080/tcp:[{{127.0.0.1 {port}}}]]"}
    assert outside_containers == {"traefik"}


@pytest.mark.parametrize("container", sorted(set(CONTAINERS) - {"traefik"}))
async def test_only_the_edge_can_reach_other_networks(
    compose_project: ComposeProject, container: str
) -> None:
    output = await compose_project.inspect(container, NETWORK_NAMES)

    [network] = output.split()
    is_internal = await compose_project.run(
        "docker", "network", "inspect", "-f", "{{.Internal}}", network
    )
    assert is_internal == "true\n"


async def test_the_gateway_has_no_database_driver(compose_project: ComposeProject) -> None:
    command = ("python", "-c", LIST_DATABASE_DRIVERS)
    gateway_drivers = await compose_project.compose("exec", "-T", "auth-gateway", *command)
    tasks_drivers = await compose_project.compose("exec", "-T", "tasks", *command)

    assert gateway_drivers == "[]\n"
    assert tasks_drivers == "['psycopg', 'sqlalchemy', 'sqlmodel', 'alembic']\n"


@pytest.mark.parametrize("service", SERVICES)
async def test_an_image_contains_no_build_tools(
    compose_project: ComposeProject, service: str
) -> None:
    output = await compose_project.compose("exec", "-T", service, "sh", "-c", LIST_BUILD_TOOLS)

    assert output == ""


async def test_only_the_image_of_the_gateway_contains_the_app_and_none_of_ours_has_node(
    compose_project: ComposeProject,
) -> None:
    contents: dict[str, list[str]] = {}
    for service in ("auth-gateway", "tasks", "users"):
        output = await compose_project.compose("exec", "-T", service, "sh", "-c", LIST_APP_AND_NODE)
        contents[service] = output.split()

    assert contents == {
        "auth-gateway": ["/web/index.html", "/web/sw.js", "/web/assets"],
        "tasks": [],
        "users": [],
    }


async def test_the_app_is_shown_at_the_url_of_the_platform(compose_project: ComposeProject) -> None:
    async with httpx.AsyncClient(base_url=compose_project.url) as client:
        page = await client.get("/")
        [script] = re.findall(r'<script type="module" crossorigin src="(/assets/.+?)"', page.text)
        response = await client.get(script)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-cache"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["content-encoding"] == "gzip"
    assert "immutable" in response.headers["cache-control"]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_container_has_only_its_own_secrets(
    compose_project: ComposeProject, service: str
) -> None:
    environment = await compose_project.compose("exec", "-T", service, "env")

    secrets = {
        name: value
        for name, value in compose_project.settings.items()
        if name.endswith(SECRET_ENDINGS)
    }
    contained = {name for name, value in secrets.items() if value in environment}
    assert contained == OWN_SECRETS[service]


@pytest.mark.parametrize("service", ["auth-gateway", "tasks", "users"])
async def test_metrics_can_be_read_inside_the_network(
    compose_project: ComposeProject, service: str
) -> None:
    url = f"http://{service}:9100/metrics"
    program = f"from urllib.request import urlopen; print(urlopen('{url}').read().decode())"

    metrics = await compose_project.compose("exec", "-T", "users", "python", "-c", program)

    assert "http_request_duration_seconds_count" in metrics


ROLES: Final = ("tasks", "users", "better_auth")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("database", [*ROLES, "postgres", "template1"])
async def test_a_role_can_connect_only_to_its_own_database(
    compose_project: ComposeProject, role: str, database: str
) -> None:
    password = compose_project.settings[f"{role.upper()}_DATABASE_PASSWORD"]
    url = f"postgresql://{role}:{password}@127.0.0.1/{database}"
    command = ("psql", "--no-psqlrc", "--tuples-only", url, "-c", "SELECT 'connected'")

    if role == database:
        output = await compose_project.compose("exec", "-T", "postgres", *command)
        assert output.strip() == "connected"
    else:
        with pytest.raises(RuntimeError, match=f'permission denied for database "{database}"'):
            await compose_project.compose("exec", "-T", "postgres", *command)


async def test_health_checks_reach_no_database(compose_project: ComposeProject) -> None:
    await compose_project.psql(stdin=";".join(LOG_EVERYTHING))
    await asyncio.sleep(HEALTH_CHECKS_SECONDS)
    await compose_project.psql("--dbname=tasks", "--command=SELECT 'the end'")
    await compose_project.psql(stdin=";".join(LOG_AS_BEFORE))

    log = await compose_project.compose("logs", "--no-log-prefix", "postgres")
    lines = [line for line in log.splitlines() if "client backend of " in line]
    of_services = [line for line in lines if "backend of tasks" in line or "of users" in line]
    assert len(of_services) == 2
    assert "the end" in of_services[-1]
