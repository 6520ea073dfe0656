"""The HTTP/1.1 server protocol of all services: uvicorn's, with bounds while a request is read.

What it does otherwise than uvicorn's own:

- Request line, headers, chunk extensions and trailers are bounded while they arrive, in size and (the head) in time.
- Nothing of a trailer reaches the application, and a pipelined request waits as bytes until its turn.
- An answer of unknown length to HTTP/1.0 ends with the connection.
- An `Upgrade` that is not taken is ignored, and the connection goes on.
- An answer that comes before the end of the request's body closes the connection, but not under the client's hands.
- The work for a client that has left is cancelled.
"""

import asyncio
from asyncio.events import TimerHandle
from collections import deque
from secrets import token_hex
from types import CoroutineType
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn._types import ASGI3Application, ASGISendEvent
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from common.logging import log
from common.metrics import count_request
from common.middleware import HEADERS_MAX_BYTES, URL_MAX_BYTES, complete_headers
from common.problems import BadRequest, HeadersTooLarge, ProblemError, UriTooLong, problem_response
from common.request_state import DISCONNECTED_KEY

FRAMING_MAX_BYTES: Final = 2 * HEADERS_MAX_BYTES
"""How much of one request may arrive that is no body; the frame refuses a complete head beyond its own limits."""

FRAMING_BYTES_PER_BODY_BYTE: Final = 8
"""What chunks of one byte each cost besides that byte (6), and a little more."""

PIECE_BYTES: Final = 16_384
"""How much is read between two looks at the bounds."""

HELD_MAX_BYTES: Final = 65_536
"""How much may wait behind a request that is being answered before the client is made to wait."""

HEAD_SECONDS: Final = 10.0
"""How long a head may take from its first byte to its last."""

STALL_SECONDS: Final = 60.0
"""How long a client may read nothing of an answer that waits for it."""

LINGER_SECONDS: Final = 2.0
"""How long what still arrives is thrown away after an answer that ends the connection. Source: RFC 9112, 9.6."""

GRACE_SECONDS: Final = 0.4
"""How long a change goes on when its client has left: somebody who closes a page has often just saved it."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class _Exchange(RequestResponseCycle):
    """One request and its answer; one that is answered before its body has ended is the connection's last."""

    is_early = False
    is_http_1_0 = False
    is_unframed = False

    def send(self, message: ASGISendEvent) -> "CoroutineType[Any, Any, None]":
        """Send a part of the answer."""
        if self.more_body:
            self._announce_end(message)
        if self.is_http_1_0:
            self._send_unframed(message)
        return super().send(message)

    def _send_unframed(self, message: ASGISendEvent) -> None:
        """Let an answer of unknown length end with the connection, because HTTP/1.0 has no chunks.

        Source: RFC 9112, 6.1 and 6.3.
        """
        if message["type"] == "http.response.start":
            names = [name.lower() for name, _ in message.get("headers", [])]
            if b"content-length" not in names:
                self.is_unframed = True
                self.chunked_encoding = False
        elif self.is_unframed and message["type"] == "http.response.body":
            self.expected_content_length = len(message.get("body", b""))

    def _announce_end(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self.is_early = True
            self.keep_alive = False  # uvicorn says so in the head
        elif (
            self.is_early
            and message["type"] == "http.response.body"
            and not message.get("more_body")
        ):
            self.keep_alive = True  # or uvicorn closes at once; the protocol does it, later


class _Discarded(list[tuple[bytes, bytes]]):
    """Where the parser puts trailers: no trailer means anything here. Source: RFC 9110, 6.5.1."""

    def append(self, _: tuple[bytes, bytes], /) -> None:
        pass


_TRAILERS: Final = _Discarded()


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._framing_bytes = 0
        self._is_reading_head = False
        self._is_upgrade = False
        self._is_deaf = False
        self._held = b""
        self._last: _Exchange | None = None  # the request that is being read, or was read last
        self._answering: _Exchange | None = None  # one that was read before it, or the same
        self._waiting: deque[_Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._refusal: ProblemError | None = None
        self._head_timer: TimerHandle | None = None
        self._stall_timer: TimerHandle | None = None

    # What the transport calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a new connection as long for its first request as for each other one."""
        super().connection_made(transport)
        self._close_later(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the work that nobody waits for any more."""
        super().connection_lost(exc)
        self._is_deaf = True
        self._held = b""
        self._waiting.clear()
        self._unset_keepalive_if_required()
        for timer in (self._head_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        exchange = self._answering
        if exchange is not None and self._task is not None and not exchange.response_complete:
            self._cancel(exchange, self._task)

    def data_received(self, data: bytes) -> None:
        """Read what has arrived, or keep it until the requests before it are answered."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        if self._held or self._waiting:
            self._hold(data)
        elif len(data) <= PIECE_BYTES:
            self._read(data)
        else:
            self._read_in_pieces(data)
        self._bound_head()

    def pause_writing(self) -> None:
        """Wait for a client who reads more slowly than it is answered, but not for ever."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # Reading

    def _read_in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            if self._is_deaf:
                return
            if self._waiting:
                self._hold(data[start:])
                return
            self._read(data[start : start + PIECE_BYTES])

    def _read(self, piece: bytes) -> None:
        """Read a piece, and look at how much of the request was no body; what a body has earned is not saved up."""
        self._framing_bytes += len(piece)
        self._feed(piece)
        if self._framing_bytes < 0:
            self._framing_bytes = 0
        elif self._framing_bytes > FRAMING_MAX_BYTES and not self._is_deaf:
            too_long = self._is_reading_head and len(self.url) > URL_MAX_BYTES
            self._refuse(UriTooLong() if too_long else HeadersTooLarge())

    def _feed(self, piece: bytes) -> None:
        """Have the parser read; where it stops because another protocol is asked for, it reads on in this one.

        Source: RFC 9110, 7.8.
        """
        while piece and not self._is_deaf:
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as stop:
                rest = piece[stop.args[0] :]
                piece = self._read_on_after_upgrade() + rest
            except httptools.HttpParserError:
                self._refuse(BadRequest())
            else:
                return

    def _read_on_after_upgrade(self) -> bytes:
        """Return the head once more, for a new parser, without the field that stopped the old one.

        The old one takes the body for the other protocol's first bytes. After CONNECT there is nothing to read.
        """
        if not self._is_upgrade:
            self._is_deaf = True
            return b""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"\r\n".join([*lines, b"", b""])

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > HELD_MAX_BYTES:
            self.flow.pause_reading()

    def _bound_head(self) -> None:
        """Give the client some seconds for a head that it has begun, or for whatever it sends instead of one."""
        is_idle = self._last is None or self._last.response_complete
        if self._is_reading_head or is_idle:
            if self._head_timer is None and not self._is_deaf:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up_on_head)
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up_on_head(self) -> None:
        self._is_deaf = True
        if self._last is None or self._last.response_complete:
            self.transport.close()
        else:
            self._last.keep_alive = False  # the requests before it are answered

    # What the parser calls

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._is_reading_head = True
        self._is_upgrade = False

    def on_headers_complete(self) -> None:
        """Start to work on a request, or put it behind those before it."""
        self._is_reading_head = False
        method: bytes = self.parser.get_method()
        is_tunnel = method == b"CONNECT"
        if self.parser.should_upgrade() and not is_tunnel:
            self._is_upgrade = True
            return
        version = self.parser.get_http_version()
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["method"] = method.decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        self.headers = _TRAILERS
        before = self._last
        self.cycle = self._last = exchange = _Exchange(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and not is_tunnel and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        exchange.is_http_1_0 = version == "1.0"
        if before is None or before.response_complete:
            self._start(exchange)
        else:
            self._waiting.append(exchange)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body until the application asks for it."""
        self._framing_bytes -= (1 + FRAMING_BYTES_PER_BODY_BYTE) * len(body)
        exchange = self._last
        if exchange is not None and not exchange.response_complete:
            exchange.body += body
            if len(exchange.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            exchange.message_event.set()

    def on_message_complete(self) -> None:
        """Note that the body has ended."""
        if self._is_upgrade:
            return
        self._framing_bytes = 0
        exchange = self._last
        if exchange is not None and not exchange.response_complete:
            exchange.more_body = False
            exchange.message_event.set()

    # Answering

    def _start(self, exchange: _Exchange) -> None:
        self._answering = exchange
        app = cast("ASGI3Application", self.app)  # pyright: ignore[reportUnknownMemberType]
        self._task = task = self.loop.create_task(exchange.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """Go on to the next request, or end the connection as it has to end."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        exchange = self._answering
        if exchange is not None and exchange.is_early and exchange.more_body:
            self._linger()
            return
        self.flow.resume_reading()
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._refusal is not None:
            self._answer_refusal(self._refusal)
        else:
            self._close_later(self.timeout_keep_alive)
        if self._held and not self._waiting:
            held, self._held = self._held, b""
            self.data_received(held)

    def _cancel(self, exchange: _Exchange, task: asyncio.Task[None]) -> None:
        """Cancel what is done for a client that has left: a read at once, a change after a moment."""
        exchange.disconnected = True
        exchange.message_event.set()
        cast("dict[str, object]", exchange.scope)[DISCONNECTED_KEY] = True
        if exchange.scope["method"] in _SAFE_METHODS:
            task.cancel()
        else:
            self.loop.call_later(GRACE_SECONDS, task.cancel)

    def _refuse(self, refusal: ProblemError) -> None:
        """Read nothing more, and refuse what was being read, after the answers to the requests before it."""
        self._is_deaf = True
        last = self._last
        is_broken = last is not None and last.more_body and not self._is_reading_head
        if last is None or last.response_complete:
            self._answer_refusal(refusal)
        elif is_broken and last is self._answering:
            self._break_off(last, refusal)
        else:
            self._refusal = refusal
            if is_broken:
                self._waiting.pop()

    def _break_off(self, exchange: _Exchange, refusal: ProblemError) -> None:
        """Refuse a request that is being worked on; what it works on has no rest."""
        if exchange.response_started:
            self.transport.close()
        else:
            exchange.disconnected = True
            exchange.message_event.set()
            self._answer_refusal(refusal)

    def _answer_refusal(self, refusal: ProblemError) -> None:
        """Send a problem document that no application has made, and write the lines that a frame would write."""
        request_id = token_hex(16)
        document = problem_response(refusal, request_id)
        headers = complete_headers(document.raw_headers, request_id)
        fields = [*self.server_state.default_headers, *headers, (b"connection", b"close")]
        head = STATUS_LINE[refusal.status] + b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(head + b"\r\n" + document.body)
        count_request("other", None, refusal.status, 0)
        log("info", "request", request_id=request_id, status=refusal.status, reason=refusal.code)
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more comes, and let go when the client does.

        To close while something arrives would reset the connection, and the client could lose the answer.
        """
        self._is_deaf = True
        self.flow.resume_reading()
        self.transport.write_eof()
        self._close_later(LINGER_SECONDS)

    def _close_later(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )
