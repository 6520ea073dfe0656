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
class Served:
    """A server with an application that answers with what it read, and what became of the requests to it."""

    port: int = 0
    seen: list[Scope] = field(default_factory=list[Scope])
    ended: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    seconds: float = 0
    answer_early: bool = False
    answer_in_pieces: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with method, path and body."""
        self.seen.append(scope)
        try:
            body = b"" if self.answer_early else await self._body(receive)
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.ended.put_nowait("cancelled")
            return
        self.ended.put_nowait("done")
        text = json.dumps([scope["method"], scope["path"], body.decode()]).encode()
        if self.answer_in_pieces:
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

    async def _body(self, receive: Receive) -> bytes:
        body, more = b"", True
        while more:
            message: Message = await receive()
            more = message.get("more_body", False)
            body += message.get("body", b"")
        return body

    async def converse(self, *pieces: bytes) -> bytes:
        """Send pieces, and return all that comes back until the server hangs up; a second of silence ends it, too."""
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

    async def bodies(self, *pieces: bytes) -> list[list[str]]:
        """Send pieces, and return what the application says that it has read."""
        return [json.loads(answer.body) for answer in parse_responses(await self.converse(*pieces))]


@asynccontextmanager
async def serving(keep_alive_seconds: int = 5) -> AsyncGenerator[Served]:
    """Serve at a free port."""
    served = Served()
    config = Config(
        served, http=HttpProtocol, ws="none", lifespan="off", timeout_keep_alive=keep_alive_seconds
    )
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpProtocol(config, state, {}), "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()
