"""The server protocol with an application that responds with what it read."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from common.http_protocol import HttpProtocol
from devkit.testing.raw_http import parse_responses


@dataclass
class ProtocolServer:
    """A server whose application responds with what it read, and records every request."""

    port: int = 0
    scopes: list[Scope] = field(default_factory=list[Scope])
    outcomes: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    delay_seconds: float = 0
    respond_early: bool = False
    respond_in_pieces: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with method, path and body."""
        self.scopes.append(scope)
        try:
            body = b""
            if not self.respond_early:
                body = await self._read_body(receive)
            await asyncio.sleep(self.delay_seconds)
        except asyncio.CancelledError:
            self.outcomes.put_nowait("cancelled")
            return
        self.outcomes.put_nowait("done")
        text = json.dumps([scope["method"], scope["path"], body.decode()]).encode()
        if self.respond_in_pieces:
            await self._send_pieces(text, send)
            return
        length = str(len(text)).encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
        )
        await send({"type": "http.response.body", "body": text})

    async def _send_pieces(self, text: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for start in range(0, len(text), 5):
            await send(
                {"type": "http.response.body", "body": text[start : start + 5], "more_body": True}
            )
        await send({"type": "http.response.body", "body": b""})

    async def _read_body(self, receive: Receive) -> bytes:
        body = b""
        more = True
        while more:
            message: Message = await receive()
            more = message.get("more_body", False)
            body += message.get("body", b"")
        return body

    async def exchange(self, *pieces: bytes) -> bytes:
        """Send pieces, and return what arrives until the connection ends or is silent for 1 s."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.wait_for(writer.drain(), 5)
            while piece := await asyncio.wait_for(reader.read(65_536), 1):
                received += piece
        except (ConnectionError, TimeoutError):
            pass  # what was received until then counts
        finally:
            writer.close()
        return received

    async def exchange_json(self, *pieces: bytes) -> list[list[str]]:
        """Send pieces, and return method, path and body of each request as the server read it."""
        return [
            json.loads(response.body) for response in parse_responses(await self.exchange(*pieces))
        ]


@asynccontextmanager
async def run_protocol_server(keep_alive_seconds: int = 5) -> AsyncGenerator[ProtocolServer]:
    """Run the server at a free port."""
    protocol_server = ProtocolServer()
    config = Config(
        protocol_server,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        timeout_keep_alive=keep_alive_seconds,
    )
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpProtocol(config, state, {}), "127.0.0.1", 0)
    protocol_server.port = server.sockets[0].getsockname()[1]
    yield protocol_server
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()
