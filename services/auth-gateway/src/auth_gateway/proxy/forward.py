"""One request handed on to a service, and its answer handed back; nothing is held back on the way."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send
from yarl import URL

from auth_gateway.proxy.headers import for_client
from auth_gateway.proxy.upstream import CONNECT_SECONDS
from common.problems import BadGateway, GatewayTimeout, ProblemError

REQUEST_SECONDS: Final = 60.0
"""How long it may take until all of a request is sent, also by a slow client; without a body, until it is answered."""

HEAD_WAITS_SECONDS: Final = 0.005
"""How long the head waits for the first piece of a body, to go to the service together with it."""

CALL_WAITS_SECONDS: Final = 0.02
"""How long a service may take to refuse by the head alone before a client that waits for it is called."""

_STATUSES: Final = range(200, 600)
_WITHOUT_BODY: Final = (204, 304)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as a service gets it."""

    verb: str
    url: str
    headers: list[tuple[str, str]]
    has_body: bool
    answer_seconds: float
    expects_call: bool = False
    """Whether the client sends its body only when it is called for. Source: RFC 9110, 10.1.1."""


class _Body:
    """What the client sends, piece by piece; `is_broken_off` when it leaves before the end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_broken_off = False

    async def pieces(self, *, expects_call: bool) -> AsyncIterator[bytes]:
        """Hand on what arrives, as fast as the service takes it.

        aiohttp keeps the head back until there is a piece. A client that is slow to send one, or waits to be called,
        gets an empty one, so that the service can already refuse by the head. The server calls when it is asked for the
        body, and whoever is answered ends this.
        """
        if expects_call:
            yield b""
            await asyncio.sleep(CALL_WAITS_SECONDS)
            message = await self._receive()
        else:
            try:
                async with asyncio.timeout(HEAD_WAITS_SECONDS):
                    message = await self._receive()
            except TimeoutError:
                yield b""
                message = await self._receive()
        yield self._piece(message)
        while message["more_body"]:
            message = await self._receive()
            yield self._piece(message)

    def _piece(self, message: Message) -> bytes:
        if message["type"] == "http.disconnect":
            self.is_broken_off = True
            raise ClientDisconnect
        return message["body"]


async def hand_on(
    session: aiohttp.ClientSession, request: Outgoing, receive: Receive, send: Send
) -> None:
    """Send the request to its service, and the answer to the client; it may come before the request has ended.

    An answer that breaks off cannot be taken back: whoever serves the client must cut the connection then. Whoever
    notices that the client has gone cancels this, and the service is told by a closed connection.

    Raises:
        BadGateway: The service cannot be reached, hung up, or sent what is no answer.
        GatewayTimeout: The service did not answer in time.
        ClientDisconnect: The client has left in the middle of its request.
    """
    body = _Body(receive) if request.has_body else None
    try:
        async with asyncio.timeout(REQUEST_SECONDS) as patience:
            await _exchange(session, request, body, patience, send)
    except (aiohttp.ClientError, TimeoutError) as error:
        if body is not None and body.is_broken_off:
            raise ClientDisconnect from None
        raise _refusal(error) from error


async def _then_patient(
    pieces: AsyncIterator[bytes], request: Outgoing, patience: asyncio.Timeout
) -> AsyncIterator[bytes]:
    """Give the service time for its answer when all of the request is sent, however long that took."""
    async for piece in pieces:
        yield piece
    if patience.when() is not None:  # else the answer has begun
        patience.reschedule(asyncio.get_running_loop().time() + request.answer_seconds)


async def _exchange(
    session: aiohttp.ClientSession,
    request: Outgoing,
    body: _Body | None,
    patience: asyncio.Timeout,
    send: Send,
) -> None:
    async with session.request(
        request.verb,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=None
        if body is None
        else _then_patient(body.pieces(expects_call=request.expects_call), request, patience),
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=request.answer_seconds),
    ) as answer:
        patience.reschedule(None)
        await send(_head(answer))
        async for piece in answer.content.iter_any():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _refusal(error: Exception) -> ProblemError:
    if isinstance(error, TimeoutError):
        return GatewayTimeout()
    refusal = BadGateway()
    if isinstance(error, aiohttp.ClientConnectorError):
        refusal.may_have_happened = False  # it was never sent
    return refusal


def _head(answer: aiohttp.ClientResponse) -> Message:
    """Write the answer's head for the client.

    Raises:
        BadGateway: Our own server would not send such a head.
    """
    raw = answer.raw_headers
    if answer.status not in _STATUSES or _CONTROL.search(b"".join(value for _, value in raw)):
        raise BadGateway
    headers = for_client([(name.lower(), value) for name, value in raw])
    if answer.status in _WITHOUT_BODY:
        headers = [(name, value) for name, value in headers if name != b"content-length"]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}
