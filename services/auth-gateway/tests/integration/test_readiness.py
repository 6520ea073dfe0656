"""Readiness of the gateway, its services and the key server."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import free_ports, start_service
from devkit.testing.raw_http import build_request, send_request
from devkit.testing.stub_server import (
    Behaviour,
    ReceivedRequest,
    StubServer,
    close_without_response,
    json_response,
    respond_with,
)

from ..support.gateway_process import RunningGateway, Upstreams
from ..support.token_factory import EDDSA, key_set


async def slow(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
    """Respond after the timeout of the readiness check."""
    await asyncio.sleep(3)
    writer.close()


UNHEALTHY: dict[str, Behaviour] = {
    "not ready": respond_with(json_response(status="503 Service Unavailable")),
    "a redirect": respond_with(json_response(status="302 Found", headers="Location: /healthz\r\n")),
    "closing the connection": close_without_response,
    "no HTTP": respond_with(b"nonsense\r\n\r\n"),
    "slow": slow,
}


async def test_the_gateway_is_ready_with_its_services(gateway: RunningGateway) -> None:
    response = await gateway.request("GET", "/readyz")

    assert (response.status, json.loads(response.body)) == (200, {"tasks": "ok", "users": "ok"})


@pytest.mark.parametrize("name", UNHEALTHY)
async def test_an_unhealthy_service_makes_the_gateway_not_ready(
    gateway: RunningGateway, name: str
) -> None:
    gateway.tasks.behaviour = UNHEALTHY[name]

    response = await gateway.request("GET", "/readyz")

    assert (response.status, response.code) == (503, "not-ready")
    assert "tasks" in str(json.loads(response.body)["detail"])
    assert "users" not in str(json.loads(response.body)["detail"])
    assert (await gateway.request("GET", "/healthz")).status == 200


async def test_an_unreachable_service_makes_the_gateway_not_ready(gateway: RunningGateway) -> None:
    await gateway.users.stop()
    unreachable = await gateway.request("GET", "/readyz")
    await gateway.users.start()
    back = await gateway.request("GET", "/readyz")

    assert (unreachable.status, back.status) == (503, 200)


@asynccontextmanager
async def gateway_with_keys_at(
    service: StubServer, environment: dict[str, str], logs: Path
) -> AsyncGenerator[tuple[int, Process]]:
    """Run a gateway that fetches its keys from a stub; yield its port as soon as it listens."""
    keys = {
        "BETTER_AUTH_URL": "https://auth.example.com",
        "BETTER_AUTH_JWKS_URL": f"http://127.0.0.1:{service.port}/jwks",
    }
    (port,) = free_ports(1)

    async def listens() -> bool:
        try:
            await send_request(port, build_request("GET", "/version"))
        except ConnectionRefusedError:
            return False
        return True

    async with ProcessGroup(logs) as group, asyncio.timeout(30):
        started = start_service(group, "gateway", environment | keys, port)
        await started.process.wait_until(listens)
        yield port, started.process


async def test_keys_that_cannot_be_fetched_have_a_reason_without_a_url(
    environment: dict[str, str],
    upstreams: Upstreams,
    service: StubServer,
    tmp_path: Path,
) -> None:
    tasks, users, _ = upstreams
    tasks.reset()
    users.reset()
    service.behaviour = respond_with(
        json_response(status="302 Found", headers="Location: /login?token=hunter2\r\n")
    )
    await service.start()

    async with gateway_with_keys_at(service, environment, tmp_path) as (port, process):

        async def logs_the_reason() -> bool:
            return "cannot be fetched" in process.log.read_text()

        await process.wait_until(logs_the_reason)
        response = await send_request(port, build_request("GET", "/readyz"))
        log = process.log.read_text()

    detail = json.loads(response.body)["detail"]
    assert (response.status, response.code) == (503, "not-ready")
    assert detail.startswith("Not ready: keys (the key server answers 302, a redirect")
    assert "BETTER_AUTH_JWKS_URL" in detail
    assert str(service.port) not in detail
    assert f"http://127.0.0.1:{service.port}/jwks answers 302, a redirect" in log
    assert "hunter2" not in log + detail


async def test_a_gateway_is_healthy_once_it_has_keys(
    environment: dict[str, str], service: StubServer, tmp_path: Path
) -> None:
    """Until then, a rollout keeps the gateway that it replaces."""
    service.behaviour = respond_with(json_response(key_set(EDDSA.jwk())))

    async with gateway_with_keys_at(service, environment, tmp_path) as (port, process):
        starting = await send_request(port, build_request("GET", "/healthz"))
        await service.start()

        async def is_healthy() -> bool:
            response = await send_request(port, build_request("GET", "/healthz"))
            return response.status == 200

        await process.wait_until(is_healthy, seconds=5)

    assert (starting.status, starting.code) == (503, "not-ready")
    assert len(service.requests) == 1


async def test_the_version_is_that_of_the_gateway(gateway: RunningGateway) -> None:
    response = await gateway.request("GET", "/version")

    assert json.loads(response.body)["name"] == "auth-gateway"
