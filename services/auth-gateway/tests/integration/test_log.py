"""The log of the gateway."""

import asyncio
import json
from typing import cast
from uuid import uuid4

from common.logging import pseudonym
from devkit.platform.tokens import mint_token
from devkit.testing.raw_http import build_request
from devkit.testing.stub_server import close_without_response, never_respond

from ..support.gateway_process import FRONT_END, SUBJECT, RunningGateway

LogLine = dict[str, object]


def read_log(gateway: RunningGateway) -> list[LogLine]:
    """Return all lines that are complete."""
    complete, _, _ = gateway.log.read_text().rpartition("\n")
    return [cast("LogLine", json.loads(line)) for line in complete.splitlines()]


async def log_lines(gateway: RunningGateway, request_id: str) -> list[LogLine]:
    """Return the lines of one request. The last one may be written after the response is sent."""
    lines: list[LogLine] = []
    async with asyncio.timeout(5):
        while not lines or lines[-1]["message"] != "request":
            await asyncio.sleep(0.01)
            lines = [line for line in read_log(gateway) if line.get("request_id") == request_id]
    return lines


async def test_a_forwarded_request_is_one_line(gateway: RunningGateway, token: str) -> None:
    await gateway.request("PUT", "/tasks/7?q=secret", token, headers="X-Request-ID: handed-on\r\n")

    (line,) = await log_lines(gateway, "handed-on")
    assert (line["method"], line["route"], line["status"]) == ("PUT", "/tasks", 200)
    assert line["user"] == pseudonym(SUBJECT)


async def test_a_decision_is_one_line_with_its_route(
    forward_auth_gateway: RunningGateway, better_auth_secret: str
) -> None:
    new_token = mint_token(better_auth_secret, str(uuid4()))

    await forward_auth_gateway.request(
        "GET", "/decide", new_token, headers="X-Request-ID: decision-1\r\n"
    )

    (line,) = await log_lines(forward_auth_gateway, "decision-1")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/decide", 200)


async def test_a_rejected_token_has_a_reason(gateway: RunningGateway) -> None:
    await gateway.request("GET", "/tasks", "no.token.atall", headers="X-Request-ID: refused-1\r\n")

    (line,) = await log_lines(gateway, "refused-1")
    assert line["reason"] == "not-a-jwt"


async def test_the_cause_of_a_failure_is_logged_once(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = close_without_response

    await gateway.request("GET", "/tasks", token, headers="X-Request-ID: hung-up-1\r\n")

    cause, line = await log_lines(gateway, "hung-up-1")
    assert "ResponseLostError" in str(cause["error"])
    assert (line["status"], line["reason"]) == (502, "bad-gateway")


async def test_a_disconnected_client_is_no_failure(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = never_respond
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(build_request("GET", "/tasks", token, headers="X-Request-ID: gone-away\r\n"))
    await gateway.tasks.request_received.wait()
    writer.close()

    (line,) = await log_lines(gateway, "gone-away")
    assert (line["status"], line["level"]) == (499, "info")


async def test_a_refused_preflight_is_one_line_that_names_the_setting(
    gateway: RunningGateway,
) -> None:
    origins = ["http://forgotten.example:5173", FRONT_END]

    for origin in origins:
        headers = f"Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\n"
        response = await gateway.request("OPTIONS", "/tasks", headers=headers)
        assert response.status == 204

    await gateway.request("GET", "/version", headers="X-Request-ID: after-preflights\r\n")
    await log_lines(gateway, "after-preflights")
    lines = [line for line in read_log(gateway) if line.get("origin") in origins]
    assert [line["origin"] for line in lines] == ["http://forgotten.example:5173"]
    assert "CORS_ORIGINS" in str(lines[0]["message"])


async def test_the_log_has_neither_user_content_nor_credentials(
    gateway: RunningGateway, token: str
) -> None:
    headers = "Cookie: secret\r\nUser-Agent: secret\r\n"
    await gateway.request("POST", "/tasks?q=secret", token, headers=headers, body=b"secret")
    await gateway.request("GET", "/secret", f"{token}secret")

    await gateway.request("GET", "/secret", token, headers="X-Request-ID: last-line\r\n")
    await log_lines(gateway, "last-line")
    text = gateway.log.read_text()

    assert "secret" not in text
    assert token not in text
