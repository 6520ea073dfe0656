"""Services, migrations and the Better Auth server reach a database by TLS, and check its name."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import httpx
import pytest

from devkit.platform.databases import database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports, start_service
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from e2e.support.better_auth import start_better_auth
from e2e.support.tls_postgres import HOST, TLSPostgres, run_tls_postgres

TLS_HANDSHAKE: Final = 0x16
"""First byte of a TLS record with a ClientHello. Source: RFC 8446, 5.1."""

LOG_SECONDS: Final = 20


@pytest.fixture(scope="module")
async def tls_postgres(group: ProcessGroup) -> AsyncGenerator[TLSPostgres]:
    async with run_tls_postgres(group) as postgres:
        for name in ("tasks", "users", "better_auth"):
            await postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{postgres.password}'")
            await postgres.execute(f"CREATE DATABASE {name} OWNER {name}")
        yield postgres


@pytest.fixture
async def proxy(tls_postgres: TLSPostgres) -> AsyncGenerator[FaultProxy]:
    """Run a proxy, which sees how clients begin TLS."""
    url = f"host=127.0.0.1 port={tls_postgres.port} dbname=tasks user=tasks"
    async with run_fault_proxy(url) as proxy:
        yield proxy


def right_url(postgres: TLSPostgres, port: int, name: str) -> str:
    """Return a URL as `docs/operating.md` shows it for Neon."""
    return (
        f"postgresql://{name}:{postgres.password}@{HOST}:{port}/{name}"
        f"?sslmode=verify-full&channel_binding=require&sslrootcert={postgres.authority}"
    )


def of_a_foreign_authority(postgres: TLSPostgres, url: str) -> str:
    return url.replace(str(postgres.authority), str(postgres.foreign_authority))


def of_another_name(_: TLSPostgres, url: str) -> str:
    return url.replace(f"@{HOST}:", "@127.0.0.1:")


def without_authorities(_: TLSPostgres, url: str) -> str:
    return re.sub(r"&sslrootcert=.*", "", url)


def without_tls(_: TLSPostgres, url: str) -> str:
    return re.sub(r"\?.*", "?sslmode=disable", url)


Change = Callable[[TLSPostgres, str], str]

REFUSED: Final[list[tuple[Change, str]]] = [
    (of_a_foreign_authority, "Its certificate is signed by none that sslrootcert names"),
    (of_another_name, "Its certificate is for another host than that of the URL"),
    (without_authorities, "sslrootcert is missing, or names no file that can be read"),
    (without_tls, "It admits nobody without TLS: set sslmode=verify-full"),
]


@asynccontextmanager
async def running_service(group: ProcessGroup, name: str, url: str) -> AsyncGenerator[Service]:
    environment = database_environment({name: url}, minimal_environment())
    environment["PASSPORT_PUBLIC_KEYS"] = derive_passport_keys(generate_private_key()).public
    environment["USERS_URL"] = "http://127.0.0.1:1"
    environment["TASKS_URL"] = "http://127.0.0.1:1"
    [port] = free_ports(1)
    service = start_service(group, name, environment, port)
    yield service
    await service.process.stop()


async def migrate(group: ProcessGroup, name: str, url: str) -> None:
    environment = database_environment({name: url}, minimal_environment())
    await run_alembic(group, name, environment, "upgrade", "head")


@pytest.mark.parametrize("name", ["tasks", "users"])
async def test_migrations_and_services_check_the_server_and_send_its_name(
    group: ProcessGroup, tls_postgres: TLSPostgres, proxy: FaultProxy, name: str
) -> None:
    hellos: list[bytes] = []
    proxy.on_request = lambda chunk: hellos.append(chunk) if chunk[0] == TLS_HANDSHAKE else None
    url = right_url(tls_postgres, proxy.port, name)

    await migrate(group, name, url)
    async with running_service(group, name, url) as service:
        await service.wait_until_ready()

    assert len(hellos) >= 2
    for hello in hellos:
        assert HOST.encode() in hello


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
async def test_a_server_that_cannot_be_trusted_is_named_in_one_sentence(
    group: ProcessGroup, tls_postgres: TLSPostgres, change: Change, sentence: str
) -> None:
    url = change(tls_postgres, right_url(tls_postgres, tls_postgres.port, "users"))

    async with running_service(group, "users", url) as service:

        async def is_logged() -> bool:
            return f"The database of users: {sentence}: " in service.process.log.read_text()

        await service.process.wait_until(is_logged, seconds=LOG_SECONDS)
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as client:
            response = await client.get(f"{service.url}/readyz")
    with pytest.raises(CannotRunError, match=f"The database of users: {sentence}: ") as failure:
        await migrate(group, "users", url)

    assert response.status_code == 503
    assert response.json()["detail"] == f"Not ready: database ({sentence})."
    assert "Traceback" not in str(failure.value)
    assert tls_postgres.password not in str(failure.value)


async def test_the_better_auth_server_checks_the_server_and_sends_its_name(
    group: ProcessGroup, tls_postgres: TLSPostgres, proxy: FaultProxy
) -> None:
    hellos: list[bytes] = []
    proxy.on_request = lambda chunk: hellos.append(chunk) if chunk[0] == TLS_HANDSHAKE else None
    url = right_url(tls_postgres, proxy.port, "better_auth")

    async with AsyncExitStack() as stack:
        server = await start_better_auth(group, stack, DATABASE_URL=url)
        user = await server.sign_up()
        await server.process.stop()
        foreign_url = of_a_foreign_authority(tls_postgres, url)
        with pytest.raises(CannotRunError, match=r"The server cannot start: .*certificate"):
            await start_better_auth(group, stack, DATABASE_URL=foreign_url)

    assert user.user_id
    assert hellos
    for hello in hellos:
        assert HOST.encode() in hello


async def test_a_wrong_password_is_named(group: ProcessGroup, tls_postgres: TLSPostgres) -> None:
    url = right_url(tls_postgres, tls_postgres.port, "users")
    wrong_url = url.replace(tls_postgres.password, "wrong")

    with pytest.raises(CannotRunError, match="It does not accept the role or the password"):
        await migrate(group, "users", wrong_url)
