"""Services that are away, slow, or talk nonsense."""

import asyncio

import pytest
from starlette.types import Message

from auth_gateway.proxy import forward as forward_module
from auth_gateway.proxy import upstream
from auth_gateway.proxy.forward import UpstreamRequest, forward
from auth_gateway.proxy.upstream import client_session
from common.problems import BadGateway, GatewayTimeout
from devkit.testing.raw_http import build_request, send_request
from devkit.testing.stub_server import (
    ReceivedRequest,
    StubServer,
    close_without_response,
    json_response,
    never_respond,
    respond_with,
)

from ..support.gateway_process import RunningGateway

NONSENSE = {
    "no HTTP": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "another version": b"HTTP/3.7 200 OK\r\n\r\n",
    "a status that is none": b"HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a protocol nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a control character": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: a\x01b\r\n\r\n{}",
    "huge headers": b"HTTP/1.1 200 OK\r\nX-Own: " + b"a" * 70_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X-Own: a\r\n" * 10_000 + b"\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
}


async def hand_to(
    service: StubServer,
    sent: list[Message] | None = None,
    *,
    body: bytes = b"",
    answer_seconds: float = 5,
) -> list[Message]:
    """Hand a request on for a client who sends this much of 100 bytes, and waits; return what was sent to them."""
    unread: list[Message] = [
        {"type": "http.request", "body": body, "more_body": 0 < len(body) < 100}
    ]
    sent = [] if sent is None else sent

    async def receive() -> Message:
        if not unread:
            await asyncio.Event().wait()
        return unread.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [("Content-Length", "100")] if body else []
    outgoing = UpstreamRequest(
        "POST", f"http://127.0.0.1:{service.port}/", headers, bool(body), answer_seconds
    )
    async with client_session() as session:
        await forward(session, outgoing, receive, send)
    return sent


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_no_answer(gateway: RunningGateway, token: str, name: str) -> None:
    async def talk_nonsense(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await respond_with(NONSENSE[name])(request, writer)
        writer.close()

    gateway.tasks.behaviour = talk_nonsense

    answer = await send_request(gateway.port, build_request("GET", "/tasks", token))

    assert (answer.status, answer.code) == (502, "bad-gateway")
    gateway.tasks.behaviour = respond_with(json_response())
    assert (await send_request(gateway.port, build_request("GET", "/tasks", token))).status == 200


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_that_may_have_been_carried_out_is_not_sent_again(
    gateway: RunningGateway, token: str, verb: str
) -> None:
    gateway.tasks.behaviour = close_without_response

    answer = await send_request(gateway.port, build_request(verb, "/tasks", token))

    assert (answer.status, answer.code) == (502, "bad-gateway")
    assert len(gateway.tasks.requests) == 1


async def test_a_connection_that_died_while_idle_is_not_used(
    gateway: RunningGateway, token: str
) -> None:
    async def answer_and_close(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await respond_with(json_response())(request, writer)
        writer.close()

    gateway.tasks.behaviour = answer_and_close

    assert [
        (await send_request(gateway.port, build_request("POST", "/tasks", token))).status
        for _ in range(5)
    ] == [200] * 5


async def test_a_service_that_is_away_is_502_until_it_is_back(
    gateway: RunningGateway, token: str
) -> None:
    await gateway.users.stop()
    away = await send_request(gateway.port, build_request("GET", "/users/me", token))
    await gateway.users.start()
    back = await send_request(gateway.port, build_request("GET", "/users/me", token))

    assert (away.status, away.code, back.status) == (502, "bad-gateway", 200)
    assert away.header_values("x-request-id")


async def test_a_service_that_just_starts_is_asked_a_second_time(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "RETRY_DELAY_SECONDS", 0.5)
    asking = asyncio.create_task(hand_to(service))
    await asyncio.sleep(0.1)
    await service.start()

    assert (await asking)[0]["status"] == 200


async def test_nobody_is_asked_a_third_time(service: StubServer) -> None:
    with pytest.raises(BadGateway):
        await hand_to(service)


async def test_a_service_that_does_not_answer_in_time_is_504(service: StubServer) -> None:
    service.behaviour = never_respond
    await service.start()

    with pytest.raises(GatewayTimeout):
        await hand_to(service, answer_seconds=0.1)
    await service.connection_closed.wait()


async def test_an_answer_that_stops_halfway_is_never_completed(service: StubServer) -> None:
    async def stop_halfway(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1, ")
        await never_respond(request, writer)

    service.behaviour = stop_halfway
    await service.start()
    sent: list[Message] = []

    with pytest.raises(GatewayTimeout):
        await hand_to(service, sent, answer_seconds=0.1)
    assert [message.get("more_body") for message in sent] == [None, True]


async def test_an_upload_that_gets_nowhere_ends(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward_module, "REQUEST_TIMEOUT_SECONDS", 0.1)
    await service.start()

    with pytest.raises(GatewayTimeout):
        await hand_to(service, body=b"half")
    await service.connection_closed.wait()


async def test_a_service_has_time_of_its_own_when_all_of_a_request_is_there(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def think(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await request.body()
        await asyncio.sleep(0.5)
        writer.write(json_response())

    monkeypatch.setattr(forward_module, "REQUEST_TIMEOUT_SECONDS", 0.3)
    service.behaviour = think
    await service.start()

    assert (await hand_to(service, body=b"a" * 100))[0]["status"] == 200


async def test_an_answer_may_take_longer_than_a_request(
    service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pause(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[")
        await asyncio.sleep(0.5)
        writer.write(b"]")

    monkeypatch.setattr(forward_module, "REQUEST_TIMEOUT_SECONDS", 0.3)
    service.behaviour = pause
    await service.start()

    assert (await hand_to(service))[-1] == {"type": "http.response.body", "body": b""}
