"""What each container may do, and what is in it."""

from typing import Final

import pytest

from e2e.support.compose_project import SERVICES, Composition

EVERYTHING: Final = (*SERVICES, "postgres", "traefik")

CONFINED: Final = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}}"

LIMITED: Final = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"

WRITE_SOMEWHERE: Final = "for each in / /app /service /etc /usr /var /home; do touch $each/written 2>/dev/null && echo $each; done; id -u"

DRIVERS: Final = "import importlib.util as i; print([n for n in ('psycopg', 'sqlalchemy', 'sqlmodel', 'alembic') if i.find_spec(n)])"

BUILD_TOOLS: Final = (
    "for each in cc gcc g++ clang make ld cargo hatchling; do command -v $each; done; true"
)


@pytest.mark.parametrize("service", EVERYTHING)
async def test_a_container_can_change_nothing_but_its_data(
    composed_platform: Composition, service: str
) -> None:
    written, *user = (
        await composed_platform.compose("exec", "-T", service, "sh", "-c", WRITE_SOMEWHERE)
    ).split()

    assert (
        await composed_platform.inspect(service, CONFINED)
        == "true [ALL] [] [no-new-privileges:true]"
    )
    assert user == []
    assert int(written) > 0


@pytest.mark.parametrize("service", EVERYTHING)
async def test_a_container_has_limits_and_comes_back(
    composed_platform: Composition, service: str
) -> None:
    limits = (await composed_platform.inspect(service, LIMITED)).split()

    assert all(int(limit) > 0 for limit in limits)
    assert (
        await composed_platform.inspect(service, "{{.HostConfig.RestartPolicy.Name}}")
        == "unless-stopped"
    )
    assert await composed_platform.inspect(service, "{{.State.Health.Status}}") == "healthy"


async def test_only_the_edge_can_be_reached_from_outside(composed_platform: Composition) -> None:
    published = {
        service: await composed_platform.inspect(service, "{{.HostConfig.PortBindings}}")
        for service in EVERYTHING
    }
    networks = {
        service: await composed_platform.inspect(
            service, "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
        )
        for service in EVERYTHING
    }

    port = composed_platform.environment["PORT"]
    assert {service: ports for service, ports in published.items() if ports != "map[]"} == {
        "traefik": f"map[8080/tcp:[{{127.0.0.1 {port}}}]]"
    }
    assert {service for service, names in networks.items() if "_outside" in names} == {"traefik"}


@pytest.mark.parametrize("service", sorted({*EVERYTHING} - {"traefik"}))
async def test_nothing_but_the_edge_can_reach_other_networks(
    composed_platform: Composition, service: str
) -> None:
    names = (
        await composed_platform.inspect(
            service, "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
        )
    ).split()

    assert [
        await composed_platform.run("docker", "network", "inspect", "-f", "{{.Internal}}", name)
        for name in names
    ] == ["true\n"]


async def test_the_gateway_has_no_way_to_speak_to_a_database(
    composed_platform: Composition,
) -> None:
    found = {
        service: await composed_platform.compose("exec", "-T", service, "python", "-c", DRIVERS)
        for service in ("auth-gateway", "tasks")
    }

    assert found == {
        "auth-gateway": "[]\n",
        "tasks": "['psycopg', 'sqlalchemy', 'sqlmodel', 'alembic']\n",
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_an_image_holds_no_build_tools(composed_platform: Composition, service: str) -> None:
    assert await composed_platform.compose("exec", "-T", service, "sh", "-c", BUILD_TOOLS) == ""


@pytest.mark.parametrize("service", SERVICES)
async def test_a_container_knows_only_its_own_secrets(
    composed_platform: Composition, service: str
) -> None:
    known = await composed_platform.compose("exec", "-T", service, "env")
    secrets = {
        name: value
        for name, value in composed_platform.settings.items()
        if name != "PASSPORT_PUBLIC_KEYS"
    }
    its_own = {
        "auth-gateway": {"BETTER_AUTH_SECRET", "PASSPORT_PRIVATE_KEY"},
        "better-auth": {"BETTER_AUTH_SECRET", "BETTER_AUTH_DATABASE_PASSWORD"},
        "tasks": {"TASKS_DATABASE_PASSWORD"},
        "users": {"USERS_DATABASE_PASSWORD"},
    }

    assert {name for name, value in secrets.items() if value in known} == its_own[service]


@pytest.mark.parametrize("service", ["auth-gateway", "tasks", "users"])
async def test_metrics_are_shown_to_whoever_is_inside(
    composed_platform: Composition, service: str
) -> None:
    ask = f"from urllib.request import urlopen; print(urlopen('http://{service}:9100/metrics').read().decode())"

    assert "http_request_duration_seconds_count" in await composed_platform.compose(
        "exec", "-T", "users", "python", "-c", ask
    )


ROLES: Final = ("tasks", "users", "better_auth")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("database", [*ROLES, "postgres", "template1"])
async def test_a_role_sees_its_own_database_and_no_other(
    composed_platform: Composition, role: str, database: str
) -> None:
    password = composed_platform.settings[f"{role.upper()}_DATABASE_PASSWORD"]
    address = f"postgresql://{role}:{password}@127.0.0.1/{database}"
    asked = (
        "exec",
        "-T",
        "postgres",
        "psql",
        "--no-psqlrc",
        "--tuples-only",
        address,
        "-c",
        "SELECT 'seen'",
    )

    if role == database:
        assert (await composed_platform.compose(*asked)).strip() == "seen"
    else:
        with pytest.raises(RuntimeError, match=f'permission denied for database "{database}"'):
            await composed_platform.compose(*asked)
