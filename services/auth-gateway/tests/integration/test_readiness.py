"""What an operator sees of the gateway and of what stands behind it."""

import asyncio
import json
from pathlib import Path

import pytest

from devkit.platform.processes import ProcessGroup
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

from ..support.gateway_process import RunningGateway


async def slow(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
    """Answer later than anybody waits."""
    await asyncio.sleep(3)
    writer.close()


SICK: dict[str, Behaviour] = {
    "not ready": respond_with(json_response(status="503 Service Unavailable")),
    "somewhere else": respond_with(
        json_response(status="302 Found", headers="Location: /healthz\r\n")
    ),
    "hanging up": close_without_response,
    "talking nonsense": respond_with(b"nonsense\r\n\r\n"),
    "slow": slow,
}


async def test_the_gateway_is_ready_with_what_stands_behind_it(gateway: RunningGateway) -> None:
    answer = await send_request(gateway.port, build_request("GET", "/readyz"))

    assert (answer.status, json.loads(answer.body)) == (200, {"tasks": "ok", "users": "ok"})


@pytest.mark.parametrize("how", SICK)
async def test_a_sick_service_makes_the_platform_not_ready(
    gateway: RunningGateway, how: str
) -> None:
    gateway.tasks.behaviour = SICK[how]

    answer = await send_request(gateway.port, build_request("GET", "/readyz"))

    assert (answer.status, answer.code) == (503, "not-ready")
    assert "tasks" in str(json.loads(answer.body)["detail"])
    assert "users" not in str(json.loads(answer.body)["detail"])
    assert (await send_request(gateway.port, build_request("GET", "/healthz"))).status == 200


async def test_a_service_that_is_away_makes_the_platform_not_ready(gateway: RunningGateway) -> None:
    await gateway.users.stop()
    away = await send_request(gateway.port, build_request("GET", "/readyz"))
    await gateway.users.start()
    back = await send_request(gateway.port, build_request("GET", "/readyz"))

    assert (away.status, back.status) == (503, 200)


async def test_keys_that_cannot_be_had_are_named_with_the_reason_and_no_address(
    environment: dict[str, str],
    upstreams: tuple[StubServer, StubServer],
    service: StubServer,
    tmp_path: Path,
) -> None:
    tasks, users = upstreams
    tasks.reset()
    users.reset()
    service.behaviour = respond_with(
        json_response(status="302 Found", headers="Location: /login?token=hunter2\r\n")
    )
    await service.start()
    keys = {
        "BETTER_AUTH_URL": "https://auth.example.com",
        "BETTER_AUTH_JWKS_URL": f"http://127.0.0.1:{service.port}/jwks",
    }
    (port,) = free_ports(1)

    async with ProcessGroup(tmp_path) as group, asyncio.timeout(30):
        started = start_service(group, "gateway", environment | keys, port)
        log = ""
        for _ in range(200):
            log = started.process.log.read_text()
            if "cannot be fetched" in log:
                break
            await asyncio.sleep(0.1)
        answer = await send_request(port, build_request("GET", "/readyz"))

    detail = json.loads(answer.body)["detail"]
    assert (answer.status, answer.code) == (503, "not-ready")
    assert detail.startswith("Not ready: keys (the key server answers 302, a redirect")
    assert "BETTER_AUTH_JWKS_URL" in detail
    assert str(service.port) not in detail
    assert f"http://127.0.0.1:{service.port}/jwks answers 302, a redirect" in log
    assert "hunter2" not in log + detail


async def test_the_version_is_the_gateways_own(gateway: RunningGateway) -> None:
    answer = await send_request(gateway.port, build_request("GET", "/version"))

    assert json.loads(answer.body)["name"] == "auth-gateway"
