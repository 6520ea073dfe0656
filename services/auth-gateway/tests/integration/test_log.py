"""What the gateway writes down."""

import asyncio
import json
from typing import cast
from uuid import uuid4

from common.logging import pseudonym
from devkit.platform.tokens import mint_token
from devkit.testing.raw_http import build_request, send_request
from devkit.testing.stub_server import close_without_response, never_respond

from ..support.gateway_process import SUBJECT, RunningGateway

Line = dict[str, object]


async def lines(gateway: RunningGateway, request_id: str) -> list[Line]:
    """Return what was written about a request; the last line may come a moment after the answer."""
    found: list[Line] = []
    async with asyncio.timeout(5):
        while not found or found[-1]["message"] != "request":
            await asyncio.sleep(0.01)
            written = [
                cast("Line", json.loads(line))
                for line in gateway.log.read_text().rpartition("\n")[0].splitlines()
            ]
            found = [line for line in written if line.get("request_id") == request_id]
    return found


async def test_a_request_that_was_handed_on_is_one_line(
    gateway: RunningGateway, token: str
) -> None:
    await send_request(
        gateway.port,
        build_request("PUT", "/tasks/7?q=secret", token, headers="X-Request-ID: handed-on\r\n"),
    )

    (line,) = await lines(gateway, "handed-on")
    assert (line["method"], line["route"], line["status"]) == ("PUT", "/tasks", 200)
    assert line["user"] == pseudonym(SUBJECT)


async def test_a_decision_is_one_line_with_the_address_of_decisions(
    forward_auth_gateway: RunningGateway, better_auth_secret: str
) -> None:
    unknown = mint_token(better_auth_secret, str(uuid4()))

    await send_request(
        forward_auth_gateway.port,
        build_request("GET", "/decide", unknown, headers="X-Request-ID: decision-1\r\n"),
    )

    (line,) = await lines(forward_auth_gateway, "decision-1")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/decide", 200)


async def test_a_refusal_names_its_reason(gateway: RunningGateway) -> None:
    await send_request(
        gateway.port,
        build_request("GET", "/tasks", "no.token.atall", headers="X-Request-ID: refused-1\r\n"),
    )

    assert [line["reason"] for line in await lines(gateway, "refused-1")] == ["not-a-jwt"]


async def test_the_cause_of_a_failure_is_written_once(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = close_without_response

    await send_request(
        gateway.port, build_request("GET", "/tasks", token, headers="X-Request-ID: hung-up-1\r\n")
    )

    cause, line = await lines(gateway, "hung-up-1")
    assert "ResponseLostError" in str(cause["error"])
    assert (line["status"], line["reason"]) == (502, "bad-gateway")


async def test_a_client_who_did_not_wait_is_no_failure(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = never_respond
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(build_request("GET", "/tasks", token, headers="X-Request-ID: gone-away\r\n"))
    await gateway.tasks.request_received.wait()
    writer.close()

    assert [(line["status"], line["level"]) for line in await lines(gateway, "gone-away")] == [
        (499, "info")
    ]


async def test_nothing_that_a_person_wrote_or_could_log_in_with_is_written(
    gateway: RunningGateway, token: str
) -> None:
    headers = "Cookie: secret\r\nUser-Agent: secret\r\n"
    await send_request(
        gateway.port,
        build_request("POST", "/tasks?q=secret", token, headers=headers, body=b"secret"),
    )
    await send_request(gateway.port, build_request("GET", "/secret", f"{token}secret"))

    await send_request(
        gateway.port, build_request("GET", "/secret", token, headers="X-Request-ID: last-line\r\n")
    )
    await lines(gateway, "last-line")
    written = gateway.log.read_text()

    assert "secret" not in written
    assert token not in written
