"""Services that are unreachable, slow, or send invalid responses."""

import asyncio

import pytest
from starlette.types import Message

from auth_gateway.proxy import forward as forward_module
from auth_gateway.proxy import upstream
from auth_gateway.proxy.forward import UpstreamRequest, forward
from auth_gateway.proxy.upstream import client_session
from common.problems import BadGateway, GatewayTimeout
from devkit.testing.stub_server import (
    ReceivedRequest,
    StubServer,
    close_without_response,
    json_response,
    never_respond,
    respond_with,
)

from ..support.gateway_process import RunningGateway

INVALID_RESPONSES = {
    "no HTTP": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "another version": b"HTTP/3.7 200 OK\r\n\r\n",
    "an invalid status": b"HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "an unexpected upgrade": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
    ),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a control character": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: a\x01b\r\n\r\n{}",
    "huge headers": b"HTTP/1.1 200 OK\r\nX-Own: " + b"a" * 70_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X-Own: a\r\n" * 10_000 + b"\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
}


async def forward_to(
    service: StubServer,
    messages: list[Message] | None = None,
    *,
    body: bytes = b"",
    response_timeout_seconds: float = 5,
) -> list[Message]:
    """Forward a request whose client sends part of a body of 100 bytes, and then waits.

    Returns:
        The messages that were sent to the client, also added to `messages`.
    """
    if messages is None:
        messages = []
    body_message: Message = {
        "type": "http.request",
        "body": body,
        "more_body": 0 < len(body) < 100,
    }
    unread = [body_message]

    async def receive() -> Message:
        if not unread:
            await asyncio.Event().wait()
        return unread.pop()

    async def send(message: Message) -> None:
        messages.append(message)

    request = UpstreamRequest(
        method="POST",
        url=f"http://127.0.0.1:{service.port}/",
        headers=[("Content-Length", "100")] if body else [],
        has_body=bool(body),
        response_timeout_seconds=response_timeout_seconds,
    )
    async with client_session() as session:
        await forward(session, request, receive, send)
    return messages


@pytest.mark.parametrize("name", INVALID_RESPONSES)
async def test_an_invalid_response_is_502(gateway: RunningGateway, token: str, name: str) -> None:
    async def send_invalid_response(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await respond_with(INVALID_RESPONSES[name])(request, writer)
        writer.close()

    gateway.tasks.behaviour = send_invalid_response

    response = await gateway.request("GET", "/tasks", token)

    assert (response.status, response.code) == (502, "bad-gateway")
    gateway.tasks.behaviour = respond_with(json_response())
    assert (await gateway.request("GET", "/tasks", token)).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_that_was_sent_is_not_retried(
    gateway: RunningGateway, token: str, method: str
) -> None:
    gateway.tasks.behaviour = close_without_response

    response = await gateway.request(method, "/tasks", token)

    assert (response.status, response.code) == (502, "bad-gateway")
    assert len(gateway.tasks.requests) == 1


async def test_a_connection_that_was_closed_while_idle_is_not_used(
    gateway: RunningGateway, token: str
) -> None:
    async def respond_and_close(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await respond_with(json_response())(request, writer)
        writer.close()

    gateway.tasks.behaviour = respond_and_close

    for _ in range(5):
        assert (await gateway.request("POST", "/tasks", token)).status == 200


async def test_an_unreachable_service_is_502_until_it_is_back(
    gateway: RunningGateway, token: str
) -> None:
    await gateway.users.stop()
    unreachable = await gateway.request("GET", "/users/me", token)
    await gateway.users.start()
    back = await gateway.request("GET", "/users/me", token)

    assert (unreachable.status, unreachable.code) == (502, "bad-gateway")
    assert back.status == 200
    assert unreachable.header_values("x-request-id")


async def test_a_connection_that_is_refused_is_retried(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "RETRY_DELAY_SECONDS", 2)
    forwarding = asyncio.create_task(forward_to(service))
    await asyncio.sleep(0.1)
    await service.start()

    assert (await forwarding)[0]["status"] == 200


async def test_a_connection_is_retried_only_once(service: StubServer) -> None:
    with pytest.raises(BadGateway):
        await forward_to(service)


async def test_a_service_that_does_not_respond_in_time_is_504(service: StubServer) -> None:
    service.behaviour = never_respond
    await service.start()

    with pytest.raises(GatewayTimeout):
        await forward_to(service, response_timeout_seconds=0.1)
    await service.connection_closed.wait()


async def test_a_response_that_stops_halfway_is_never_completed(service: StubServer) -> None:
    async def stop_halfway(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1, ")
        await never_respond(request, writer)

    service.behaviour = stop_halfway
    await service.start()
    messages: list[Message] = []

    with pytest.raises(GatewayTimeout):
        await forward_to(service, messages, response_timeout_seconds=0.1)
    assert [message.get("more_body") for message in messages] == [None, True]


async def test_an_upload_that_stalls_is_ended(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward_module, "REQUEST_TIMEOUT_SECONDS", 0.1)
    await service.start()

    with pytest.raises(GatewayTimeout):
        await forward_to(service, body=b"half")
    await service.connection_closed.wait()


async def test_the_response_timeout_begins_after_the_whole_request_is_sent(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def think(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await request.body()
        await asyncio.sleep(0.5)
        writer.write(json_response())

    monkeypatch.setattr(forward_module, "REQUEST_TIMEOUT_SECONDS", 0.3)
    service.behaviour = think
    await service.start()

    assert (await forward_to(service, body=b"a" * 100))[0]["status"] == 200


async def test_a_response_may_take_longer_than_a_request(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pause(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[")
        await asyncio.sleep(0.5)
        writer.write(b"]")

    monkeypatch.setattr(forward_module, "REQUEST_TIMEOUT_SECONDS", 0.3)
    service.behaviour = pause
    await service.start()

    assert (await forward_to(service))[-1] == {"type": "http.response.body", "body": b""}
