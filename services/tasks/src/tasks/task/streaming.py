"""Responses whose body is sent while it is read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from common.media_types import JSON_TYPE
from common.middleware import DEADLINE_SECONDS
from common.problems import Conflict
from common.request_state import RequestState

SENT_AT_ONCE_BYTES: Final = 65_536
"""Bytes that are passed to the server at a time: it buffers what a client has not received yet."""


@dataclass(frozen=True, slots=True)
class ChunkedBody:
    """The parts of a body.

    Attributes:
        start: What is sent first; it was read already.
        chunks: What follows. It is read as fast as the client receives it.
        end: What is sent last.
        close: Releases what `chunks` reads from. It is called in any case.
    """

    start: bytes
    chunks: AsyncIterator[bytes]
    end: bytes
    close: Callable[[], None]


class ChunkedResponse(StreamingResponse):
    """A JSON response in chunks. Each chunk extends the deadline of the request.

    If `chunks` raises, the end is not sent and the connection is closed, so that no client takes an
    incomplete body for a complete one.
    """

    def __init__(self, request: Request, body: ChunkedBody, headers: Mapping[str, str]) -> None:
        super().__init__(body.chunks, headers=dict(headers), media_type=JSON_TYPE)
        self._state = RequestState.of(request.scope)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and close the body also if the client has left before."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._body.close()

    async def stream_response(self, send: Send) -> None:
        """Send headers and body; only the headers for HEAD."""
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if self._state.method != "HEAD":
                await self._send_body(send)
        except Conflict as conflict:
            # For the log only: the status was sent already.
            self._state.problem = conflict
            return
        await send({"type": "http.response.body", "body": b""})

    async def _send_body(self, send: Send) -> None:
        await self._send_in_parts(self._body.start, send)
        async for chunk in self._body.chunks:
            await self._send_in_parts(chunk, send)
        await self._send_in_parts(self._body.end, send)

    async def _send_in_parts(self, content: bytes, send: Send) -> None:
        """Send as fast as the client receives, and let other requests run in between."""
        for start in range(0, len(content), SENT_AT_ONCE_BYTES):
            self._state.extend_deadline(DEADLINE_SECONDS)
            part = content[start : start + SENT_AT_ONCE_BYTES]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)
