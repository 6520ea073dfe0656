"""Answers whose body is sent while it is read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from common.media_types import JSON_TYPE
from common.middleware import DEADLINE_SECONDS
from common.problems import Conflict
from common.request_state import RequestState

SENT_AT_ONCE_BYTES: Final = 65_536
"""No more is handed to the server at a time: it keeps what a client has not taken yet."""


class ChunkedResponse(StreamingResponse):
    """A beginning, pieces that are read as fast as the client takes them, and an end.

    What breaks off in between has no end, and its connection is cut, so that no client takes it for all there is.
    Each piece has the time of a deadline.
    """

    def __init__(
        self,
        request: Request,
        beginning: bytes,
        pieces: AsyncIterator[bytes],
        end: bytes,
        close: Callable[[], None],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(pieces, headers=dict(headers), media_type=JSON_TYPE)
        self._state = RequestState.of(request.scope)
        self._beginning = beginning
        self._pieces = pieces
        self._end = end
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and read no further in any case, also when the client has left before it began."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()

    async def stream_response(self, send: Send) -> None:
        """Send all of it; of an answer to HEAD only the headers."""
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if self._state.method != "HEAD":
                await self._send_pieces(send)
        except Conflict as conflict:
            self._state.problem = conflict  # for the log: the client sees an answer without an end
            return
        await send({"type": "http.response.body", "body": b""})

    async def _send_pieces(self, send: Send) -> None:
        await _send_slowly(self._beginning, self._state, send)
        async for piece in self._pieces:
            await _send_slowly(piece, self._state, send)
        await _send_slowly(self._end, self._state, send)


async def _send_slowly(text: bytes, state: RequestState, send: Send) -> None:
    """Send a text as fast as the client takes it, and let others have their turn in between."""
    for start in range(0, len(text), SENT_AT_ONCE_BYTES):
        state.extend_deadline(DEADLINE_SECONDS)
        piece = text[start : start + SENT_AT_ONCE_BYTES]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
