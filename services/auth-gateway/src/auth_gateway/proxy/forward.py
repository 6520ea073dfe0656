"""Forwards one request to a service, and the response to the client, without buffering either."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send
from yarl import URL

from auth_gateway.proxy.headers import response_headers
from auth_gateway.proxy.upstream import CONNECT_TIMEOUT_SECONDS
from common.problems import BadGateway, BodyTooLarge, GatewayTimeout, ProblemError

REQUEST_TIMEOUT_SECONDS: Final = 60.0
"""The longest time until all of a request is sent, even by a slow client.

Without a body, the longest time until the response begins.
"""

FIRST_CHUNK_WAIT_SECONDS: Final = 0.005
"""How long the head waits for the first chunk of the body, so that both are sent together."""

CONTINUE_WAIT_SECONDS: Final = 0.02
"""How long a service may take to reject a request by its head alone.

After that, a client that expects it is sent 100 Continue.
"""

_VALID_STATUSES: Final = range(200, 600)
_STATUSES_WITHOUT_BODY: Final = (204, 304)
_CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request for a service.

    `expects_continue`: the client sends the body only after 100 Continue.
    Source: RFC 9110, 10.1.1.
    `body_limit_bytes`: a body of so many bytes is rejected; None if the service counts them itself.
    """

    method: str
    url: str
    headers: list[tuple[str, str]]
    has_body: bool
    response_timeout_seconds: float
    expects_continue: bool = False
    body_limit_bytes: int | None = None


class _RequestBody:
    """The chunks of the client's body.

    Attributes:
        error: Why the body ended too early: the client disconnected, or sent too much.
    """

    def __init__(self, receive: Receive, limit_bytes: int | None) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._read_bytes = 0
        self.error: ClientDisconnect | BodyTooLarge | None = None

    async def chunks(self, *, expects_continue: bool) -> AsyncIterator[bytes]:
        """Yield chunks as they arrive, as fast as the service reads them.

        aiohttp sends the head with the first chunk. If a client is slow to send one, or waits for
        100 Continue, the first chunk is empty, so that the service can reject the request by its
        head. The server sends 100 Continue when it is asked for the body. A response that begins
        before the end of the body closes this generator.
        """
        if expects_continue:
            yield b""
            await asyncio.sleep(CONTINUE_WAIT_SECONDS)
            message = await self._receive()
        else:
            try:
                async with asyncio.timeout(FIRST_CHUNK_WAIT_SECONDS):
                    message = await self._receive()
            except TimeoutError:
                yield b""
                message = await self._receive()
        yield self._get_chunk(message)
        while message["more_body"]:
            message = await self._receive()
            yield self._get_chunk(message)

    def _get_chunk(self, message: Message) -> bytes:
        if message["type"] == "http.disconnect":
            self.error = ClientDisconnect()
            raise self.error
        self._read_bytes += len(message["body"])
        if self._limit_bytes is not None and self._read_bytes >= self._limit_bytes:
            self.error = BodyTooLarge()
            raise self.error
        return message["body"]


async def forward(
    session: aiohttp.ClientSession, request: UpstreamRequest, receive: Receive, send: Send
) -> None:
    """Send a request to its service, and the response to the client, even before the request ends.

    If a response ends too early, the exception reaches the server, which then closes the client's
    connection: the client must not take the response for complete. When a client disconnects, the
    server cancels this coroutine, and the service's connection is closed.

    Raises:
        BadGateway: The service cannot be reached, closed the connection, or sent no valid response.
        GatewayTimeout: The service did not respond in time.
        BodyTooLarge: The body has as many bytes as the limit, or more.
        ClientDisconnect: The client disconnected before the end of its request.
    """
    body = None
    if request.has_body:
        body = _RequestBody(receive, request.body_limit_bytes)
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS) as deadline:
            await _exchange(session, request, body, deadline, send)
    except (aiohttp.ClientError, TimeoutError) as error:
        if body is not None and body.error is not None:
            raise body.error from None
        raise _to_problem(error) from error


async def _exchange(
    session: aiohttp.ClientSession,
    request: UpstreamRequest,
    body: _RequestBody | None,
    deadline: asyncio.Timeout,
    send: Send,
) -> None:
    data = None
    if body is not None:
        data = _send_body(body, request, deadline)
    async with session.request(
        request.method,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=data,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(
            connect=CONNECT_TIMEOUT_SECONDS, sock_read=request.response_timeout_seconds
        ),
    ) as response:
        deadline.reschedule(None)
        await send(_to_response_start(response))
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_body(
    body: _RequestBody, request: UpstreamRequest, deadline: asyncio.Timeout
) -> AsyncIterator[bytes]:
    """Yield the body, and then give the service its own time to respond."""
    async for chunk in body.chunks(expects_continue=request.expects_continue):
        yield chunk
    has_response_begun = deadline.when() is None
    if not has_response_begun:
        now = asyncio.get_running_loop().time()
        deadline.reschedule(now + request.response_timeout_seconds)


def _to_problem(error: Exception) -> ProblemError:
    if isinstance(error, TimeoutError):
        return GatewayTimeout()
    problem = BadGateway()
    if isinstance(error, aiohttp.ClientConnectorError):
        problem.outcome_unknown = False  # the request was never sent
    return problem


def _to_response_start(response: aiohttp.ClientResponse) -> Message:
    """Convert the head of a response to an ASGI message for the client.

    Raises:
        BadGateway: Our own server would not send such a head.
    """
    values = b"".join(value for _, value in response.raw_headers)
    if response.status not in _VALID_STATUSES or _CONTROL_CHARACTER.search(values):
        raise BadGateway
    headers = response_headers([(name.lower(), value) for name, value in response.raw_headers])
    if response.status in _STATUSES_WITHOUT_BODY:
        headers = [(name, value) for name, value in headers if name != b"content-length"]
    return {"type": "http.response.start", "status": response.status, "headers": headers}
