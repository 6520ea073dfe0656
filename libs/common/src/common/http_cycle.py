"""One HTTP/1.1 request and its response, as the server protocol keeps them."""

from types import CoroutineType
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class RequestCycle(RequestResponseCycle):
    """A request and its response.

    A response that begins before the body of the request has ended is the connection's last.
    """

    is_early = False
    """Whether the response began before the body of the request had ended."""

    is_http_1_0 = False

    has_unknown_length = False
    """Whether the end of the connection marks the end of the response."""

    def send(self, message: ASGISendEvent) -> "CoroutineType[Any, Any, None]":
        """Send a part of the response."""
        if self.more_body:
            self._mark_as_last(message)
        if self.is_http_1_0:
            self._send_without_chunks(message)
        return super().send(message)

    def _send_without_chunks(self, message: ASGISendEvent) -> None:
        """End a response of unknown length with the connection: HTTP/1.0 has no chunks.

        Source: RFC 9112, 6.1 and 6.3.
        """
        if message["type"] == "http.response.start":
            names = [name.lower() for name, _ in message.get("headers", [])]
            if b"content-length" not in names:
                self.has_unknown_length = True
                self.chunked_encoding = False
        elif self.has_unknown_length and message["type"] == "http.response.body":
            self.expected_content_length = len(message.get("body", b""))

    def _mark_as_last(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self.is_early = True
            self.keep_alive = False  # uvicorn sends `Connection: close`
            return
        is_last_part = message["type"] == "http.response.body" and not message.get("more_body")
        if self.is_early and is_last_part:
            # Otherwise uvicorn closes at once; the protocol closes later.
            self.keep_alive = True


class _DiscardedHeaders(list[tuple[bytes, bytes]]):
    """A list that stays empty."""

    def append(self, _: tuple[bytes, bytes], /) -> None:
        pass


DISCARDED_TRAILERS = _DiscardedHeaders()
"""Where the parser puts trailers: the service uses none. Source: RFC 9110, 6.5.1."""
