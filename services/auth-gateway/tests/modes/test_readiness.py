"""What an operator sees of the gateway and of what stands behind it."""

import asyncio
import json

import pytest

from devkit.conversation import ask, request
from devkit.upstream import Behaviour, Received, answering, document, hang_up

from .stage import Gateway


async def slow(_: Received, writer: asyncio.StreamWriter) -> None:
    """Answer later than anybody waits."""
    await asyncio.sleep(3)
    writer.close()


SICK: dict[str, Behaviour] = {
    "not ready": answering(document(status="503 Service Unavailable")),
    "somewhere else": answering(document(status="302 Found", headers="Location: /healthz\r\n")),
    "hanging up": hang_up,
    "talking nonsense": answering(b"nonsense\r\n\r\n"),
    "slow": slow,
}


async def test_the_gateway_is_ready_with_what_stands_behind_it(gateway: Gateway) -> None:
    answer = await ask(gateway.port, request("GET", "/readyz"))

    assert (answer.status, json.loads(answer.body)) == (200, {"tasks": "ok", "users": "ok"})


@pytest.mark.parametrize("how", SICK)
async def test_a_sick_service_makes_the_platform_not_ready(gateway: Gateway, how: str) -> None:
    gateway.tasks.behaviour = SICK[how]

    answer = await ask(gateway.port, request("GET", "/readyz"))

    assert (answer.status, answer.code) == (503, "not-ready")
    assert "tasks" in str(json.loads(answer.body)["detail"])
    assert "users" not in str(json.loads(answer.body)["detail"])
    assert (await ask(gateway.port, request("GET", "/healthz"))).status == 200


async def test_a_service_that_is_away_makes_the_platform_not_ready(gateway: Gateway) -> None:
    await gateway.users.stop()
    away = await ask(gateway.port, request("GET", "/readyz"))
    await gateway.users.start()
    back = await ask(gateway.port, request("GET", "/readyz"))

    assert (away.status, back.status) == (503, 200)


async def test_the_version_is_the_gateways_own(gateway: Gateway) -> None:
    answer = await ask(gateway.port, request("GET", "/version"))

    assert json.loads(answer.body)["name"] == "auth-gateway"
