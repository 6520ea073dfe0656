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

from auth_gateway.headers import for_client
from auth_gateway.upstream import CONNECT_SECONDS
from common.errors import BadGateway, GatewayTimeout

REQUEST_SECONDS: Final = 60.0
"""How long it may take until a service begins its answer, a slow client's sending included."""

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


class _Client:
    """Who sends the request: first its body, if it has one, and in the end that they have gone."""

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self._receive = receive
        self._sent = asyncio.Event()
        self.gone = False
        if not has_body:
            self._sent.set()

    async def body(self) -> AsyncIterator[bytes]:
        """Hand on what arrives, as fast as the service takes it."""
        more = True
        try:
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self.gone = True
                    raise ClientDisconnect
                more = message["more_body"]
                yield message["body"]
        finally:
            self._sent.set()

    async def end_when_gone(self, patience: asyncio.Timeout) -> None:
        """Let the exchange run out of time as soon as nobody waits for its answer."""
        await self._sent.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        patience.reschedule(0)


async def hand_on(session: aiohttp.ClientSession, request: Outgoing, receive: Receive, send: Send) -> None:
    """Send the request to its service, and the answer to the client.

    An answer that breaks off cannot be taken back: whoever serves the client must cut the connection then.

    Raises:
        BadGateway: The service cannot be reached, hung up, or sent what is no answer.
        GatewayTimeout: The service did not answer in time.
        ClientDisconnect: Nobody waits for the answer any more; the service was told by a closed connection.
    """
    client = _Client(receive, has_body=request.has_body)
    try:
        async with asyncio.timeout(REQUEST_SECONDS) as patience:
            watch = asyncio.create_task(client.end_when_gone(patience))
            try:
                await _exchange(session, request, client, patience, send)
            finally:
                watch.cancel()
    except (aiohttp.ClientError, TimeoutError) as error:
        if client.gone:
            raise ClientDisconnect from None
        raise (GatewayTimeout if isinstance(error, TimeoutError) else BadGateway) from error


async def _exchange(
    session: aiohttp.ClientSession, request: Outgoing, client: _Client, patience: asyncio.Timeout, send: Send
) -> None:
    async with session.request(
        request.verb,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=client.body() if request.has_body else None,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=request.answer_seconds),
    ) as answer:
        patience.reschedule(None)
        await send(_head(answer))
        async for piece in answer.content.iter_any():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


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
