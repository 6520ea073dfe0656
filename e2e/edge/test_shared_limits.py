"""Rate limits that all edges count together in Redis, and what happens when it is away."""

import asyncio
import math
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.tokens import mint_token
from devkit.testing.fault_proxy import run_fault_proxy
from devkit.testing.traefik import start_traefik
from e2e.support.certificates import Certificate, create_certificate
from e2e.support.contract import assert_problem
from e2e.support.edge_testbed import Edge, EdgeTestbed
from e2e.support.entrypoint import TRAEFIK
from e2e.support.redis_server import RedisServer, start_redis

OTHER_SUBJECT = "c0ffee00-0000-4000-8000-000000000002"

REFILL_PER_SECOND = 5
BURST = 2 * REFILL_PER_SECOND
LIMIT = str(REFILL_PER_SECOND)

REQUESTS_AT_ONCE = 60

PASSWORD = "a:password/with@special%characters#"  # noqa: S105 - only of these tests
ENCODED_PASSWORD = "a%3Apassword%2Fwith%40special%25characters%23"  # noqa: S105 - as above

REFILL_SECONDS = 2.5
"""Longer than an empty budget takes until it is full."""

RETURN_SECONDS = 30
"""How long the edges may take to count in a Redis that is back; they ask it each 5 s."""

WAIT_SECONDS_MAX = 10
"""How long requests may wait for a Redis that does not answer."""

WRONG_URLS = [
    "localhost:6379",
    "http://localhost:6379",
    "redis://",
    "redis://:with@special#characters@localhost",
    "redis://localhost:6379/zero",
]


@dataclass(frozen=True)
class Outcome:
    """The responses to `REQUESTS_AT_ONCE` requests, and how long they took together."""

    responses: list[httpx.Response]
    seconds: float

    @property
    def permitted(self) -> int:
        """How many requests passed; all others were rejected in the same way as by one edge."""
        for response in self.responses:
            if response.status_code != 200:
                assert_problem(response, 429, "too-many-requests")
                assert int(response.headers["retry-after"]) >= 1
        return sum(response.status_code == 200 for response in self.responses)

    @property
    def one_budget(self) -> int:
        """How many requests one budget permits at most; it refills meanwhile."""
        return BURST + math.ceil(REFILL_PER_SECOND * self.seconds)


async def send_requests(
    edges: Sequence[Edge], tokens: Sequence[str], path: str = "/tasks"
) -> Outcome:
    """Send many requests at once, to the edges and with the tokens in turn."""
    async with httpx.AsyncClient(timeout=60) as client:
        requests = [
            client.get(
                edges[number % len(edges)].service.url + path,
                headers={"Authorization": f"Bearer {tokens[number % len(tokens)]}"},
            )
            for number in range(REQUESTS_AT_ONCE)
        ]
        began = time.monotonic()
        responses = await asyncio.gather(*requests)
        return Outcome(responses, time.monotonic() - began)


@asynccontextmanager
async def run_redis(
    folder: Path, password: str = "", certificate: Certificate | None = None
) -> AsyncGenerator[RedisServer]:
    """Run a server that ends before the edges do."""
    async with ProcessGroup(folder) as group:
        server = start_redis(group, password=password, certificate=certificate)
        await server.wait_until_ready()
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Create a certificate that no machine trusts by itself."""
    return create_certificate(tmp_path_factory.mktemp("certificate"))


async def start_edges(edge_testbed: EdgeTestbed, **environment: str) -> list[Edge]:
    """Start two edges; the first requests to them count for the IP address."""
    starts = [edge_testbed.start_edge(**environment) for _ in range(2)]
    return await asyncio.gather(*starts)


def errors_of_redis(edge: Edge) -> str:
    """Return what the log says about the shared limits."""
    errors = [error for error in edge.logged_errors() if "shared-limit" in str(error)]
    return "\n".join(str(error) for error in errors)


async def test_edges_have_one_budget_per_ip_address(
    edge_testbed: EdgeTestbed, tmp_path: Path, certificate: Certificate, token: str
) -> None:
    async with run_redis(tmp_path, PASSWORD, certificate) as redis:
        edges = await start_edges(
            edge_testbed,
            REDIS_URL=f"rediss://default:{ENCODED_PASSWORD}@127.0.0.1:{redis.port}/3",
            REDIS_CA_FILE=str(certificate.certificate_file),
            LIMIT_PER_ADDRESS=LIMIT,
        )
        await asyncio.sleep(REFILL_SECONDS)

        outcome = await send_requests(edges, [token, "nonsense"], "/healthz")

    assert 0 < outcome.permitted <= outcome.one_budget
    assert errors_of_redis(edges[0]) == ""


async def test_edges_have_one_budget_per_user(
    edge_testbed: EdgeTestbed, tmp_path: Path, token: str, better_auth_secret: str
) -> None:
    async with run_redis(tmp_path) as redis:
        url = f"redis://127.0.0.1:{redis.port}"
        edges = await start_edges(edge_testbed, REDIS_URL=url, LIMIT_PER_USER=LIMIT)
        other_token = mint_token(better_auth_secret, OTHER_SUBJECT)

        outcome = await send_requests(edges, [token])
        other_outcome = await send_requests(edges, [other_token])
        public_outcome = await send_requests(edges, [token], "/healthz")

    assert 0 < outcome.permitted <= outcome.one_budget
    assert BURST <= other_outcome.permitted <= other_outcome.one_budget
    # Traefik rejects every request if a limit in Redis is 0.
    assert public_outcome.permitted == REQUESTS_AT_ONCE


async def check_own_budgets(edges: Sequence[Edge], token: str) -> None:
    """Check that each edge has a budget of its own, and that no request fails or waits long."""
    outcome = await send_requests(edges, [token])

    assert outcome.permitted >= BURST * len(edges)
    assert outcome.permitted <= outcome.one_budget * len(edges)
    assert outcome.seconds < WAIT_SECONDS_MAX


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("no server", "connection refused"),
        ("wrong password", "WRONGPASS"),
        ("unknown authority", "certificate signed by unknown authority"),
        ("no file with the authority", "failed to parse CA"),
    ],
)
async def test_edges_that_cannot_use_redis_count_alone_and_log_why(
    edge_testbed: EdgeTestbed,
    tmp_path: Path,
    certificate: Certificate,
    token: str,
    fault: str,
    message: str,
) -> None:
    server_certificate = certificate if fault == "unknown authority" else None
    async with run_redis(tmp_path, PASSWORD, server_certificate) as redis:
        url, ca_file = {
            "no server": ("redis://127.0.0.1:1", ""),
            "wrong password": (f"redis://:incorrect@127.0.0.1:{redis.port}", ""),
            "unknown authority": (f"rediss://127.0.0.1:{redis.port}", ""),
            "no file with the authority": (f"rediss://127.0.0.1:{redis.port}", "/no/file.pem"),
        }[fault]
        edges = await start_edges(
            edge_testbed, REDIS_URL=url, REDIS_CA_FILE=ca_file, LIMIT_PER_USER=LIMIT
        )

        await check_own_budgets(edges, token)

    assert message in str(edges[0].logged_errors())
    assert "incorrect" not in edges[0].process.log.read_text()


async def test_edges_count_alone_while_redis_hangs_and_together_when_it_is_back(
    edge_testbed: EdgeTestbed, tmp_path: Path, token: str
) -> None:
    async with (
        run_redis(tmp_path) as redis,
        run_fault_proxy(f"host=127.0.0.1 port={redis.port}") as proxy,
    ):
        url = f"redis://127.0.0.1:{proxy.port}"
        edges = await start_edges(edge_testbed, REDIS_URL=url, LIMIT_PER_USER=LIMIT)
        assert (await send_requests(edges, [token])).permitted < BURST * len(edges)

        proxy.pause()
        await asyncio.sleep(REFILL_SECONDS)
        await check_own_budgets(edges, token)
        assert "i/o timeout" in errors_of_redis(edges[0])

        await proxy.stop_listening()
        await asyncio.sleep(REFILL_SECONDS)
        await check_own_budgets(edges, token)

        proxy.resume()
        await proxy.start_listening()
        deadline = time.monotonic() + RETURN_SECONDS
        outcome = await send_requests(edges, [token])
        while outcome.permitted > outcome.one_budget:
            assert time.monotonic() < deadline
            await asyncio.sleep(REFILL_SECONDS)
            outcome = await send_requests(edges, [token])


async def is_healthy(edge: Process) -> bool:
    """Return what `traefik healthcheck` says about an edge, as it is asked in containers."""
    assert TRAEFIK
    check = await asyncio.create_subprocess_exec(
        TRAEFIK,
        "healthcheck",
        "--configFile=traefik.yml",
        cwd=edge.log.with_suffix(""),
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await check.wait() == 0


@pytest.mark.parametrize("url", WRONG_URLS)
async def test_a_wrong_url_is_told_and_the_edge_is_not_healthy(
    edge_testbed: EdgeTestbed, url: str
) -> None:
    assert TRAEFIK
    edge = start_traefik(edge_testbed.group, TRAEFIK, {"REDIS_URL": url}).process

    async def has_failed() -> bool:
        return "Error while building configuration" in edge.log.read_text()

    await edge.wait_until(has_failed)
    assert "REDIS_URL must be redis://host:6379" in edge.log.read_text()
    assert "special#characters" not in edge.log.read_text()
    assert not await is_healthy(edge)
    await edge.stop()


async def test_an_edge_without_redis_is_healthy(edge: Edge) -> None:
    assert await is_healthy(edge.process)
